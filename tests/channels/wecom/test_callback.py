import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from channels.testing import MemoryServices
from channels.update import AccountsChanged, MessageReceived
from channels.wecom.callback import KF_PULL, KfSignal
from channels.wecom.config import WeComSettings
from channels.wecom.crypto import CallbackCrypto
from channels.wecom_kf.adapter import WeComKf
from core.content import Address, Text
from tests.channels.conftest import AES_KEY
from tests.channels.fake_wecom import PAYLOADS, FakeWeCom
from tests.waiting import stop, until

CORP = "ww1a2b3c4d5e6f7890"
ACCOUNT = "wkDEMOAAAAkf0000000000000000001"


class Platform:
    """WeCom's side of a callback: signs, encrypts, posts."""

    def __init__(self, url: str, session: ClientSession, receiver: str = CORP) -> None:
        self.url = url
        self.session = session
        self.crypto = CallbackCrypto("QDG6eK", AES_KEY, receiver)
        self.nonce = 0

    def sign(self, document: str) -> tuple[dict[str, str], str]:
        self.nonce += 1
        packet = self.crypto.encrypt(document, timestamp=1767229200, nonce=str(self.nonce))
        query = {"timestamp": packet.timestamp, "nonce": packet.nonce}
        return {**query, "msg_signature": packet.signature}, packet.encrypt

    async def post(self, name: str) -> int:
        return await self.post_signed(*self.sign((PAYLOADS / name).read_text()))

    async def post_signed(self, query: dict[str, str], encrypted: str) -> int:
        body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        return await self.post_raw(query, body.encode())

    async def post_raw(self, query: dict[str, str], body: bytes | io.BytesIO) -> int:
        async with self.session.post(self.url, params=query, data=body) as answer:
            self.answer = await answer.read()
            return answer.status


@pytest.fixture
async def platform(kf: WeComKf) -> AsyncIterator[Platform]:
    app = web.Application()
    app.add_routes(kf.routes())
    server = TestServer(app)
    await server.start_server()
    async with ClientSession() as session:
        yield Platform(str(server.make_url("/callback/wecom/kf")), session)
    await server.close()


async def test_the_url_check_is_answered_with_the_bare_echo(platform: Platform) -> None:
    query, echo = platform.sign("5927782489442352469")
    async with platform.session.get(platform.url, params={**query, "echostr": echo}) as answer:
        assert (answer.status, await answer.read()) == (200, b"5927782489442352469")
    bad = {**query, "echostr": echo, "nonce": "other"}
    async with platform.session.get(platform.url, params=bad) as answer:
        assert answer.status == 403


async def test_a_kf_callback_is_answered_without_pulling(
    platform: Platform, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    assert await platform.post("cb_kf_msg_or_event.xml") == 200
    assert platform.answer == b""
    assert not wecom.calls
    signal = KfSignal(account=ACCOUNT, token="ENCDemoTokenFromCallback0001")
    assert memory.wake.sent == [(KF_PULL, signal.model_dump_json())]


async def test_a_callback_is_answered_while_the_pull_of_this_process_hangs(
    platform: Platform, kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    async with memory.lock.hold(f"wecom_kf.sync:{ACCOUNT}"):  # another process is pulling
        task = asyncio.create_task(kf.run())
        await until(lambda: kf._puller.is_running)
        assert await platform.post("cb_kf_msg_or_event.xml") == 200
        assert not wecom.called("kf/sync_msg")
    await until(lambda: wecom.called("kf/sync_msg"))
    assert wecom.bodies("kf/sync_msg")[0]["token"] == "ENCDemoTokenFromCallback0001"
    assert not memory.wake.sent
    await stop(task)


async def test_a_change_of_authorisation_is_stored_and_signalled(
    platform: Platform, memory: MemoryServices
) -> None:
    assert await platform.post("cb_kf_account_auth_change.xml") == 200
    (update,) = memory.intake.updates
    assert isinstance(update, AccountsChanged)
    assert update.added == (ACCOUNT, "wkDEMOAAAAkf0000000000000000002")
    assert update.removed == ("wkDEMOAAAAkf0000000000000000003",)
    assert memory.wake.sent == [(KF_PULL, KfSignal().model_dump_json())]


async def test_a_message_of_the_app_is_taken_on_the_kf_path_too(
    platform: Platform, memory: MemoryServices
) -> None:
    assert await platform.post("cb_app_text.xml") == 200
    (update,) = memory.intake.updates
    assert isinstance(update, MessageReceived)
    assert update.address == Address("wecom_app", "1000002", "zhangsan")
    assert update.content == Text(text="今天的数据")


async def test_a_message_sent_again_by_the_platform_is_stored_once(
    platform: Platform, memory: MemoryServices
) -> None:
    for _ in range(3):
        assert await platform.post("cb_app_text.xml") == 200
    assert len(memory.intake.items) == 1


async def test_a_replayed_packet_does_nothing_and_is_seen(
    platform: Platform, memory: MemoryServices, caplog: pytest.LogCaptureFixture
) -> None:
    packet = platform.sign((PAYLOADS / "cb_kf_msg_or_event.xml").read_text())
    assert [await platform.post_signed(*packet) for _ in range(3)] == [200, 200, 200]
    assert len(memory.wake.sent) == 1
    assert caplog.text.count("A callback was repeated") == 2


async def test_what_is_not_from_the_platform_is_refused_logged_and_forgotten(
    platform: Platform, memory: MemoryServices, caplog: pytest.LogCaptureFixture
) -> None:
    document = (PAYLOADS / "cb_app_text.xml").read_text()
    query, encrypted = platform.sign(document)
    stranger = Platform(platform.url, platform.session, receiver="wwSOMEBODYELSE")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Event>&b;</Event></xml>'
    refused = [
        await platform.post_signed({**query, "msg_signature": "0" * 40}, encrypted),
        await platform.post_signed({}, encrypted),
        await platform.post_signed(query, encrypted[:-8]),
        await stranger.post_signed(*stranger.sign(document)),
        await platform.post_signed(*platform.sign(bomb)),
        await platform.post_signed(*platform.sign("not xml")),
        await platform.post_raw(query, b"\xff\xfe"),
        await platform.post_raw(query, bomb.encode()),
    ]
    assert all(400 <= status < 500 for status in refused), refused
    assert caplog.text.count("A callback was refused") == len(refused)
    assert not memory.intake.items
    assert not memory.wake.sent
    assert await platform.post("cb_app_text.xml") == 200


async def test_a_body_of_10_mb_is_refused(platform: Platform, memory: MemoryServices) -> None:
    query, _ = platform.sign("x")
    assert await platform.post_raw(query, io.BytesIO(b"x" * 10 * 1024 * 1024)) == 413

    async def dribble() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b"x" * 64 * 1024

    async with platform.session.post(platform.url, params=query, data=dribble()) as answer:
        assert answer.status == 413
    assert not memory.intake.items


def test_without_token_and_key_there_is_no_callback_url(memory: MemoryServices) -> None:
    settings = WeComSettings.model_validate({"corp_id": "ww1", "app": {"secret": "s"}})
    assert WeComKf(settings, memory.services).routes() == ()


@pytest.mark.parametrize(
    ("own", "paths"),
    [
        ({}, {"/callback/wecom/kf", "/callback/wecom/app"}),
        ({"agent_id": 7, "secret": "s"}, {"/callback/wecom/kf"}),  # the app has its own there
    ],
)
def test_one_application_answers_at_both_addresses(
    own: dict[str, object], paths: set[str], memory: MemoryServices
) -> None:
    signed = {"token": "t", "aes_key": AES_KEY}
    settings = {"corp_id": "ww1", "kf": {"secret": "s", **signed}, "app": {**own, **signed}}
    channel = WeComKf(WeComSettings.model_validate(settings), memory.services)
    assert {route.path for route in channel.routes()} == paths


def test_own_values_of_kf_win_over_those_of_the_app() -> None:
    settings = WeComSettings.model_validate(
        {"app": {"secret": "a", "token": "b", "aes_key": "c"}, "kf": {"token": "own"}}
    )
    found = settings.kf_effective
    values = [found.secret, found.token, found.aes_key]
    assert [value.get_secret_value() for value in values] == ["a", "own", "c"]
