"""Two requests that meet: one wins, and the other is told."""

from __future__ import annotations

import asyncio

from tests.admin_api.conftest import PASSWORD, Api, Login
from tests.admin_api.desk import Customer


async def _statuses(*calls: object) -> list[int]:
    responses = await asyncio.gather(*calls)  # type: ignore[call-overload]
    return sorted(response.status for response in responses)


async def test_one_refresh_token_used_twice_at_once_never_gives_two_logins(
    servicer: Api,
) -> None:
    anonymous = servicer.as_(None)
    login = {"username": "servicer", "password": PASSWORD}
    tokens = await anonymous.call("POST", "/auth/login", login)
    body = {"refresh_token": tokens["refresh_token"]}
    results = await _statuses(
        *(anonymous.raw("POST", "/auth/refresh", json=body) for _ in range(5))
    )
    assert results == [200, 401, 401, 401, 401]


async def test_of_many_wrong_passwords_at_once_each_one_counts(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    wrong = {"username": "servicer", "password": "wrong"}
    await _statuses(*(anonymous.raw("POST", "/auth/login", json=wrong) for _ in range(8)))
    right = {"username": "servicer", "password": PASSWORD}
    await anonymous.refused("POST", "/auth/login", right, status=423, code="locked")


async def test_two_servicers_claim_and_one_gets_the_session(servicer: Api, log_in: Login) -> None:
    other: Api = await log_in("servicer", "other")
    customer = Customer(servicer.services.uow)
    await customer.says("你好")
    await customer.asks_for_people()
    for person in (servicer, other):
        await person.call("PUT", "/servicers/me/presence", {"presence": "online"})
    path = f"/sessions/{customer.session_id}/claim"
    assert await _statuses(servicer.raw("POST", path), other.raw("POST", path)) == [200, 409]
    people = (await servicer.call("GET", "/servicers"))["items"]
    assert sorted(person["open_sessions"] for person in people) == [0, 1]


async def test_one_claims_many_at_once_and_stays_within_the_limit(servicer: Api) -> None:
    paths = []
    for number in range(8):
        customer = Customer(servicer.services.uow, f"wm-{number}")
        await customer.says("你好")
        await customer.asks_for_people()
        paths.append(f"/sessions/{customer.session_id}/claim")
    await servicer.call("PUT", "/servicers/me/presence", {"presence": "online"})
    results = await _statuses(*(servicer.raw("POST", path) for path in paths))
    assert results == [200] * 5 + [409] * 3
