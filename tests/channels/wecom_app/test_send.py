from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from channels.errors import Rejected, RetryLater
from channels.testing import MemoryServices
from channels.wecom.config import WeComSettings
from channels.wecom_app.compose import compose_card
from channels.wecom_app.menu import MenuButton
from core.content import Address, Content, File, Image, Link, Location, Media, Text
from core.ports import (
    CardButton,
    CardMessage,
    CardUpdate,
    HandoverCommand,
    OutboundMessage,
    RecallCommand,
    Receipt,
)
from tests.channels.fake_wecom import FakeWeCom, payload
from tests.channels.wecom_app.harness import AppHarness

TWO = Address("wecom_app", "1000002", "zhangsan|lisi")
CARD = CardMessage(
    TWO,
    "m1",
    task_id="ticket_1001@1",
    title="新的人工请求",
    subtitle="订单还没有收到",
    lines=(("渠道", "网站帮助页"), ("客户", "王小明")),
    buttons=(
        CardButton("take_1001", "我来接待", "primary"),
        CardButton("pass_1001", "转给同事"),
    ),
)


@pytest.fixture
async def app(
    wecom: FakeWeCom, wecom_settings: WeComSettings, memory: MemoryServices
) -> AsyncIterator[AppHarness]:
    harness = AppHarness(wecom, wecom_settings, memory)
    yield harness
    await harness.channel.close()


async def test_a_text_goes_to_its_members(app: AppHarness) -> None:
    receipt = await app.channel.send(OutboundMessage(TWO, "m1", Text(text="日报")))
    assert receipt.vendor_id == "MSGID"
    assert app.wecom.bodies("message/send") == [
        {
            "touser": "zhangsan|lisi",
            "agentid": 1000002,
            "msgtype": "text",
            "text": {"content": "日报"},
        }
    ]


@pytest.mark.parametrize(
    ("content", "msgtype", "body"),
    [
        (Image(media=Media(vendor_ref="m")), "image", {"media_id": "m"}),
        (File(media=Media(vendor_ref="m")), "file", {"media_id": "m"}),
        (Location(latitude=1, longitude=2, name="门店"), "text", {"content": "[位置]门店"}),
        (
            Link(
                title="工单", url="https://k.example", description="1001", picture_url="https://p"
            ),
            "news",
            {
                "articles": [
                    {
                        "title": "工单",
                        "description": "1001",
                        "url": "https://k.example",
                        "picurl": "https://p",
                    }
                ]
            },
        ),
    ],
)
async def test_a_content_goes_as_what_it_is(
    app: AppHarness, content: Content, msgtype: str, body: dict[str, object]
) -> None:
    await app.channel.send(OutboundMessage(TWO, "m1", content))
    (sent,) = app.wecom.bodies("message/send")
    assert (sent["msgtype"], sent[msgtype]) == (msgtype, body)


async def test_markdown_goes_as_markdown(app: AppHarness) -> None:
    await app.channel.send(OutboundMessage(TWO, "m1", Text(text="**好**"), is_markdown=True))
    (sent,) = app.wecom.bodies("message/send")
    assert (sent["msgtype"], sent["markdown"]) == ("markdown", {"content": "**好**"})


async def test_a_card_has_the_shape_of_the_fixture(app: AppHarness) -> None:
    app.wecom.will_answer("message/send", payload("app_send_response_card.json"))
    receipt = await app.channel.send(CARD)
    assert receipt.facts == {"response_code": "RESPONSECODE_DEMO_0001"}
    (sent,) = app.wecom.bodies("message/send")
    wanted = payload("app_send_card_button_interaction.json")
    card, like = sent.pop("template_card"), wanted.pop("template_card")
    assert sent == wanted
    for name in ("card_type", "task_id", "button_list", "sub_title_text"):
        assert card[name] == like[name]
    assert card["main_title"]["title"] == like["main_title"]["title"]
    assert card["horizontal_content_list"][0] == like["horizontal_content_list"][0]


def test_a_card_without_buttons_opens_a_page_or_is_markdown() -> None:
    plain = CardMessage(TWO, "m1", "t", "超时预警", lines=(("工单", "1001"),))
    assert compose_card(plain) == {
        "msgtype": "markdown",
        "markdown": {"content": "**超时预警**\n> 工单：1001"},
    }
    opening = CardMessage(TWO, "m1", "t", "超时预警", url="https://k.example")
    card = compose_card(opening)["template_card"]
    assert isinstance(card, dict)
    assert card["card_type"] == "text_notice"
    assert card["card_action"] == {"type": 1, "url": "https://k.example"}


async def test_a_card_is_closed_for_all_as_the_fixture_shows(app: AppHarness) -> None:
    app.wecom.will_answer("message/update_template_card", payload("app_update_card_response.json"))
    update = CardUpdate(TWO, "c1", "RESPONSECODE_DEMO_0002", "张三已接待", ("zhangsan", "lisi"))
    receipt = await app.channel.send(update)
    assert receipt.facts == {"invalid_users": "wangwu"}
    bodies = app.wecom.bodies("message/update_template_card")
    assert bodies == [payload("app_update_card_button_request.json")]


async def test_invalid_receivers_are_told_and_all_invalid_is_a_refusal(app: AppHarness) -> None:
    app.wecom.will_answer("message/send", payload("app_send_response_partly_invalid.json"))
    receipt = await app.channel.send(OutboundMessage(TWO, "m1", Text(text="a")))
    assert receipt.facts == {"invalid_users": "lisi|wangwu"}
    app.wecom.will_answer("message/send", payload("app_send_error_81013.json"))
    with pytest.raises(Rejected):
        await app.channel.send(OutboundMessage(TWO, "m2", Text(text="a")))


async def test_only_a_retry_is_checked_for_duplicates(app: AppHarness) -> None:
    app.wecom.will_answer("message/send", {"errcode": 6000, "errmsg": "conflict"})
    message = OutboundMessage(TWO, "m1", Text(text="a"))
    with pytest.raises(RetryLater):
        await app.channel.send(message)
    await app.channel.send(message)
    await app.channel.send(message)
    first, second = app.wecom.bodies("message/send")
    assert "enable_duplicate_check" not in first
    assert (second["enable_duplicate_check"], second["duplicate_check_interval"]) == (1, 1800)


async def test_a_card_whose_answer_got_lost_is_not_a_failure(app: AppHarness) -> None:
    used = {"errcode": 42014, "errmsg": "task_id used before"}
    app.wecom.will_answer("message/send", used)
    with pytest.raises(Rejected):
        await app.channel.send(replace(CARD, message_id="other"))
    app.wecom.will_answer("message/send", {"errcode": 6000, "errmsg": "conflict"})
    with pytest.raises(RetryLater):
        await app.channel.send(CARD)
    app.wecom.will_answer("message/send", used)
    assert await app.channel.send(CARD) == Receipt()


async def test_an_expired_file_is_uploaded_again(app: AppHarness) -> None:
    attachment = await app.memory.files.store(b"picture", name="a.png")
    app.wecom.defaults["media/upload"] = payload("media_upload_response.json")
    app.wecom.will_answer("message/send", {"errcode": 40007, "errmsg": "invalid media_id"})
    image = Image(media=Media(attachment_id=attachment))
    await app.channel.send(OutboundMessage(TWO, "m1", image))
    assert len(app.wecom.called("media/upload")) == 2
    app.wecom.will_answer("message/send", {"errcode": 40007, "errmsg": "invalid media_id"})
    with pytest.raises(Rejected):
        await app.channel.send(OutboundMessage(TWO, "m2", Image(media=Media(vendor_ref="x"))))


async def test_a_message_is_recalled_with_the_id_of_the_platform(app: AppHarness) -> None:
    await app.channel.send(RecallCommand(TWO, "c1", "m1", "MSGID_APP_0001"))
    assert app.wecom.bodies("message/recall") == [payload("app_recall_request.json")]
    with pytest.raises(Rejected):
        await app.channel.send(RecallCommand(TWO, "c2", "m1"))


async def test_an_app_has_no_sessions_to_hand_over(app: AppHarness) -> None:
    with pytest.raises(Rejected):
        await app.channel.send(HandoverCommand(TWO, "c1", "ended"))


async def test_the_menu_has_the_shape_of_the_fixture(app: AppHarness) -> None:
    await app.channel.create_menu(
        (
            MenuButton("今日数据", key="today_stats"),
            MenuButton(
                "工单",
                children=(
                    MenuButton("我的工单", url="https://kf.example.com/mine"),
                    MenuButton("开始接待", key="go_online"),
                ),
            ),
        )
    )
    (call,) = app.wecom.called("menu/create")
    assert call.body == payload("app_menu_create_request.json")
    assert call.query["agentid"] == "1000002"
