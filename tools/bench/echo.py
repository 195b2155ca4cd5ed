"""A bare echo bot on the same sandbox: the ceiling that a customer-service system is held against.

It keeps its cursor in memory, stores nothing and answers every line with itself.
"""

from __future__ import annotations

import asyncio
import json

import aiohttp
from aiohttp import web

from channels.wecom.crypto import CallbackCrypto, parse_xml
from channels.wecom.sandbox import demo_seed as seed

Json = dict[str, object]


class EchoBot:
    def __init__(self, platform: str) -> None:
        self._api = f"{platform}/cgi-bin"
        self._crypto = CallbackCrypto(seed.CALLBACK_TOKEN, seed.CALLBACK_AES_KEY, seed.CORP_ID)
        self._cursors: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._token = ""

    async def serve(self, port: int) -> None:
        app = web.Application()
        app.router.add_post("/callback/wecom/kf", self._callback)
        runner = web.AppRunner(app, access_log=None)
        async with aiohttp.ClientSession() as self._http:
            secret = {"corpid": seed.CORP_ID, "corpsecret": seed.APP_SECRET}
            async with self._http.get(f"{self._api}/gettoken", params=secret) as answer:
                self._token = str((await answer.json())["access_token"])
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            await asyncio.Event().wait()

    async def _callback(self, request: web.Request) -> web.Response:
        query = request.query
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        event = parse_xml(self._crypto.decrypt_post(*signed, await request.read()))
        asyncio.get_running_loop().create_task(self._pull(str(event["OpenKfId"])))
        return web.Response(text="success")

    async def _pull(self, account: str) -> None:
        async with self._locks.setdefault(account, asyncio.Lock()):
            more = True
            while more:
                body: Json = {"open_kfid": account, "cursor": self._cursors.get(account, "")}
                page = await self._post("kf/sync_msg", body)
                self._cursors[account] = str(page["next_cursor"])
                more = bool(page["has_more"])
                items = page["msg_list"]
                assert isinstance(items, list)  # noqa: S101 - the sandbox's own shape
                await asyncio.gather(*(self._echo(one) for one in items if one["origin"] == 3))

    async def _echo(self, message: Json) -> None:
        body = {
            "touser": message["external_userid"],
            "open_kfid": message["open_kfid"],
            "msgtype": "text",
            "text": {"content": message["text"]["content"]},  # type: ignore[index]  # a text
        }
        await self._post("kf/send_msg", body)

    async def _post(self, path: str, body: Json) -> Json:
        query = {"access_token": self._token}
        raw = json.dumps(body, ensure_ascii=False).encode()  # escapes are refused (40033)
        async with self._http.post(f"{self._api}/{path}", params=query, data=raw) as answer:
            found: Json = await answer.json()
            return found


if __name__ == "__main__":
    import sys

    asyncio.run(EchoBot(sys.argv[1]).serve(int(sys.argv[2])))
