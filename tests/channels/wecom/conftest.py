"""A sandbox on a free port, a receiver for its callbacks, and a bare API caller."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from channels.wecom.crypto import CallbackCrypto, parse_xml
from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, running_sandbox

Fields = dict[str, Any]


class HandClock:
    """Seconds that move only when told."""

    def __init__(self) -> None:
        self.now = 1_767_229_200.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Receiver:
    """Our side of the callback URL. statuses: answers to give first, before 200."""

    url: str = ""
    documents: list[Fields] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    crypto: CallbackCrypto = field(
        default_factory=lambda: CallbackCrypto(
            demo.CALLBACK_TOKEN, demo.CALLBACK_AES_KEY, demo.CORP_ID
        )
    )

    async def verify(self, request: web.Request) -> web.Response:
        q = request.query
        echo = self.crypto.decrypt_echo(
            q["msg_signature"], q["timestamp"], q["nonce"], q["echostr"]
        )
        return web.Response(body=echo)

    async def receive(self, request: web.Request) -> web.Response:
        q, body = request.query, await request.read()
        self.bodies.append(body)
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        text = self.crypto.decrypt_post(q["msg_signature"], q["timestamp"], q["nonce"], body)
        self.documents.append(dict(parse_xml(text)))
        if self.replies:
            packet = self.crypto.encrypt(self.replies.pop(0), timestamp=1, nonce="n")
            return web.Response(text=packet.xml, content_type="text/xml")
        return web.Response(text="success")

    @property
    def last(self) -> Fields:
        return self.documents[-1]


class Api:
    """Calls `/cgi-bin` as a program would; answers are returned as they are."""

    def __init__(self, base_url: str, http: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self.http = http
        self.token = ""
        self.cursors: dict[str, str] = {}

    async def login(self, secret: str = demo.APP_SECRET, corp: str = demo.CORP_ID) -> Fields:
        answer = await self.get("gettoken", corpid=corp, corpsecret=secret)
        self.token = answer.get("access_token", "")
        return answer

    async def get(self, path: str, **query: str) -> Fields:
        params = {"access_token": self.token, **query}
        async with self.http.get(f"{self.base_url}/cgi-bin/{path}", params=params) as answer:
            return json.loads(await answer.read())

    async def post(self, path: str, **fields: Any) -> Fields:
        body = json.dumps(fields, ensure_ascii=False).encode()
        return await self.post_raw(path, body)

    async def post_raw(self, path: str, body: bytes) -> Fields:
        url = f"{self.base_url}/cgi-bin/{path}"
        async with self.http.post(url, params={"access_token": self.token}, data=body) as answer:
            return json.loads(await answer.read())

    async def upload(self, kind: str, name: str, data: bytes) -> Fields:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("media", io.BytesIO(data), filename=name)
        params = {"access_token": self.token, "type": kind}
        url = f"{self.base_url}/cgi-bin/media/upload"
        async with self.http.post(url, params=params, data=form) as answer:
            return json.loads(await answer.read())

    async def pull(self, open_kfid: str, token: str = "", limit: int = 1000) -> list[Fields]:
        """Everything new, page by page, with the cursor kept."""
        items: list[Fields] = []
        while True:
            answer = await self.post(
                "kf/sync_msg",
                cursor=self.cursors.get(open_kfid, ""),
                token=token,
                limit=limit,
                open_kfid=open_kfid,
            )
            assert answer["errcode"] == 0, answer
            items += answer["msg_list"]
            self.cursors[open_kfid] = answer["next_cursor"]
            if not answer["has_more"]:
                return items

    async def say(self, customer: CustomerPhone, text: str, **more: Any) -> Fields:
        return await self.post(
            "kf/send_msg",
            touser=customer.external_userid,
            open_kfid=customer.open_kfid,
            msgtype="text",
            text={"content": text},
            **more,
        )

    async def state(self, customer: CustomerPhone) -> Fields:
        return await self.post(
            "kf/service_state/get",
            open_kfid=customer.open_kfid,
            external_userid=customer.external_userid,
        )

    async def move(self, customer: CustomerPhone, to: int, servicer: str = "") -> Fields:
        return await self.post(
            "kf/service_state/trans",
            open_kfid=customer.open_kfid,
            external_userid=customer.external_userid,
            service_state=to,
            servicer_userid=servicer,
        )


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_get("/callback", receiver.verify)
    app.router.add_post("/callback", receiver.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def sandbox(clock: HandClock, receiver: Receiver) -> AsyncIterator[Sandbox]:
    async with running_sandbox(demo.demo_seed(receiver.url), clock=clock) as sandbox:
        await sandbox.settings(callback_retry_s=0.01, empty_page_every=0)
        yield sandbox


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as http:
        api = Api(sandbox.base_url, http)
        await api.login()
        yield api


@pytest.fixture
def customer(sandbox: Sandbox) -> CustomerPhone:
    return sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)
