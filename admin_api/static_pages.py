"""The built console: pages never cached, hashed assets cached for a year."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from admin_api.config import ApiConfig

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HASHED: Final = re.compile(r".*-[0-9A-Za-z_-]{8,}\.[0-9a-z]+")
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>问渠</title>
<h1>控制台尚未构建</h1><p>请运行 <code>make console</code>，然后刷新本页。</p></html>"""


class Pages:
    """Serves files below one directory, and each page for the paths that it routes itself."""

    def __init__(self, config: ApiConfig) -> None:
        self._root = config.static_dir.resolve()
        self._is_demo = config.is_demo

    def routes(self) -> list[web.RouteDef]:
        found = [
            web.get("/h5/{tail:.*}", self._h5),
            web.get("/h5", self._to("/h5/")),
            # Every other path is the console's own, but never those of machines.
            web.get(r"/{tail:(?!(?:api|callback|phone)/).*}", self._console),
        ]
        if self._is_demo:
            found += [
                web.get(r"/phone/{tail:(?!api/).*}", self._phone),
                web.get("/phone", self._to("/phone/")),
            ]
        return found

    async def _console(self, request: web.Request) -> web.StreamResponse:
        return self._serve(request.match_info["tail"], page="index.html")

    async def _h5(self, request: web.Request) -> web.StreamResponse:
        return self._serve(f"h5/{request.match_info['tail']}", page="h5/index.html")

    async def _phone(self, request: web.Request) -> web.StreamResponse:
        return self._serve(f"phone/{request.match_info['tail']}", page="phone/index.html")

    def _to(self, location: str) -> Handler:
        async def redirect(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPPermanentRedirect(location)

        return redirect

    def _serve(self, name: str, *, page: str) -> web.StreamResponse:
        file = self._file(name)
        if file is not None and file.suffix != ".html":
            return _respond(file, _IMMUTABLE if _HASHED.fullmatch(file.name) else "no-cache")
        if "." in name.rsplit("/", 1)[-1] and not name.endswith(".html"):
            raise web.HTTPNotFound
        found = self._file(page)
        if found is None:
            return web.Response(
                text=_NOT_BUILT, content_type="text/html", headers={"Cache-Control": "no-cache"}
            )
        return _respond(found, "no-cache")

    def _file(self, name: str) -> Path | None:
        """The file, if it lies below the root."""
        if "\x00" in name:
            return None
        path = (self._root / name).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None


def _respond(file: Path, caching: str) -> web.FileResponse:
    return web.FileResponse(file, headers={"Cache-Control": caching})
