"""The one HTTP call that an embedding endpoint needs, lent to `knowledge` from here."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from core.ports import refuse_inside_write_block


async def post_json(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
    refuse_inside_write_block("Embedding")
    timeout = aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.post(url, json=dict(body), headers=dict(headers)) as answer,
    ):
        answer.raise_for_status()
        found: object = await answer.json()
        return found
