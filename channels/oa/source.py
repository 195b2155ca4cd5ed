"""The OA's changes over HTTP: `GET url?cursor=…&limit=…` with a bearer key.

It answers `{"items": [{"type": "institution", …}], "next_cursor": "…", "has_more": false}`.
"""

from __future__ import annotations

from typing import Final

from channels.errors import Rejected
from channels.http import HttpClient
from channels.oa.config import OaSettings
from core.ports import OaPage

_LIMIT: Final = 500


class HttpOa:
    def __init__(self, http: HttpClient, settings: OaSettings) -> None:
        self._http, self._settings = http, settings

    async def changes(self, cursor: str) -> OaPage:
        """One page after the cursor. Raises: RetryLater, Rejected."""
        key = self._settings.key.get_secret_value()
        answer = await self._http.get_json(
            self._settings.url,
            {"cursor": cursor, "limit": str(_LIMIT)},
            {"Authorization": f"Bearer {key}"} if key else None,
        )
        items, after = answer.get("items"), answer.get("next_cursor")
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            raise Rejected("OA 的回答里没有 items 列表")
        if not isinstance(after, str | int):
            raise Rejected("OA 的回答里没有 next_cursor")
        return OaPage(items, str(after), has_more=answer.get("has_more") is True)
