"""The real adapter over the sandbox's real HTTP, on good days and on bad ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from aiohttp import web

from channels.errors import RetryLater, WindowClosed, WrongState
from channels.testing import MemoryServices
from channels.update import (
    DeliveryFailed,
    HandoverChanged,
    MenuChosen,
    MessageReceived,
    SessionEntered,
)
from channels.wecom.config import WeComSettings
from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, running_sandbox
from channels.wecom_kf.adapter import WeComKf
from core.content import Address, Image, Media, Menu, MenuItem, Text, plain_text
from core.ports import HandoverCommand, OutboundMessage

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@dataclass
class Desk:
    """The product's side: the adapter with memory behind it."""

    channel: WeComKf
    memory: MemoryServices

    def address(self, customer: CustomerPhone) -> Address:
        return Address("wecom_kf", customer.open_kfid, customer.external_userid)

    async def say(self, customer: CustomerPhone, text: str, message_id: str) -> None:
        message = OutboundMessage(self.address(customer), message_id, Text(text=text))
        await self.channel.send(message)

    async def insist(self, customer: CustomerPhone, text: str, message_id: str) -> None:
        """As the outbox does: again and again with the same id while there is doubt."""
        with suppress(RetryLater):
            return await self.say(customer, text, message_id)
        return await self.insist(customer, text, message_id)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox(demo.demo_seed()) as sandbox:
        await sandbox.settings(callback_retry_s=0.01, empty_page_every=3)
        yield sandbox


@pytest.fixture
async def desk(sandbox: Sandbox) -> AsyncIterator[Desk]:
    settings = WeComSettings.model_validate(
        {
            "api_base": sandbox.base_url,
            "corp_id": demo.CORP_ID,
            "app": {
                "agent_id": demo.AGENT_ID,
                "secret": demo.APP_SECRET,
                "token": demo.CALLBACK_TOKEN,
                "aes_key": demo.CALLBACK_AES_KEY,
            },
            "poll_interval_s": 0.2,
            "rate_limit_wait_s": 0.05,
        }
    )
    memory = MemoryServices()
    channel = WeComKf(settings, memory.services)
    app = web.Application()
    app.add_routes(channel.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback/wecom/kf"
    await sandbox.set_callback(demo.AGENT_ID, url=url)
    assert await sandbox.check_callback(demo.AGENT_ID)
    receiving = asyncio.ensure_future(channel.run())
    yield Desk(channel, memory)
    receiving.cancel()
    with suppress(asyncio.CancelledError):
        await receiving
    await channel.close()
    await runner.cleanup()


async def test_a_conversation_goes_both_ways_with_welcome_menu_file_and_rating(
    desk: Desk, sandbox: Sandbox
) -> None:
    customer = sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)
    address = desk.address(customer)
    await customer.enters("website", "from=home")
    (entered,) = await desk.memory.intake.received(1)
    assert isinstance(entered, SessionEntered)
    assert (entered.scene, entered.scene_param) == ("website", "from=home")
    menu = Menu(head="欢迎", items=(MenuItem(id="faq:1", label="如何登录"),))
    await desk.channel.send(OutboundMessage(address, "m1", menu, event_code=entered.welcome_code))
    await customer.clicks("如何登录")
    chosen = (await desk.memory.intake.received(2))[-1]
    assert isinstance(chosen, MenuChosen)
    await customer.uploads("image", "截图.png", PNG)
    received = (await desk.memory.intake.received(3))[-1]
    assert isinstance(received, MessageReceived)
    assert isinstance(received.content, Image)
    stored = await desk.memory.files.store(PNG, name="答复.png")
    media = Media(attachment_id=stored, name="答复.png", mime="image/png")
    await desk.channel.send(OutboundMessage(address, "m2", Image(media=media)))
    assert (await customer.hears("答复.png")).msgtype == "image"
    farewell = Menu(head="请评价", items=(MenuItem(id="rate:5", label="满意"),))
    ended = HandoverCommand(address, "h1", "ended", farewell=farewell)
    assert (await desk.channel.send(ended)).facts["farewell"] == "sent"
    await customer.clicks("满意")
    await desk.memory.intake.received(4)


async def test_native_mode_mirrors_the_servicer_and_refuses_our_own_words(
    desk: Desk, sandbox: Sandbox
) -> None:
    customer = sandbox.customer("wmDemoCustomer0000000000000002", demo.CDC_ACCOUNT)
    chenjing = sandbox.servicer("chenjing")
    await customer.says("转人工")
    await desk.memory.intake.received(1)
    await desk.channel.send(HandoverCommand(desk.address(customer), "h1", "queued"))
    await chenjing.picks(customer)
    await chenjing.replies(customer, "您好")
    _, accepted, said = await desk.memory.intake.received(3)
    assert isinstance(accepted, HandoverChanged)
    assert (accepted.change, accepted.new_servicer_ref) == ("accepted", "chenjing")
    assert isinstance(said, MessageReceived)
    assert (said.sender, said.servicer_ref) == ("servicer", "chenjing")
    with pytest.raises(WrongState):
        await desk.say(customer, "插话", "m1")


async def test_the_reply_window_and_failed_deliveries_are_told(
    desk: Desk, sandbox: Sandbox
) -> None:
    customer = sandbox.customer("wmDemoCustomer0000000000000003", demo.CDC_ACCOUNT)
    await customer.says("你好")
    await desk.memory.intake.received(1)
    await sandbox.fault("send_fail", fail_type=13, times=1)
    for number in range(5):
        await desk.say(customer, f"{number}", f"m{number}")
    with pytest.raises(WindowClosed):
        await desk.say(customer, "太多", "m5")
    failed = (await desk.memory.intake.received(2))[-1]
    assert isinstance(failed, DeliveryFailed)
    assert failed.message_id == "m0"
    assert await customer.heard() == ["1", "2", "3", "4"]


async def test_nothing_is_lost_doubled_or_out_of_order_on_a_bad_day(
    desk: Desk, sandbox: Sandbox
) -> None:
    people = [await sandbox.add_customer(f"客户{n}", demo.CDC_ACCOUNT) for n in range(10)]
    await sandbox.fault("callback_duplicate", rate=0.1)
    await sandbox.fault("callback_lost", rate=0.1)
    await sandbox.fault("pull_repeat", rate=0.3)
    await sandbox.fault("pull_shuffle", rate=0.3)
    await sandbox.fault("errcode", api="kf/sync_msg", errcode=45009, rate=0.1)
    await sandbox.fault("drop_after", api="kf/sync_msg", rate=0.05)
    await sandbox.fault("drop_after", api="kf/send_msg", times=3)

    async def talk(person: CustomerPhone) -> None:
        for number in range(6):
            await person.says(f"{number}")
            if number == 3:
                await sandbox.expire_tokens()

    await asyncio.gather(*(talk(person) for person in people))
    updates = await desk.memory.intake.received(60)
    for person in people:
        mine = [u for u in updates if u.address.user == person.external_userid]
        said = [plain_text(u.content) for u in mine if isinstance(u, MessageReceived)]
        assert said == ["0", "1", "2", "3", "4", "5"]
        await desk.insist(person, "收到", f"r{person.external_userid[-20:]}")
        assert await person.heard() == ["收到"]
