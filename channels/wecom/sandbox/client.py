"""People of a sandbox, played by a program over its phone API: for tests and scripts.

async with running_sandbox(demo_seed(callback_url)) as sandbox:
    customer = sandbox.customer("wm…", "wk…")
    await customer.says("转人工")
    line = await customer.hears("正在为您转接")
"""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import aiohttp
from aiohttp import web

from channels.wecom.sandbox.app import make_sandbox_app
from channels.wecom.sandbox.seed import SandboxSeed

Answer = dict[str, object]


class PhoneRefusal(Exception):
    """The phone API said no. code: bad_request, not_found, conflict, too_large."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a chat. text: all its words, menus flattened line by line."""

    seq: int
    msgid: str
    side: str
    msgtype: str
    text: str
    is_recalled: bool
    raw: Answer

    @property
    def content(self) -> Mapping[str, object]:
        """The object of the message."""
        return _mapping(self.raw.get(self.msgtype))


class Sandbox:
    """A running sandbox. base_url: without `/phone/api` and without `/cgi-bin`."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    # --- people --------------------------------------------------------------------------------

    def customer(self, external_userid: str, open_kfid: str) -> CustomerPhone:
        return CustomerPhone(self, external_userid, open_kfid)

    def servicer(self, userid: str) -> ServicerPhone:
        return ServicerPhone(self, userid)

    async def add_customer(
        self, name: str, open_kfid: str, *, organisation: str = ""
    ) -> CustomerPhone:
        made = await self.post("customers", name=name, organisation=organisation)
        return self.customer(str(made["external_userid"]), open_kfid)

    async def people(self) -> Answer:
        return await self.get("people")

    # --- the platform's moods --------------------------------------------------------------------

    async def fault(self, kind: str, **fields: object) -> str:
        return str((await self.post("faults", kind=kind, **fields))["fault_id"])

    async def clear_faults(self) -> None:
        await self.call("DELETE", "faults")

    async def expire_tokens(self) -> None:
        await self.post("tokens/expire")

    async def advance(self, seconds: float) -> None:
        await self.post("clock/advance", seconds=seconds)

    async def settings(self, **fields: object) -> Answer:
        return await self.call("PATCH", "settings", json=fields)

    async def counters(self) -> Answer:
        return await self.get("counters")

    async def set_callback(self, agent_id: int, **fields: object) -> None:
        await self.call("PUT", f"callbacks/{agent_id}", json=fields)

    async def check_callback(self, agent_id: int) -> bool:
        return bool((await self.post(f"callbacks/{agent_id}/check"))["is_ok"])

    async def settle(self, timeout_s: float = 60) -> None:
        """Wait until no callback is waiting or under way. Raises: TimeoutError."""
        if not (await self.get("idle", timeout=timeout_s))["is_idle"]:
            raise TimeoutError("callbacks are still under way")

    # --- HTTP ------------------------------------------------------------------------------------

    async def get(self, path: str, **query: object) -> Answer:
        return await self.call("GET", path, params={k: str(v) for k, v in query.items()})

    async def post(self, path: str, **fields: object) -> Answer:
        return await self.call("POST", path, json=fields)

    async def upload(self, path: str, kind: str, name: str, data: bytes) -> Answer:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("media", io.BytesIO(data), filename=name)
        return await self.call("POST", path, params={"type": kind}, data=form)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        data: aiohttp.FormData | None = None,
    ) -> Answer:
        url = f"{self.base_url}/phone/api/{path}"
        async with self._http.request(method, url, params=params, json=json, data=data) as answer:
            fields: Answer = await answer.json()
        if answer.status >= 400:
            raise PhoneRefusal(str(fields.get("code")), str(fields.get("error")))
        return fields


@dataclass(slots=True)
class CustomerPhone:
    """One customer's chat with one account."""

    sandbox: Sandbox
    external_userid: str
    open_kfid: str
    _heard: int = field(default=0, repr=False)

    @property
    def _path(self) -> str:
        return f"customers/{quote(self.external_userid)}/threads/{quote(self.open_kfid)}"

    async def enters(self, scene: str = "", scene_param: str = "") -> bool:
        """Open the chat through a link. Returns whether a welcome is possible."""
        answer = await self._do("enter", scene=scene, scene_param=scene_param)
        return bool(answer["has_welcome_code"])

    async def follows(self, url: str) -> bool:
        path = f"customers/{quote(self.external_userid)}/open"
        answer = await self.sandbox.post(path, url=url)
        self.open_kfid = str(answer["open_kfid"])
        return bool(answer["has_welcome_code"])

    async def says(self, text: str) -> Line:
        return _sent(await self._do("say", text=text))

    async def sends(self, msgtype: str, **content: object) -> Line:
        return _sent(await self._do("send", msgtype=msgtype, **{msgtype: content}))

    async def uploads(self, kind: str, name: str, data: bytes) -> Line:
        return _sent(await self.sandbox.upload(f"{self._path}/upload", kind, name, data))

    async def clicks(self, choice: str) -> Line:
        """Press a line of the newest menu that has it, by its label or its id."""
        for line in reversed(await self.transcript()):
            for item in _menu_clicks(line):
                if choice in (item.get("id"), item.get("content")):
                    return _sent(await self._do("click", seq=line.seq, id=item["id"]))
        raise AssertionError(f"no menu offers {choice!r}")

    async def recalls(self, line: Line) -> Line:
        return _sent(await self._do("recall", msgid=line.msgid))

    async def refuses(self, is_refusing: bool = True) -> None:
        await self._do("refuse", is_refusing=is_refusing)

    async def transcript(self) -> list[Line]:
        """What the phone shows: the newest 500 lines."""
        return _lines(await self.sandbox.get(self._path, limit=500))

    async def heard(self) -> list[str]:
        """The words of everything that others wrote, in order."""
        return [line.text for line in await self.transcript() if line.side != "customer"]

    async def thread(self) -> Mapping[str, object]:
        return _mapping((await self.sandbox.get(self._path, limit=1))["thread"])

    async def state(self) -> int:
        return int(str((await self.thread())["state"]))

    async def hears(self, part: str = "", *, timeout_s: float = 60) -> Line:
        """Wait for the next line of others that contains `part`, after those heard before.

        Raises: TimeoutError with what was heard instead.
        """
        until = time.monotonic() + timeout_s
        skipped: list[str] = []
        while (left := until - time.monotonic()) > 0:
            chat = await self.sandbox.get(self._path, after=self._heard, wait=min(left, 30))
            for line in _lines(chat):
                self._heard = line.seq
                if line.side != "customer" and part in line.text:
                    return line
                skipped.append(f"{line.side}: {line.text}")
        raise TimeoutError(f"{part!r} was not heard; instead: {skipped}")

    async def _do(self, action: str, **fields: object) -> Answer:
        return await self.sandbox.post(f"{self._path}/{action}", **fields)


@dataclass(slots=True)
class ServicerPhone:
    """One servicer inside the WeCom client."""

    sandbox: Sandbox
    userid: str

    @property
    def _path(self) -> str:
        return f"servicers/{quote(self.userid)}"

    async def screen(self) -> Answer:
        return await self.sandbox.get(self._path)

    async def pool(self) -> list[str]:
        """External userids of those who wait on her accounts."""
        return _external_userids((await self.screen())["pool"])

    async def mine(self) -> list[str]:
        return _external_userids((await self.screen())["mine"])

    async def picks(self, customer: CustomerPhone) -> None:
        await self._do(customer, "pick")

    async def replies(self, customer: CustomerPhone, text: str) -> Line:
        return _sent(await self._do(customer, "reply", text=text))

    async def uploads(self, customer: CustomerPhone, kind: str, name: str, data: bytes) -> Line:
        path = f"{self._thread(customer)}/upload"
        return _sent(await self.sandbox.upload(path, kind, name, data))

    async def transfers(self, customer: CustomerPhone, to: str) -> None:
        await self._do(customer, "transfer", to=to)

    async def ends(self, customer: CustomerPhone) -> None:
        await self._do(customer, "end")

    async def reopens(self, customer: CustomerPhone) -> None:
        await self._do(customer, "reopen")

    async def recalls(self, customer: CustomerPhone, line: Line) -> Line:
        return _sent(await self._do(customer, "recall", msgid=line.msgid))

    async def mutes(self, customer: CustomerPhone, is_muted: bool = True) -> None:
        await self._do(customer, "mute", is_muted=is_muted)

    async def sets_status(self, status: str, open_kfid: str | None = None) -> None:
        fields = {"status": status} | ({"open_kfid": open_kfid} if open_kfid else {})
        await self.sandbox.post(f"{self._path}/status", **fields)

    async def sees(self, customer: CustomerPhone) -> list[Line]:
        return _lines(await self.sandbox.get(self._thread(customer), limit=500))

    # --- the chat with the app -----------------------------------------------------------------

    async def app_lines(self) -> list[Line]:
        return _lines(await self.sandbox.get(f"{self._path}/app", limit=500))

    async def enters_app(self) -> None:
        await self.sandbox.post(f"{self._path}/app/enter")

    async def tells_app(self, text: str) -> Line:
        return _sent(await self.sandbox.post(f"{self._path}/app/say", text=text))

    async def presses_menu(self, key: str) -> None:
        await self.sandbox.post(f"{self._path}/app/menu", key=key)

    async def presses(
        self, card: Line, key: str, selected: Mapping[str, list[str]] | None = None
    ) -> Line:
        fields: Answer = {"seq": card.seq, "key": key, "selected": dict(selected or {})}
        return _sent(await self.sandbox.post(f"{self._path}/app/press", **fields))

    async def oauth_code(self) -> str:
        return str((await self.sandbox.post(f"{self._path}/oauth-code"))["code"])

    def _thread(self, customer: CustomerPhone) -> str:
        return (
            f"{self._path}/threads/{quote(customer.open_kfid)}/{quote(customer.external_userid)}"
        )

    async def _do(self, customer: CustomerPhone, action: str, **fields: object) -> Answer:
        return await self.sandbox.post(f"{self._thread(customer)}/{action}", **fields)


@asynccontextmanager
async def running_sandbox(
    seed: SandboxSeed,
    *,
    clock: Callable[[], float] = time.time,
    store_path: Path | None = None,
) -> AsyncIterator[Sandbox]:
    """A sandbox on a free port of this machine, for as long as the block runs."""
    runner = web.AppRunner(make_sandbox_app(seed, clock, store_path), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with Sandbox(f"http://{host}:{port}") as sandbox:
            yield sandbox
    finally:
        await runner.cleanup()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Answer]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _external_userids(rows: object) -> list[str]:
    return [str(row["external_userid"]) for row in _rows(rows)]


def _lines(chat: Answer) -> list[Line]:
    return [_line(row) for row in _rows(chat["entries"])]


def _sent(answer: Answer) -> Line:
    return _line(dict(_mapping(answer["entry"])))


def _line(raw: Answer) -> Line:
    msgtype = str(raw["msgtype"])
    return Line(
        seq=int(str(raw["seq"])),
        msgid=str(raw["msgid"]),
        side=str(raw["side"]),
        msgtype=msgtype,
        text=_words(msgtype, _mapping(raw.get(msgtype))),
        is_recalled=bool(raw["is_recalled"]),
        raw=raw,
    )


def _menu_clicks(line: Line) -> list[Answer]:
    items = _rows(line.content.get("list"))
    return [dict(_mapping(item.get("click"))) for item in items if item.get("type") == "click"]


def _words(msgtype: str, content: Mapping[str, object]) -> str:
    if msgtype != "msgmenu":
        return str(content.get("content") or content.get("title") or content.get("name") or "")
    labels = [
        str(_mapping(item.get(str(item["type"]))).get("content"))
        for item in _rows(content.get("list"))
    ]
    lines = [
        str(content.get("head_content") or ""),
        *labels,
        str(content.get("tail_content") or ""),
    ]
    return "\n".join(line for line in lines if line)
