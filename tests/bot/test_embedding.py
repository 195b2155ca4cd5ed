"""The call that models at an endpoint are asked by: whatever goes wrong is one of three errors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.embedding import post_json
from tests.services import free_port


@pytest.fixture
async def endpoint() -> AsyncIterator[str]:
    async def embeddings(request: web.Request) -> web.Response:
        return web.json_response({"said": (await request.json())["input"]})

    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=500, text="out of memory")

    async def a_page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>log in</html>", content_type="text/html")

    async def cut(_request: web.Request) -> web.Response:
        return web.Response(text='{"data": [', content_type="application/json")

    app = web.Application()
    for name, handle in {"ok": embeddings, "500": broken, "page": a_page, "cut": cut}.items():
        app.router.add_post(f"/{name}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


@pytest.mark.parametrize("path", ["500", "page", "cut", "nowhere"])
async def test_an_endpoint_that_fails_raises_what_is_promised(endpoint: str, path: str) -> None:
    assert await post_json(f"{endpoint}/ok", {"input": "密码"}, {}) == {"said": "密码"}
    with pytest.raises((OSError, ValueError)):
        await post_json(f"{endpoint}/{path}", {}, {})


async def test_an_endpoint_that_is_not_there_raises_what_is_promised() -> None:
    with pytest.raises(OSError, match="did not answer"):
        await post_json(f"http://127.0.0.1:{free_port()}/", {}, {})
