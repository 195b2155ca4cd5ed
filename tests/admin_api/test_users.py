"""Users, their roles, and what the audit log keeps of it."""

from __future__ import annotations

from core.actor import Actor
from core.audit.queries import verify
from core.db import UnitOfWork
from core.servicers.service import Going, set_presence
from core.views import Presence
from tests.admin_api.conftest import PASSWORD, Api

NEW = {"username": "lin", "name": "林医生", "password": "Kf-desk-2026", "role": "servicer"}


async def test_an_admin_creates_users_and_bad_ones_are_refused(admin: Api, servicer: Api) -> None:
    made = await admin.call("POST", "/users", NEW, status=201)
    assert made["username"] == "lin"
    assert made["has_password"]
    assert NEW["password"] not in str(made)
    assert "hash" not in str(made)
    body = {"username": "lin", "password": NEW["password"]}
    await admin.as_(None).call("POST", "/auth/login", body)

    await servicer.refused("POST", "/users", NEW, status=403, code="forbidden")
    await admin.refused("POST", "/users", NEW, status=409, code="username_taken")
    for change, code in (
        ({"username": "Bad Name"}, "bad_username"),
        ({"password": "short"}, "weak_password"),
        ({"password": "password123"}, "weak_password"),
        ({"password": "my-lin-password-9"}, "weak_password"),
        ({"role": "god"}, "invalid_fields"),
        ({"extra": 1}, "invalid_fields"),
    ):
        wrong = NEW | {"username": "lin2"} | change
        if str(change.get("password")).startswith("my-"):
            wrong["username"] = "lin"
        await admin.refused("POST", "/users", wrong, status=422, code=code)


async def test_users_are_listed_page_by_page(admin: Api) -> None:
    for number in range(5):
        await admin.call("POST", "/users", NEW | {"username": f"u{number}"}, status=201)
    first = await admin.call("GET", "/users?limit=4")
    second = await admin.call("GET", f"/users?limit=4&cursor={first['next_cursor']}")
    names = [item["username"] for item in first["items"] + second["items"]]
    assert names == ["admin", "u0", "u1", "u2", "u3", "u4"]
    assert second["next_cursor"] is None
    found = await admin.call("GET", "/users?q=u3")
    assert [item["username"] for item in found["items"]] == ["u3"]
    assert (await admin.call("GET", "/users?q=%25"))["items"] == []


async def test_a_stale_version_is_a_conflict(admin: Api) -> None:
    made = await admin.call("POST", "/users", NEW, status=201)
    path = f"/users/{made['id']}"
    changed = await admin.call("PATCH", path, {"name": "林主任", "version": made["version"]})
    assert changed["name"] == "林主任"
    assert changed["version"] == made["version"] + 1
    stale = {"name": "x", "version": made["version"]}
    await admin.refused("PATCH", path, stale, status=409, code="conflict")
    await admin.refused("PATCH", "/users/nobody", stale, status=404, code="not_found")


async def test_disabling_a_user_ends_their_logins_at_once(admin: Api, servicer: Api) -> None:
    me = (await servicer.call("GET", "/auth/me"))["user"]
    change = {"is_disabled": True, "version": me["version"]}
    await admin.call("PATCH", f"/users/{me['id']}", change)
    await servicer.refused("GET", "/auth/me", status=401, code="unauthenticated")
    body = {"username": "servicer", "password": PASSWORD}
    await admin.as_(None).refused("POST", "/auth/login", body, status=401, code="bad_credentials")
    change = {"is_disabled": False, "version": me["version"] + 1}
    await admin.call("PATCH", f"/users/{me['id']}", change)
    await admin.as_(None).call("POST", "/auth/login", body)


async def test_whoever_is_disabled_is_no_longer_there_even_where_they_meant_to_stay(
    admin: Api, servicer: Api, uow: UnitOfWork
) -> None:
    """Their time was promised to those who wait."""
    me = await servicer.call("GET", "/auth/me")
    async with uow.write() as tx:  # as the app's 「在线」 does
        staying = Going(Presence.ONLINE, stays=True)
        await set_presence(tx, me["servicer"]["id"], staying, by=Actor.system("test"))
    assert (await admin.call("GET", "/queue"))["servicers_online"] == 1
    change = {"is_disabled": True, "version": me["user"]["version"]}
    await admin.call("PATCH", f"/users/{me['user']['id']}", change)
    board = await admin.call("GET", "/queue")
    assert (board["servicers_online"], board["free_slots"]) == (0, 0)


async def test_a_new_role_counts_from_the_next_request(admin: Api, servicer: Api) -> None:
    me = (await servicer.call("GET", "/auth/me"))["user"]
    await servicer.refused("GET", "/audit", status=403, code="forbidden")
    change = {"role": "admin", "version": me["version"]}
    await admin.call("PATCH", f"/users/{me['id']}", change)
    await servicer.call("GET", "/audit")


async def test_the_last_admin_stays(admin: Api) -> None:
    me = (await admin.call("GET", "/auth/me"))["user"]
    for change in ({"is_disabled": True}, {"role": "servicer"}):
        body = change | {"version": me["version"]}
        await admin.refused("PATCH", f"/users/{me['id']}", body, status=422, code="last_admin")


async def test_the_audit_log_says_who_did_what(admin: Api) -> None:
    made = await admin.call("POST", "/users", NEW, status=201)
    items = (await admin.call("GET", "/audit?action=user.created&actor=admin"))["items"]
    assert [(item["actor_name"], item["target"]) for item in items] == [("Admin", made["id"])]
    assert items[0]["ip"] == "127.0.0.1"
    everything = (await admin.call("GET", "/audit?action=user.&limit=200"))["items"]
    assert {item["action"] for item in everything} == {"user.created", "user.logged_in"}
    assert NEW["password"] not in str(everything)
    async with admin.services.uow.read() as tx:
        assert (await verify(tx)).is_intact
