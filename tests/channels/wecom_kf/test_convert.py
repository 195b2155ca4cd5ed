from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.update import (
    CustomerMuted,
    DeliveryFailed,
    HandoverChanged,
    MenuChosen,
    MessageRecalled,
    MessageReceived,
    ServicerStatusChanged,
    SessionEntered,
    UnknownEvent,
    Update,
    from_inbox,
    to_inbox,
)
from channels.wecom_kf.convert import part_id, to_update
from channels.wecom_kf.menu_ids import read_menu_id, write_menu_id
from core.content import (
    Address,
    Card,
    Content,
    File,
    Image,
    Link,
    Location,
    Media,
    Menu,
    MenuItem,
    Merged,
    MergedItem,
    MiniProgram,
    Text,
    Unsupported,
    Video,
    Voice,
)
from tests.channels.fake_wecom import PAYLOADS, payload

ACCOUNT = "wkDEMOAAAAkf0000000000000000001"
CUSTOMER = "wmDEMOAAAAcust00000000000000001"
MEDIA = Media(vendor_ref="3demoMediaIdAAAABBBBCCCCDDDDEEEEFFFF0001")


def updates(name: str) -> list[Update]:
    return [to_update(raw, ACCOUNT) for raw in payload(f"kf_sync_{name}.json")["msg_list"]]


def head(number: int, seconds: int, user: str = CUSTOMER) -> dict[str, Any]:
    return {
        "update_id": f"46224166421690000{number:02}",
        "address": Address("wecom_kf", ACCOUNT, user),
        "occurred_at": datetime.fromtimestamp(seconds, UTC),
    }


CONTENTS: dict[str, tuple[int, Content]] = {
    "text": (1, Text(text="你好，我的订单还没有收到")),
    "text_from_servicer": (3, Text(text="您好，我是客服张三，马上为您查询")),
    "image": (4, Image(media=MEDIA)),
    "voice": (5, Voice(media=MEDIA)),
    "video": (6, Video(media=MEDIA)),
    "file": (7, File(media=MEDIA)),
    "location": (
        8,
        Location(
            latitude=23.106021,
            longitude=113.320503,
            name="示例大厦",
            address="广东省广州市海珠区示例路1号",
        ),
    ),
    "link": (
        9,
        Link(
            title="商品详情",
            url="https://shop.example.com/item/1001",
            description="蓝色双肩包",
            picture_url="https://shop.example.com/item/1001.jpg",
        ),
    ),
    "business_card": (10, Card(kind="名片", title="lisi")),
    "miniprogram": (
        11,
        MiniProgram(
            appid="wx0000000000000001",
            page="pages/order/detail.html?id=1001",
            title="我的订单",
            thumb=MEDIA,
        ),
    ),
    "msgmenu": (
        12,
        Menu(
            head="您对本次服务是否满意？",
            items=(
                MenuItem(kind="click", id="101", label="满意"),
                MenuItem(kind="click", id="102", label="不满意"),
                MenuItem(kind="view", label="自助查询", url="https://help.example.com"),
                MenuItem(
                    kind="miniprogram",
                    label="打开小程序",
                    url="pages/index.html",
                    appid="wx0000000000000001",
                ),
            ),
            tail="感谢您的咨询",
        ),
    ),
    "channels_shop_product": (
        13,
        Card(kind="商品", title="蓝色双肩包", lines=("￥129.00", "示例小店")),
    ),
    "channels_shop_order": (
        14,
        Card(
            kind="订单",
            title="蓝色双肩包",
            lines=("3700000000000001", "￥129.00", "待发货", "示例小店"),
        ),
    ),
    "merged_msg": (
        15,
        Merged(
            title="群聊的聊天记录",
            items=(
                MergedItem(sender="王小明", sent_at_s=1767228600, text="昨天下的单"),
                MergedItem(sender="王小明", sent_at_s=1767228660, text="[图片]"),
            ),
        ),
    ),
    "channels": (16, Card(kind="视频号", title="新品上架", lines=("示例视频号", "动态"))),
    "meeting": (17, Card(kind="会议")),
    "calendar": (18, Card(kind="日程")),
    "note": (19, Card(kind="笔记")),
}

EVENTS: dict[str, Any] = {
    "text_menu_click": MenuChosen(
        **head(2, 1767229220),
        message_id="4622416642169000002",
        menu_id="csat_20260101_5",
        text="满意",
    ),
    "event_enter_session": SessionEntered(
        **head(21, 1767229410),
        scene="web_help",
        scene_param="order=1001&from=app",
        welcome_code="WELCOMECODE_DEMO_0001",
        code_expires_at=datetime.fromtimestamp(1767229430, UTC),
    ),
    "event_enter_session_no_code": SessionEntered(**head(22, 1767229420), scene="web_help"),
    "event_enter_session_channels": SessionEntered(
        **head(23, 1767229430, "wmDEMOAAAAcust00000000000000002"),
        welcome_code="WELCOMECODE_DEMO_0002",
        code_expires_at=datetime.fromtimestamp(1767229450, UTC),
        origin="视频号 小店商品 示例小店",
    ),
    "event_servicer_status_change_stop": ServicerStatusChanged(
        **head(28, 1767229480, "zhangsan"),
        servicer_ref="zhangsan",
        is_accepting=False,
        is_suspended=True,
    ),
    "event_servicer_status_change_start": ServicerStatusChanged(
        **head(29, 1767229490, "zhangsan"), servicer_ref="zhangsan", is_accepting=True
    ),
    "event_session_status_change_1_accept": HandoverChanged(
        **head(30, 1767229500),
        change="accepted",
        new_servicer_ref="zhangsan",
        reply_code="MSGCODE_ACCEPT_0001",
        code_expires_at=datetime.fromtimestamp(1767229500, UTC) + timedelta(hours=48),
    ),
    "event_session_status_change_2_transfer": HandoverChanged(
        **head(31, 1767229510),
        change="transferred",
        old_servicer_ref="zhangsan",
        new_servicer_ref="lisi",
    ),
    "event_session_status_change_3_end": HandoverChanged(
        **head(32, 1767229520),
        change="ended",
        old_servicer_ref="lisi",
        reply_code="MSGCODE_END_0001",
        code_expires_at=datetime.fromtimestamp(1767229540, UTC),
    ),
    "event_session_status_change_4_reopen": HandoverChanged(
        **head(33, 1767229530),
        change="reopened",
        old_servicer_ref="lisi",
        new_servicer_ref="zhangsan",
    ),
    "event_user_recall_msg": MessageRecalled(
        **head(34, 1767229540), message_id="4622416642169000002"
    ),
    "event_servicer_recall_msg": MessageRecalled(
        **head(35, 1767229550),
        message_id="4622416642169000004",
        by="servicer",
        servicer_ref="zhangsan",
    ),
    "event_reject_customer_msg_switch_change": CustomerMuted(
        **head(36, 1767229560), servicer_ref="zhangsan", is_muted=True
    ),
} | {
    f"event_msg_send_fail_{word}": DeliveryFailed(
        **head(number, 1767229440 + 10 * (number - 24)),
        message_id="out_20260101_0001",
        reason=reason,
        vendor_code=code,
    )
    for number, word, reason, code in [
        (24, "over_48h", "over_48_hours", "4"),
        (25, "over_5_messages", "over_5_messages", "6"),
        (26, "rejected", "refused_by_customer", "10"),
        (27, "security", "security", "13"),
    ]
}

ELSEWHERE = {"unknown_type", "page1_empty_has_more", "page2_mixed", "request", "error_95007"}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_message_says_what_the_fixture_says(name: str) -> None:
    number, content = CONTENTS[name]
    is_servicer = name in {"text_from_servicer", "business_card", "msgmenu"}
    (update,) = updates(name)
    assert update == MessageReceived(
        **head(number, 1767229200 + 10 * number),
        message_id=f"46224166421690000{number:02}",
        content=content,
        sender="servicer" if is_servicer else "customer",
        servicer_ref="zhangsan" if is_servicer else None,
    )


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_means_what_the_fixture_says(name: str) -> None:
    assert updates(name) == [EVENTS[name]]


def test_every_sync_fixture_has_a_test() -> None:
    found = {path.stem.removeprefix("kf_sync_") for path in PAYLOADS.glob("kf_sync_*.json")}
    assert found == CONTENTS.keys() | EVENTS.keys() | ELSEWHERE


def test_an_unknown_type_is_kept_with_what_came() -> None:
    (update,) = updates("unknown_type")
    assert isinstance(update, MessageReceived)
    assert isinstance(update.content, Unsupported)
    assert update.content.kind == "future_type"
    assert '"future_type": {"x": 1}' in update.content.raw


def test_an_unknown_event_is_kept_with_what_came() -> None:
    raw = {"msgid": "m", "msgtype": "event", "event": {"event_type": "new", "open_kfid": "k"}}
    update = to_update(raw, ACCOUNT)
    assert isinstance(update, UnknownEvent)
    assert (update.kind, update.address.account) == ("new", "k")
    assert '"event_type": "new"' in update.raw


def test_a_change_of_an_unknown_kind_is_kept_as_unknown() -> None:
    raw = {"msgtype": "event", "event": {"event_type": "session_status_change", "change_type": 9}}
    assert isinstance(to_update(raw, ACCOUNT), UnknownEvent)


def test_a_calendar_may_be_called_schedule() -> None:
    update = to_update({"msgid": "1", "msgtype": "schedule", "schedule": {}}, ACCOUNT)
    assert isinstance(update, MessageReceived)
    assert update.content == Card(kind="日程")


def test_a_mixed_page_keeps_its_order() -> None:
    assert [update.update_id[-2:] for update in updates("page2_mixed")] == ["37", "38", "39", "40"]


def test_a_failed_part_is_a_failure_of_its_message() -> None:
    raw = {
        "msgid": "1",
        "msgtype": "event",
        "event": {"event_type": "msg_send_fail", "fail_msgid": part_id("abc", 2), "fail_type": 6},
    }
    update = to_update(raw, ACCOUNT)
    assert isinstance(update, DeliveryFailed)
    assert (part_id("abc", 0), part_id("abc", 2), update.message_id) == ("abc", "abc-p3", "abc")


def test_equal_texts_without_msgid_stay_different_when_their_times_differ() -> None:
    item = {"msgtype": "text", "text": {"content": "在吗"}, "external_userid": "u"}
    first, again, later = (
        to_update({**item, "send_time": at}, ACCOUNT).update_id for at in (1, 1, 2)
    )
    assert first == again != later


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
KINDS = st.sampled_from(
    [*(raw["msgtype"] for name in CONTENTS for raw in payload(f"kf_sync_{name}.json")["msg_list"])]
)


@given(
    kind=KINDS,
    body=st.dictionaries(
        st.sampled_from(
            ["content", "media_id", "list", "item", "latitude", "msg_content", "type"]
        ),
        JSON,
    ),
    extra=st.dictionaries(
        st.sampled_from(["msgid", "send_time", "origin", "event", "open_kfid"]), JSON
    ),
)
def test_nothing_that_comes_breaks_the_conversion(
    kind: str, body: dict[str, Any], extra: dict[str, Any]
) -> None:
    update = to_update({"msgtype": kind, kind: body, **extra}, ACCOUNT)
    item = to_inbox(update)
    assert len(item.dedupe_key) <= 200 + len(str(extra.get("open_kfid", "")))
    assert from_inbox(item.payload) == update


@given(
    event_type=st.sampled_from(
        ["enter_session", "msg_send_fail", "session_status_change", "user_recall_msg", "?"]
    ),
    body=st.dictionaries(
        st.sampled_from(["scene", "change_type", "fail_type", "wechat_channels", "msg_code"]), JSON
    ),
)
def test_no_event_breaks_the_conversion(event_type: str, body: dict[str, Any]) -> None:
    raw = {"msgtype": "event", "event": {"event_type": event_type, **body}}
    assert from_inbox(to_inbox(to_update(raw, ACCOUNT)).payload) is not None


@given(st.text(min_size=1, max_size=20))
def test_a_menu_id_survives_the_platform(menu_id: str) -> None:
    written = write_menu_id(menu_id)
    assert written.isascii()
    assert written.replace("_", "").isalnum() or set(written) == {"_"}
    assert read_menu_id(written) == menu_id


def test_plain_menu_ids_are_left_alone() -> None:
    assert write_menu_id("csat_1001_5") == "csat_1001_5"
    assert read_menu_id("101") == "101"
    assert read_menu_id("z_zz") == "z_zz"
