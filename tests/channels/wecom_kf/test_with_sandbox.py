"""The adapter against the sandbox, over real HTTP in both directions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from channels.errors import WindowClosed, WrongState
from channels.testing import MemoryServices
from channels.update import (
    HandoverChanged,
    MenuChosen,
    MessageRecalled,
    MessageReceived,
    SessionEntered,
    Update,
)
from channels.wecom.config import WeComSettings
from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, running_sandbox
from channels.wecom_kf.adapter import WeComKf
from core.content import Image, Media, Menu, MenuItem, Text, plain_text
from core.ports import HandoverCommand, OutboundMessage, RecallCommand
from tests.waiting import stop, until

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@dataclass
class Desk:
    """Our side: the adapter with its callback URL, and what it has stored."""

    kf: WeComKf
    memory: MemoryServices
    sandbox: Sandbox

    async def got(self, count: int) -> list[Update]:
        return await self.memory.intake.received(count)

    def words(self, customer: CustomerPhone) -> list[str]:
        return [
            plain_text(update.content)
            for update in self.memory.intake.updates
            if isinstance(update, MessageReceived)
            and update.address.user == customer.external_userid
        ]


@asynccontextmanager
async def serving(kf: WeComKf) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(kf.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback/wecom/kf"
    await runner.cleanup()


def settings_for(sandbox: Sandbox) -> WeComSettings:
    return WeComSettings.model_validate(
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
            "can_recall": True,
        }
    )


@pytest.fixture
async def desk(memory: MemoryServices) -> AsyncIterator[Desk]:
    async with running_sandbox(demo.demo_seed()) as sandbox:
        await sandbox.settings(callback_retry_s=0.01)
        kf = WeComKf(settings_for(sandbox), memory.services)
        async with serving(kf) as url:
            await sandbox.set_callback(demo.AGENT_ID, url=url)
            assert await sandbox.check_callback(demo.AGENT_ID)
            task = asyncio.create_task(kf.run())
            await until(lambda: len(memory.cache.values) >= 4)  # token and three accounts pulled
            yield Desk(kf, memory, sandbox)
            await stop(task)
        await kf.close()


@pytest.fixture
def customer(desk: Desk) -> CustomerPhone:
    return desk.sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)


async def test_a_consultation_from_the_welcome_to_a_menu_click(
    desk: Desk, customer: CustomerPhone
) -> None:
    assert await customer.enters(scene="cdc_website")
    (entered,) = await desk.got(1)
    assert isinstance(entered, SessionEntered)
    menu = Menu(head="您好，请选择", items=(MenuItem(id="human", label="转人工"),))
    await desk.kf.send(
        OutboundMessage(
            entered.address,
            "welcome1",
            menu,
            event_code=entered.welcome_code,
            code_expires_at=entered.code_expires_at,
        )
    )
    await customer.hears("您好，请选择")
    await customer.clicks("转人工")
    chosen = (await desk.got(2))[1]
    assert isinstance(chosen, MenuChosen)
    assert chosen.menu_id == "human"
    await desk.kf.send(OutboundMessage(entered.address, "out1", Text(text="好的")))
    await customer.hears("好的")
    profile = await desk.kf.profile(demo.CDC_ACCOUNT, customer.external_userid)
    assert profile is not None
    assert profile.nickname == "王建国"


async def test_pictures_go_both_ways_and_messages_are_recalled(
    desk: Desk, customer: CustomerPhone
) -> None:
    line = await customer.uploads("image", "现场.png", PNG)
    (update,) = await desk.got(1)
    assert isinstance(update, MessageReceived)
    assert isinstance(update.content, Image)
    assert (await desk.kf.download(update.content.media)).data == PNG
    await customer.recalls(line)
    recalled = (await desk.got(2))[1]
    assert isinstance(recalled, MessageRecalled)
    assert recalled.message_id == update.message_id
    attachment = await desk.memory.files.store(PNG, name="a.png")
    ours = Image(media=Media(attachment_id=attachment, name="说明.png", mime="image/png"))
    receipt = await desk.kf.send(OutboundMessage(update.address, "out1", ours))
    assert (await customer.hears()).msgtype == "image"
    await desk.kf.send(RecallCommand(update.address, "c1", "out1", receipt.vendor_id))
    assert (await customer.transcript())[-1].is_recalled


async def test_a_session_handed_to_a_servicer_is_mirrored_and_rated(
    desk: Desk, customer: CustomerPhone
) -> None:
    await customer.says("转人工")
    (first,) = await desk.got(1)
    chen = desk.sandbox.servicer("chenjing")
    welcome = Text(text="陈静为您服务")
    command = HandoverCommand(first.address, "h1", "servicer", "chenjing", welcome)
    receipt = await desk.kf.send(command)
    assert receipt.facts == {"state": "servicer", "farewell": "sent", "by": "code"}
    await customer.hears("陈静为您服务")
    with pytest.raises(WrongState):
        await desk.kf.send(OutboundMessage(first.address, "out1", Text(text="a")))
    await chen.replies(customer, "您好")
    await chen.ends(customer)
    _, reply, ended = await desk.got(3)
    assert isinstance(reply, MessageReceived)
    assert (reply.sender, reply.servicer_ref) == ("servicer", "chenjing")
    assert isinstance(ended, HandoverChanged)
    assert (ended.change, ended.old_servicer_ref) == ("ended", "chenjing")
    rating = Menu(head="请评价", items=(MenuItem(id="csat_1_5", label="满意"),))
    await desk.kf.send(
        OutboundMessage(first.address, "rate1", rating, event_code=ended.reply_code)
    )
    await customer.hears("请评价")
    await customer.clicks("满意")
    assert isinstance((await desk.got(4))[3], MenuChosen)


async def test_ending_by_command_sends_the_rating_menu(
    desk: Desk, customer: CustomerPhone
) -> None:
    await customer.says("转人工")
    (first,) = await desk.got(1)
    await desk.kf.send(HandoverCommand(first.address, "h1", "servicer", "chenjing"))
    rating = Menu(head="请评价", items=(MenuItem(id="csat_1_5", label="满意"),))
    command = HandoverCommand(first.address, "h2", "ended", farewell=rating)
    ended = {"state": "ended", "farewell": "sent", "by": "code"}
    assert (await desk.kf.send(command)).facts == ended
    await customer.hears("请评价")
    assert await customer.state() == 4
    again = await desk.kf.send(HandoverCommand(first.address, "h3", "ended"))
    assert again.facts == {"state": "ended"}


async def test_the_sixth_message_waits_for_the_customer(
    desk: Desk, customer: CustomerPhone
) -> None:
    await customer.says("在吗")
    (first,) = await desk.got(1)
    for number in range(5):
        await desk.kf.send(OutboundMessage(first.address, f"o{number}", Text(text=str(number))))
    sixth = OutboundMessage(first.address, "o5", Text(text="5"))
    with pytest.raises(WindowClosed) as caught:
        await desk.kf.send(sixth)
    assert caught.value.vendor_code == "95001"
    await customer.says("在")
    await desk.got(2)
    await desk.kf.send(sixth)
    assert await customer.heard() == ["0", "1", "2", "3", "4", "5"]


async def test_nothing_is_lost_or_doubled_while_the_platform_misbehaves(desk: Desk) -> None:
    sandbox = desk.sandbox
    customers = [
        sandbox.customer(f"wmDemoCustomer000000000000000{n}", demo.CDC_ACCOUNT)
        for n in range(1, 6)
    ]
    await sandbox.settings(empty_page_every=3)
    await sandbox.fault("callback_duplicate", rate=0.2)
    await sandbox.fault("callback_lost", rate=0.3)
    await sandbox.fault("pull_repeat", rate=0.3)
    await sandbox.fault("pull_shuffle", rate=0.5)
    await sandbox.fault("errcode", api="kf/sync_msg", rate=0.1, errcode=45009)
    await sandbox.fault("errcode", api="kf/sync_msg", rate=0.1, errcode=42001)
    await sandbox.fault("http", api="kf/sync_msg", rate=0.1, status=502)
    await sandbox.fault("drop_after", api="kf/sync_msg", rate=0.1)
    said = {customer.external_userid: [f"第{n}句" for n in range(8)] for customer in customers}
    for number in range(8):
        await asyncio.gather(*(customer.says(f"第{number}句") for customer in customers))
        if number == 4:
            await sandbox.expire_tokens()
    await desk.memory.intake.received(40)
    assert {c.external_userid: desk.words(c) for c in customers} == said
    assert len(desk.memory.intake.items) == 40


async def test_what_was_said_while_we_were_down_is_read_at_start(memory: MemoryServices) -> None:
    async with running_sandbox(demo.demo_seed()) as sandbox:
        customer = sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)
        await customer.says("有人吗")
        await customer.says("有人吗")
        for _ in range(2):  # the second start finds nothing new
            kf = WeComKf(settings_for(sandbox), memory.services)
            task = asyncio.create_task(kf.run())
            await memory.intake.received(2)
            await stop(task)
            await kf.close()
        assert len(memory.intake.items) == 2
