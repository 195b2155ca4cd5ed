from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.testing import MemoryServices
from channels.update import (
    AppMenuPressed,
    CardPressed,
    MessageReceived,
    UnknownEvent,
    Update,
    from_inbox,
    to_inbox,
)
from channels.wecom.app_events import app_update
from channels.wecom.callback import KF_PULL, KfSignal
from channels.wecom.config import WeComSettings
from channels.wecom.crypto import parse_xml
from channels.wecom.fields import Fields
from core.content import Address, Content, Image, Link, Location, Media, Text, Video, Voice
from tests.channels.fake_wecom import PAYLOADS, FakeWeCom
from tests.channels.wecom_app.harness import AppHarness

MEDIA = Media(vendor_ref="3demoMediaIdAAAABBBBCCCCDDDDEEEEFFFF0001")


def update(name: str) -> Update:
    text = (PAYLOADS / f"cb_app_{name}.xml").read_text()
    return app_update(Fields(parse_xml(text)))


def head(update_id: str, member: str = "zhangsan") -> dict[str, Any]:
    return {
        "update_id": update_id,
        "address": Address("wecom_app", "1000002", member),
        "occurred_at": datetime.fromtimestamp(1767229200, UTC),
    }


CONTENTS: dict[str, Content] = {
    "text": Text(text="今天的数据"),
    "image": Image(media=MEDIA),
    "voice": Voice(media=MEDIA),
    "video": Video(media=MEDIA),
    "location": Location(latitude=23.134, longitude=113.358, address="广州市海珠区示例路1号"),
    "link": Link(
        title="退换货说明",
        url="https://help.example.com/return",
        description="七天无理由",
        picture_url="https://help.example.com/r.png",
    ),
}

EVENTS: dict[str, Update] = {
    "event_click": AppMenuPressed(
        **head("zhangsan:1767229200:click::today_stats::::"), key="today_stats"
    ),
    "event_enter_agent": AppMenuPressed(
        **head("zhangsan:1767229200:enter_agent::::::"), key="enter"
    ),
    "event_template_card_button": CardPressed(
        **head(
            "zhangsan:1767229200:template_card_event::take_1001:ticket_1001@1::::RESPONSECODE_DEMO_0002"
        ),
        task_id="ticket_1001@1",
        button="take_1001",
        response_code="RESPONSECODE_DEMO_0002",
    ),
    "event_template_card_menu": CardPressed(
        **head(
            "zhangsan:1767229200:template_card_menu_event::mute_1001:ticket_1001@1::::RESPONSECODE_DEMO_0005"
        ),
        task_id="ticket_1001@1",
        button="mute_1001",
        response_code="RESPONSECODE_DEMO_0005",
    ),
    "event_template_card_multiple": CardPressed(
        **head(
            "zhangsan:1767229200:template_card_event::set_1001:ticket_1001@2::::RESPONSECODE_DEMO_0003"
        ),
        task_id="ticket_1001@2",
        button="set_1001",
        response_code="RESPONSECODE_DEMO_0003",
        selected={"prio": "high", "team": "ship"},
    ),
    "event_template_card_vote": CardPressed(
        **head(
            "zhangsan:1767229200:template_card_event::daily_submit:daily_20260101::::RESPONSECODE_DEMO_0004"
        ),
        task_id="daily_20260101",
        button="daily_submit",
        response_code="RESPONSECODE_DEMO_0004",
        selected={"q_issue": "slow,quality"},
    ),
}

KEPT = {
    "event_location": "LOCATION",
    "event_low_active_alert": "low_active_alert",
    "event_subscribe": "subscribe",
    "event_unsubscribe": "unsubscribe",
    "event_view": "view",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_message_of_a_member_says_what_the_fixture_says(name: str) -> None:
    assert update(name) == MessageReceived(
        **head("7300000000000000001"),
        message_id="7300000000000000001",
        content=CONTENTS[name],
        sender="servicer",
        servicer_ref="zhangsan",
    )


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_means_what_the_fixture_says(name: str) -> None:
    assert update(name) == EVENTS[name]


@pytest.mark.parametrize("name", KEPT)
def test_other_events_are_kept(name: str) -> None:
    found = update(name)
    assert isinstance(found, UnknownEvent)
    assert found.kind == KEPT[name]
    assert "1767229200" in found.raw


def test_every_fixture_of_the_app_has_a_test() -> None:
    found = {path.stem.removeprefix("cb_app_") for path in PAYLOADS.glob("cb_app_*.xml")}
    assert found == CONTENTS.keys() | EVENTS.keys() | KEPT.keys()


def test_an_unknown_message_type_is_kept() -> None:
    found = app_update(Fields({"MsgType": "hologram", "MsgId": "1", "FromUserName": "u"}))
    assert isinstance(found, UnknownEvent)
    assert found.kind == "hologram"


def test_two_presses_within_one_second_are_two() -> None:
    press = {"MsgType": "event", "Event": "template_card_event", "EventKey": "a", "TaskId": "t"}
    first, again, second = (
        app_update(Fields({**press, "CreateTime": "1", "ResponseCode": code}))
        for code in ("RC1", "RC1", "RC2")
    )
    assert first.update_id == again.update_id
    assert first.update_id != second.update_id


def test_a_long_event_key_still_makes_a_key_that_the_inbox_takes() -> None:
    long = Fields({"MsgType": "event", "Event": "click", "EventKey": "键" * 1024})
    item = to_inbox(app_update(long))
    assert len(item.dedupe_key) <= 200
    assert from_inbox(item.payload) == app_update(long)


@pytest.fixture
async def app(
    wecom: FakeWeCom, wecom_settings: WeComSettings, memory: MemoryServices
) -> AsyncIterator[AppHarness]:
    harness = AppHarness(wecom, wecom_settings, memory)
    yield harness
    await harness.channel.close()


async def test_a_card_pressed_twice_in_a_retry_is_stored_once(app: AppHarness) -> None:
    document = (PAYLOADS / "cb_app_event_template_card_button.xml").read_text()
    assert [await app.post(document), await app.post(document)] == [200, 200]
    assert len(app.memory.intake.items) == 1


async def test_a_kf_event_on_the_app_path_wakes_the_puller(app: AppHarness) -> None:
    assert await app.post((PAYLOADS / "cb_kf_msg_or_event.xml").read_text()) == 200
    signal = KfSignal(
        account="wkDEMOAAAAkf0000000000000000001", token="ENCDemoTokenFromCallback0001"
    )
    assert app.memory.wake.sent == [(KF_PULL, signal.model_dump_json())]
    assert not app.memory.intake.items
