from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from channels.errors import Rejected, RetryLater, WindowClosed, WrongState
from channels.testing import MemoryServices
from channels.wecom.config import WeComSettings
from channels.wecom_kf.adapter import WeComKf
from channels.wecom_kf.compose import compose
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
    MiniProgram,
    Text,
    Video,
    Voice,
)
from core.ports import OutboundMessage, RecallCommand
from tests.channels.fake_wecom import FakeWeCom, payload

CUSTOMER = Address(
    "wecom_kf", "wkDEMOAAAAkf0000000000000000001", "wmDEMOAAAAcust00000000000000001"
)
MEDIA = Media(vendor_ref="3demoMediaIdAAAABBBBCCCCDDDDEEEEFFFF0001")
NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)

SENT: dict[str, Content] = {
    "text": Text(text="您的包裹已发出，预计明天送达。"),
    "image": Image(media=MEDIA),
    "voice": Voice(media=MEDIA),
    "video": Video(media=MEDIA),
    "file": File(media=MEDIA),
    "link": Link(
        title="退换货说明",
        url="https://help.example.com/return",
        description="七天无理由退货流程",
        thumb=MEDIA,
    ),
    "location": Location(
        latitude=23.1, longitude=113.3, name="示例门店", address="广州市海珠区示例路1号"
    ),
    "miniprogram": MiniProgram(
        appid="wx0000000000000001",
        page="pages/track/index.html?id=1001",
        title="查看物流",
        thumb=MEDIA,
    ),
    "msgmenu": Menu(
        head="请选择您要咨询的问题：",
        items=(
            MenuItem(id="faq_shipping", label="物流查询"),
            MenuItem(id="faq_return", label="退换货"),
            MenuItem(id="to_human", label="转人工"),
            MenuItem(kind="view", label="帮助中心", url="https://help.example.com"),
            MenuItem(kind="text", label="也可以直接输入问题"),
        ),
        tail="工作时间 9:00-21:00",
    ),
    "ca_link": Link(title="加我", url="https://work.weixin.qq.com/ca/cawcdeDEMO0001"),
}


def message(content: Content, **fields: Any) -> OutboundMessage:
    return OutboundMessage(CUSTOMER, "out_20260101_0001", content, **fields)


@pytest.fixture
def kf(wecom_settings: WeComSettings, memory: MemoryServices) -> WeComKf:
    return WeComKf(wecom_settings, memory.services, now=lambda: NOW)


@pytest.fixture(autouse=True)
async def _closed(kf: WeComKf) -> Any:
    yield
    await kf.close()


@pytest.mark.parametrize("name", SENT)
async def test_a_content_is_sent_as_the_fixture_shows(
    kf: WeComKf, wecom: FakeWeCom, name: str
) -> None:
    wecom.will_answer("kf/send_msg", payload("kf_send_response_ok.json"))
    receipt = await kf.send(message(SENT[name]))
    assert receipt.vendor_id == "out_20260101_0001"
    assert wecom.bodies("kf/send_msg") == [payload(f"kf_send_{name}.json")]


async def test_chinese_goes_out_unescaped(kf: WeComKf, wecom: FakeWeCom) -> None:
    await kf.send(message(Text(text="你好")))
    assert "你好".encode() in wecom.called("kf/send_msg")[0].raw


async def test_a_repeated_msgid_counts_as_sent(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer("kf/send_msg", payload("kf_send_error_95033.json"))
    assert (await kf.send(message(Text(text="a")))).vendor_id == "out_20260101_0001"


async def test_an_unfit_text_goes_in_parts_that_a_retry_does_not_repeat(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    long = message(Text(text="长" * 1500))
    wecom.will_answer("kf/send_msg", payload("kf_send_response_ok.json"), {"errcode": 6000})
    with pytest.raises(RetryLater):
        await kf.send(long)
    wecom.will_answer("kf/send_msg", payload("kf_send_error_95033.json"))
    receipt = await kf.send(long)
    ids = [body["msgid"] for body in wecom.bodies("kf/send_msg")]
    first, second, third = ids[2:]
    assert (first, second, third) == (
        "out_20260101_0001", "out_20260101_0001-p2", "out_20260101_0001-p3",
    )  # fmt: skip
    assert ids[:2] == [first, second]
    assert receipt.facts == {"parts": "3"}


@pytest.mark.parametrize(
    ("fixture", "error"),
    [
        ("kf_send_error_95001.json", WindowClosed),
        ("kf_send_error_95018.json", WrongState),
        ("kf_send_error_40201.json", Rejected),
    ],
)
async def test_a_refusal_reaches_the_sender(
    kf: WeComKf, wecom: FakeWeCom, fixture: str, error: type[Exception]
) -> None:
    wecom.will_answer("kf/send_msg", payload(fixture))
    with pytest.raises(error):
        await kf.send(message(Text(text="a")))


async def test_a_forbidden_type_is_said_in_words(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer("kf/send_msg", {"errcode": 95030, "errmsg": "type"})
    await kf.send(message(SENT["location"]))
    assert wecom.bodies("kf/send_msg")[1]["text"] == {
        "content": "[位置]示例门店 广州市海珠区示例路1号"
    }


async def test_what_the_channel_cannot_show_is_said_in_words(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    await kf.send(message(Card(kind="订单", title="背包")))
    assert wecom.bodies("kf/send_msg")[0]["text"] == {"content": "[订单]背包"}
    with pytest.raises(Rejected):
        compose(Card(kind="订单"))


async def test_a_menu_id_of_any_letters_is_sent_and_recognised(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    await kf.send(message(Menu(items=(MenuItem(id="rate:5#好", label="满意"),))))
    (item,) = wecom.bodies("kf/send_msg")[0]["msgmenu"]["list"]
    assert item["click"]["id"] == "z_" + "rate:5#好".encode().hex()


# --- media ---------------------------------------------------------------------------------------


@pytest.fixture
async def picture(memory: MemoryServices) -> Image:
    attachment = await memory.files.store(b"\x89PNG and more", name="a.png")
    return Image(media=Media(attachment_id=attachment, name="报告.png", mime="image/png"))


async def test_a_file_is_uploaded_once_and_its_media_id_remembered(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices, picture: Image
) -> None:
    wecom.defaults["media/upload"] = payload("media_upload_response.json")
    await kf.send(message(picture))
    await kf.send(message(picture))
    (upload,) = wecom.called("media/upload")
    assert upload.query["type"] == "image"
    assert b"\x89PNG and more" in upload.raw
    assert 'filename="报告.png"'.encode() in upload.raw
    sent = [body["image"]["media_id"] for body in wecom.bodies("kf/send_msg")]
    assert sent == [MEDIA.vendor_ref] * 2
    (key,) = [key for key in memory.cache.values if "wecom.media" in key]
    assert 2 * 86400 < (memory.cache.ttls[key] or 0) < 3 * 86400


async def test_an_expired_media_id_is_uploaded_again_once(
    kf: WeComKf, wecom: FakeWeCom, picture: Image
) -> None:
    expired = {"errcode": 40007, "errmsg": "invalid media_id"}
    wecom.defaults["media/upload"] = payload("media_upload_response.json")
    wecom.will_answer("kf/send_msg", expired)
    await kf.send(message(picture))
    assert len(wecom.called("media/upload")) == 2
    wecom.will_answer("kf/send_msg", expired, expired)
    with pytest.raises(Rejected):
        await kf.send(message(picture))
    wecom.will_answer("kf/send_msg", expired)
    with pytest.raises(Rejected):
        await kf.send(message(Image(media=MEDIA)))


async def test_a_file_that_the_platform_would_refuse_is_not_uploaded(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    for data in (b"tiny", b"x" * (2 * 1024 * 1024 + 1)):
        attachment = await memory.files.store(data, name="v.amr")
        with pytest.raises(Rejected):
            await kf.send(message(Voice(media=Media(attachment_id=attachment))))
    assert not wecom.called("media/upload")
    with pytest.raises(Rejected):
        await kf.send(message(Image(media=Media())))


async def test_a_customers_file_is_fetched_with_its_name(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer(
        "media/get",
        web.Response(
            body=b"%PDF",
            content_type="application/pdf",
            headers={"Content-Disposition": "attachment; filename*=UTF-8''%E5%90%88%E5%90%8C.pdf"},
        ),
    )
    found = await kf.download(MEDIA)
    assert (found.data, found.name, found.mime) == (b"%PDF", "合同.pdf", "application/pdf")
    assert wecom.called("media/get")[0].query["media_id"] == MEDIA.vendor_ref
    wecom.will_answer("media/get", web.Response(body=b"again"))
    assert await kf.fetch(MEDIA) == b"again"


async def test_an_oversized_or_unknown_file_is_refused(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer("media/get", web.Response(body=b"x" * (20 * 1024 * 1024 + 1)))
    with pytest.raises(Rejected):
        await kf.fetch(MEDIA)
    with pytest.raises(Rejected):
        await kf.fetch(Media(attachment_id="a"))


# --- codes ---------------------------------------------------------------------------------------


async def test_a_welcome_goes_with_its_code(kf: WeComKf, wecom: FakeWeCom) -> None:
    receipt = await kf.send(
        OutboundMessage(
            CUSTOMER,
            "wel_20260101_0001",
            Text(text="您好，欢迎咨询！请直接描述您的问题。"),
            event_code="WELCOMECODE_DEMO_0001",
            code_expires_at=NOW + timedelta(seconds=1),
        )
    )
    assert wecom.bodies("kf/send_msg_on_event") == [payload("kf_send_on_event_welcome.json")]
    assert receipt.facts == {"by": "code"}
    assert not wecom.called("kf/send_msg")


async def test_a_code_past_its_time_is_not_tried(kf: WeComKf, wecom: FakeWeCom) -> None:
    await kf.send(message(Text(text="a"), event_code="C", code_expires_at=NOW))
    assert not wecom.called("kf/send_msg_on_event")
    assert len(wecom.called("kf/send_msg")) == 1


async def test_a_refused_code_falls_back_to_an_ordinary_message(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer("kf/send_msg_on_event", {"errcode": 41050, "errmsg": "used"})
    await kf.send(message(Text(text="a"), event_code="C"))
    assert wecom.bodies("kf/send_msg")[0]["text"] == {"content": "a"}


async def test_an_unreachable_platform_keeps_the_code_for_the_next_try(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer("kf/send_msg_on_event", web.Response(status=502))
    with pytest.raises(RetryLater):
        await kf.send(message(Text(text="a"), event_code="C"))
    assert not wecom.called("kf/send_msg")


async def test_what_does_not_fit_a_code_follows_plainly(kf: WeComKf, wecom: FakeWeCom) -> None:
    menu = Menu(
        head="您好", items=tuple(MenuItem(id=f"i{n}", label=f"第{n}项") for n in range(12))
    )
    await kf.send(message(menu, event_code="C"))
    (by_code,) = wecom.bodies("kf/send_msg_on_event")
    (plain,) = wecom.bodies("kf/send_msg")
    assert len(by_code["msgmenu"]["list"]) == 10
    assert len(plain["msgmenu"]["list"]) == 2
    assert plain["msgid"] == "out_20260101_0001-p2"


# --- recall --------------------------------------------------------------------------------------


async def test_a_recall_is_behind_a_setting(
    kf: WeComKf, wecom: FakeWeCom, wecom_settings: WeComSettings, memory: MemoryServices
) -> None:
    command = RecallCommand(CUSTOMER, "cmd1", "out1")
    assert kf.capabilities.can_recall
    await kf.send(command)
    assert wecom.bodies("kf/recall_msg") == [{"msgid": "out1", "open_kfid": CUSTOMER.account}]
    off = WeComKf(wecom_settings.model_copy(update={"can_recall": False}), memory.services)
    assert not off.capabilities.can_recall
    with pytest.raises(Rejected):
        await off.send(command)
    assert len(wecom.called("kf/recall_msg")) == 1


# --- people --------------------------------------------------------------------------------------


async def test_a_profile_is_read_where_the_platform_tells_it(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.defaults["kf/customer/batchget"] = payload("kf_customer_batchget_response.json")
    found = await kf.profile(CUSTOMER.account, CUSTOMER.user)
    assert found is not None
    assert (found.nickname, found.gender, found.union_id) == ("王小明", 1, "oDemoUnionId0001")
    assert await kf.profile(CUSTOMER.account, "wmDEMOAAAAcust00000000000000002") is None
