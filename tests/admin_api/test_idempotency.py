"""Repeated requests at once do their work once."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from core.idempotency import IdempotencyRow
from core.replies.models import CannedReplyRow
from tests.admin_api.conftest import Api

BODY = {"title": "问好", "text": "您好"}


async def _count(api: Api, table: type) -> int:
    async with api.services.uow.read() as tx:
        return await tx.db.scalar(select(func.count()).select_from(table)) or 0


async def test_ten_equal_requests_at_once_make_one_reply(servicer: Api) -> None:
    key = {"Idempotency-Key": "once"}
    made = await asyncio.gather(
        *(servicer.call("POST", "/replies", BODY, status=201, headers=key) for _ in range(10))
    )
    assert len({reply["id"] for reply in made}) == 1
    assert await _count(servicer, CannedReplyRow) == 1


async def test_keys_are_each_users_own_and_forgotten_after_a_day(
    servicer: Api, supervisor: Api
) -> None:
    key = {"Idempotency-Key": "mine"}
    first = await servicer.call("POST", "/replies", BODY, status=201, headers=key)
    other = await supervisor.call("POST", "/replies", BODY, status=201, headers=key)
    assert first["id"] != other["id"]
    assert await _count(servicer, IdempotencyRow) == 2
    servicer.clock.advance(days=1, seconds=1)
    login = {"username": "servicer", "password": "Correct-horse-7"}
    fresh = await servicer.as_(None).call("POST", "/auth/login", login)
    later = servicer.as_(fresh["access_token"])
    third = await later.call("POST", "/replies", BODY, status=201, headers=key)
    assert third["id"] != first["id"]
    assert await _count(servicer, IdempotencyRow) == 1


async def test_a_key_that_is_too_long_is_refused(servicer: Api) -> None:
    for key in ("", "x" * 129):
        headers = {"Idempotency-Key": key}
        await servicer.refused(
            "POST", "/replies", BODY, status=422, code="invalid", headers=headers
        )
