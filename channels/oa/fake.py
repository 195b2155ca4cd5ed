"""A small OA that speaks over HTTP as a real one would: for tests, and for the demo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

PATH: Final = "/demo/oa/changes"


class FakeOa:
    """Tells its changes in the order in which they were made. key: what it demands."""

    def __init__(self, *, key: str = "", per_page: int = 100) -> None:
        self._key, self._per_page = key, per_page
        self._changes: list[Mapping[str, object]] = []
        self.is_down = False

    def tell(self, type_: str, **record: object) -> None:
        """A record was made or changed."""
        self._changes.append({"type": type_, **record})

    def mount(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        if self.is_down:
            raise web.HTTPBadGateway
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            raise web.HTTPUnauthorized
        start = int(request.query.get("cursor") or 0)
        end = min(start + self._per_page, len(self._changes))
        return web.json_response(
            {
                "items": self._changes[start:end],
                "next_cursor": str(end),
                "has_more": end < len(self._changes),
            }
        )


def demo_oa() -> FakeOa:
    """A company with a few institutions, and the troubles that every OA has."""
    oa = FakeOa()
    oa.tell("institution", id="JG001", version=1, name="江南省卫生健康委员会", kind="卫健委")
    oa.tell("institution", id="JG002", version=1, name="江南省临江市卫生健康局", parent_id="JG001")
    oa.tell("institution", id="JG003", version=1, name="临江市第三人民医院", parent_id="JG002")
    oa.tell("institution", id="JG004", version=1, name="临江市急救中心", region_code="999999")
    oa.tell("institution", id="JG005", version=1, name="江城市疾控中心", kind="疾控中心")
    oa.tell("contact", id="LX001", version=1, name="顾念慈", institution_id="JG009")
    return oa
