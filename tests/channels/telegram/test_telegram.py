import asyncio
from collections.abc import AsyncIterator

import pytest

from channels.errors import BadCredentials, ChannelError, Rejected, RetryLater
from channels.telegram.config import TelegramSettings
from channels.testing import MemoryServices
from channels.update import MenuChosen, MessageReceived, UnknownEvent
from core.content import (
    Content,
    File,
    Image,
    Location,
    Media,
    Menu,
    MenuItem,
    Text,
    Unsupported,
    Video,
    Voice,
)
from core.ports import OutboundMessage, RecallCommand
from tests.channels.telegram.harness import FakeBotApi, Json, TelegramHarness
from tests.waiting import stop, until

FILE = {"file_id": "f1", "file_unique_id": "u1", "file_size": 9}


@pytest.fixture
async def bot(bot_api: FakeBotApi, memory: MemoryServices) -> AsyncIterator[TelegramHarness]:
    harness = TelegramHarness(bot_api, memory)
    yield harness
    await harness.channel.close()


def failure(code: int, words: str, **parameters: int) -> tuple[int, Json]:
    body = {"ok": False, "error_code": code, "description": words, "parameters": parameters}
    return code, body


CONTENTS: list[tuple[Json, Content]] = [
    ({"text": "你好"}, Text(text="你好")),
    (
        {
            "photo": [
                {**FILE, "file_id": "s", "width": 1, "height": 1},
                {**FILE, "width": 9, "height": 9},
            ]
        },
        Image(media=Media(vendor_ref="f1", size=9)),
    ),
    (
        {"voice": {**FILE, "duration": 1, "mime_type": "audio/ogg"}},
        Voice(media=Media(vendor_ref="f1", mime="audio/ogg", size=9)),
    ),
    (
        {"video": {**FILE, "width": 1, "height": 1, "duration": 1, "mime_type": "video/mp4"}},
        Video(media=Media(vendor_ref="f1", mime="video/mp4", size=9)),
    ),
    (
        {"document": {**FILE, "file_name": "合同.pdf", "mime_type": "application/pdf"}},
        File(media=Media(vendor_ref="f1", name="合同.pdf", mime="application/pdf", size=9)),
    ),
    (
        {"location": {"latitude": 23.5, "longitude": 113.25}},
        Location(latitude=23.5, longitude=113.25),
    ),
]


@pytest.mark.parametrize(("fields", "content"), CONTENTS)
async def test_a_message_is_understood(
    bot: TelegramHarness, fields: Json, content: Content
) -> None:
    bot.will_bring(message=bot.message(**fields))
    await bot.channel.receive()
    (update,) = bot.memory.intake.updates
    assert isinstance(update, MessageReceived)
    assert update.content == content


async def test_what_is_not_understood_is_kept(bot: TelegramHarness) -> None:
    bot.will_bring(message=bot.message(dice={"emoji": "🎲", "value": 3}))
    bot.will_bring(edited_message=bot.message(text="edited"))
    await bot.channel.receive()
    message, event = bot.memory.intake.updates
    assert isinstance(message, MessageReceived)
    assert isinstance(message.content, Unsupported)
    assert "dice" in message.content.raw
    assert isinstance(event, UnknownEvent)
    assert "edited" in event.raw


async def test_the_offset_moves_with_what_was_stored(bot: TelegramHarness) -> None:
    for text in ("一", "二", "三"):
        bot.will_bring(message=bot.message(text=text))
    assert await bot.channel.receive() == 3
    assert bot.memory.intake.cursors == {"telegram.updates:123": "103"}
    restarted = TelegramHarness(bot.api, bot.memory)
    assert await restarted.channel.receive() == 0
    assert [body.get("offset") for body in bot.api.called("getUpdates")] == [None, "103"]
    await restarted.channel.close()


async def test_a_menu_is_pressed_and_understood(bot: TelegramHarness) -> None:
    menu = Menu(
        head="请选择",
        items=(
            MenuItem(id="faq:1", label="物流"),
            MenuItem(kind="view", label="帮助", url="https://h.example"),
            MenuItem(kind="text", label="或直接提问"),
        ),
    )
    await bot.channel.send(OutboundMessage(bot.address, "m1", menu))
    assert bot.shown() == ["请选择\n或直接提问"]
    rows = bot.keyboard(0)
    assert rows == [
        [{"text": "物流", "callback_data": "faq:1"}],
        [{"text": "帮助", "url": "https://h.example"}],
    ]
    shown = bot.message(text="请选择", reply_markup={"inline_keyboard": rows})
    query = {"id": "q", "from": shown["from"], "chat_instance": "c", "data": "faq:1"}
    bot.will_bring(callback_query={**query, "message": shown})
    await bot.channel.receive()
    (update,) = bot.memory.intake.updates
    assert isinstance(update, MenuChosen)
    assert (update.menu_id, update.text, update.address) == ("faq:1", "物流", bot.address)
    assert bot.api.called("answerCallbackQuery") == [{"callback_query_id": "q"}]


@pytest.mark.parametrize(
    ("content", "method"),
    [
        (Image(media=Media(attachment_id="a", name="a.png")), "sendPhoto"),
        (Voice(media=Media(attachment_id="a")), "sendVoice"),
        (Video(media=Media(attachment_id="a")), "sendVideo"),
        (File(media=Media(attachment_id="a", name="a.pdf")), "sendDocument"),
        (Location(latitude=1, longitude=2), "sendLocation"),
    ],
)
async def test_a_file_is_sent_as_what_it_is(
    bot: TelegramHarness, content: Content, method: str
) -> None:
    bot.memory.files.stored["a"] = b"bytes"
    await bot.channel.send(OutboundMessage(bot.address, "m1", content))
    (body,) = bot.api.called(method)
    assert body["chat_id"] == "77"
    assert method == "sendLocation" or b"bytes" in body.values()


async def test_a_file_is_fetched(bot: TelegramHarness) -> None:
    bot.api.files["f1"] = b"%PDF"
    assert await bot.channel.fetch(Media(vendor_ref="f1")) == b"%PDF"
    with pytest.raises(Rejected):
        await bot.channel.fetch(Media(attachment_id="a"))


async def test_a_message_is_recalled_by_the_id_that_telegram_gave(bot: TelegramHarness) -> None:
    receipt = await bot.channel.send(OutboundMessage(bot.address, "m1", Text(text="a")))
    await bot.channel.send(RecallCommand(bot.address, "c1", "m1", receipt.vendor_id))
    assert bot.api.called("deleteMessage") == [{"chat_id": "77", "message_id": receipt.vendor_id}]
    with pytest.raises(Rejected):
        await bot.channel.send(RecallCommand(bot.address, "c2", "m1"))


@pytest.mark.parametrize(
    ("answer", "error", "wait_s"),
    [
        (failure(401, "Unauthorized"), BadCredentials, None),
        (failure(403, "Forbidden: bot was blocked by the user"), Rejected, None),
        (failure(400, "Bad Request: chat not found"), Rejected, None),
        (failure(429, "Too Many Requests: retry after 7", retry_after=7), RetryLater, 7),
        (failure(409, "Conflict: terminated by other getUpdates request"), RetryLater, None),
        (failure(500, "Internal"), RetryLater, None),
    ],
)
async def test_a_refusal_becomes_an_error_of_ours(
    bot: TelegramHarness, answer: tuple[int, Json], error: type[ChannelError], wait_s: float | None
) -> None:
    bot.api.failure = answer
    with pytest.raises(error) as caught:
        await bot.channel.send(OutboundMessage(bot.address, "m1", Text(text="a")))
    assert caught.value.retry_after_s == wait_s
    bot.api.failure = None
    await bot.channel.send(OutboundMessage(bot.address, "m1", Text(text="a")))


async def test_the_loop_outlives_a_broken_line_and_unreadable_updates(
    bot: TelegramHarness, caplog: pytest.LogCaptureFixture
) -> None:
    bot.will_bring(message={"no": "message"})
    task = asyncio.create_task(bot.channel.run())
    await until(lambda: "unreadable updates" in caplog.text)
    assert not task.done()
    await stop(task)
    bot.cut_the_line()
    with pytest.raises(RetryLater):
        await bot.channel.receive()
    with pytest.raises(RetryLater):
        await bot.channel.accounts()


async def test_the_bot_knows_its_name(bot: TelegramHarness) -> None:
    (info,) = await bot.channel.accounts()
    assert (info.account, info.name) == ("123", "问渠")


def test_without_a_token_it_is_not_configured() -> None:
    assert not TelegramSettings().is_configured
    assert TelegramSettings.model_validate({"token": "1:a"}).is_configured
