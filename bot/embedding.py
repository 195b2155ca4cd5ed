"""The one HTTP call that embedding and language models need, lent to `knowledge` from here."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from core.ports import refuse_inside_write_block


async def post_json(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
    """Raises: OSError, TimeoutError, ValueError; for whatever went wrong on the way."""
    refuse_inside_write_block("A model's endpoint")
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(url, json=dict(body), headers=dict(headers)) as answer,
        ):
            answer.raise_for_status()
            found: object = await answer.json()
            return found
    except aiohttp.ClientError as error:
        raise ConnectionError(f"the endpoint did not answer: {error}") from error
