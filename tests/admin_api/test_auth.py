"""Logging in, refreshing, devices, lock-out."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from sqlalchemy import func, select

from core.settings.sections import Security
from core.users.models import DeviceRow
from tests.admin_api.conftest import PASSWORD, Api


async def _login(api: Api, username: str, password: str = PASSWORD) -> Any:
    body = {"username": username, "password": password}
    return await api.as_(None).call("POST", "/auth/login", body)


async def test_login_gives_tokens_that_work_and_wrong_ones_are_refused(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    tokens = await _login(servicer, " Servicer ")
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in_s"] == 900
    assert tokens["user"]["role"] == "servicer"
    me = await servicer.as_(tokens["access_token"]).call("GET", "/auth/me")
    assert me["user"]["username"] == "servicer"
    assert me["servicer"]["user_id"] == me["user"]["id"]
    assert "session.serve" in me["permissions"]
    assert "user.manage" not in me["permissions"]

    wrong = {"username": "servicer", "password": "not it"}
    problem = await anonymous.refused(
        "POST", "/auth/login", wrong, status=401, code="bad_credentials"
    )
    assert problem["title"] == "用户名或密码不正确"
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    problem = await anonymous.refused(
        "POST", "/auth/login", wrong, status=401, code="bad_credentials", headers=english
    )
    assert problem["title"] == "Wrong user name or password"
    unknown = {"username": "nobody", "password": PASSWORD}
    await anonymous.refused("POST", "/auth/login", unknown, status=401, code="bad_credentials")


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "中文", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "x" * 5000],
)
async def test_forged_tokens_are_refused(api: Api, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    await api.refused("GET", "/auth/me", status=401, code="unauthenticated", headers=headers)


async def test_a_token_signed_with_another_secret_or_algorithm_is_refused(servicer: Api) -> None:
    header = jwt.get_unverified_header(servicer.token or "")
    claims = jwt.decode(servicer.token or "", options={"verify_signature": False})
    key = "another secret that is long enough for the library to be content"
    forged = jwt.encode(claims, key, algorithm="HS256", headers={"kid": header["kid"]})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": header["kid"]})
    for token in (forged, unsigned):
        await servicer.as_(token).refused("GET", "/auth/me", status=401, code="unauthenticated")
    await servicer.call("GET", "/auth/me")


async def test_an_access_token_ends_after_its_time(servicer: Api) -> None:
    servicer.clock.advance(minutes=14, seconds=59)
    await servicer.call("GET", "/auth/me")
    servicer.clock.advance(seconds=2)
    await servicer.refused("GET", "/auth/me", status=401, code="token_expired")


async def test_refresh_tokens_rotate_and_reuse_ends_the_device(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    first = await _login(servicer, "servicer")
    body = {"refresh_token": first["refresh_token"]}
    second = await anonymous.call("POST", "/auth/refresh", body)
    assert second["refresh_token"] != first["refresh_token"]
    await servicer.as_(second["access_token"]).call("GET", "/auth/me")

    await anonymous.refused("POST", "/auth/refresh", body, status=401, code="token_reused")
    newest = {"refresh_token": second["refresh_token"]}
    await anonymous.refused("POST", "/auth/refresh", newest, status=401, code="unauthenticated")
    await servicer.as_(second["access_token"]).refused(
        "GET", "/auth/me", status=401, code="unauthenticated"
    )
    await servicer.call("GET", "/auth/me")  # the other device lives


async def test_a_refresh_token_ends_when_unused_and_lives_on_when_used(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    used = await _login(servicer, "servicer")
    unused = await _login(servicer, "servicer")
    for _ in range(2):
        servicer.clock.advance(days=10)
        used = await anonymous.call(
            "POST", "/auth/refresh", {"refresh_token": used["refresh_token"]}
        )
    body = {"refresh_token": unused["refresh_token"]}
    await anonymous.refused("POST", "/auth/refresh", body, status=401, code="unauthenticated")
    for garbage in ("x", "x.y", "." * 200):
        body = {"refresh_token": garbage}
        await anonymous.refused("POST", "/auth/refresh", body, status=401, code="unauthenticated")


async def test_five_failures_lock_the_account_for_a_while(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    wrong = {"username": "servicer", "password": "wrong"}
    for _ in range(Security().lock_after_failures):
        await anonymous.refused("POST", "/auth/login", wrong, status=401, code="bad_credentials")
    right = {"username": "servicer", "password": PASSWORD}
    await anonymous.refused("POST", "/auth/login", right, status=423, code="locked")
    servicer.clock.advance(seconds=Security().lock_s + 1)
    await _login(servicer, "servicer")


async def test_a_success_forgets_earlier_failures(servicer: Api) -> None:
    anonymous = servicer.as_(None)
    wrong = {"username": "servicer", "password": "wrong"}
    for _ in range(2):
        for _ in range(Security().lock_after_failures - 1):
            await anonymous.refused(
                "POST", "/auth/login", wrong, status=401, code="bad_credentials"
            )
        await _login(servicer, "servicer")
        servicer.clock.advance(minutes=1)


async def test_guessing_names_is_limited_too(api: Api) -> None:
    limit = api.services.config.logins_per_name
    body = {"username": "ghost", "password": "x"}
    for _ in range(limit):
        await api.refused("POST", "/auth/login", body, status=401, code="bad_credentials")
    response = await api.raw("POST", "/auth/login", json=body)
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 0


async def test_devices_are_listed_and_revoked_but_only_ones_own(
    servicer: Api, supervisor: Api
) -> None:
    other = await _login(servicer, "servicer")
    items = (await servicer.call("GET", "/auth/devices"))["items"]
    assert len(items) == 2
    claims = jwt.decode(other["access_token"], options={"verify_signature": False})
    device = f"/auth/devices/{claims['did']}"
    await supervisor.refused("DELETE", device, status=404, code="not_found")
    await servicer.call("DELETE", device, status=204)
    await servicer.as_(other["access_token"]).refused(
        "GET", "/auth/me", status=401, code="unauthenticated"
    )
    assert len((await servicer.call("GET", "/auth/devices"))["items"]) == 1


async def test_logins_that_ended_long_ago_are_forgotten(servicer: Api) -> None:
    await _login(servicer, "servicer")
    servicer.clock.advance(days=60)
    await _login(servicer, "servicer")
    async with servicer.services.uow.read() as tx:
        assert await tx.db.scalar(select(func.count()).select_from(DeviceRow)) == 1


async def test_logging_out_ends_this_login_only(servicer: Api) -> None:
    other = await _login(servicer, "servicer")
    await servicer.as_(other["access_token"]).call("POST", "/auth/logout", status=204)
    await servicer.as_(other["access_token"]).refused(
        "GET", "/auth/me", status=401, code="unauthenticated"
    )
    await servicer.call("GET", "/auth/me")


async def test_changing_the_password_needs_the_old_one_and_ends_other_logins(
    servicer: Api,
) -> None:
    other = await _login(servicer, "servicer")
    fresh = "Battery-staple-8"
    wrong = {"old": "nope", "new": fresh}
    await servicer.refused("POST", "/auth/password", wrong, status=422, code="wrong_password")
    weak = {"old": PASSWORD, "new": "12345678"}
    problem = await servicer.refused(
        "POST", "/auth/password", weak, status=422, code="weak_password"
    )
    assert problem["facts"]["rule"] == "classes"
    assert "至少包含 2 种" in problem["title"]
    await servicer.call("POST", "/auth/password", {"old": PASSWORD, "new": fresh}, status=204)
    await servicer.call("GET", "/auth/me")
    await servicer.as_(other["access_token"]).refused(
        "GET", "/auth/me", status=401, code="unauthenticated"
    )
    await _login(servicer, "servicer", fresh)
