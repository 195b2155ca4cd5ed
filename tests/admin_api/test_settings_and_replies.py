"""Settings with their forms; canned replies, personal and for everyone."""

from __future__ import annotations

from core.settings.sections import SECTIONS, Bot
from tests.admin_api.conftest import Api, Login


async def test_every_section_describes_its_form_in_chinese(admin: Api) -> None:
    sections = await admin.call("GET", "/settings")
    assert [section["key"] for section in sections] == list(SECTIONS)
    for section in sections:
        assert section["version"] == 0
        for name, field in section["json_schema"]["properties"].items():
            assert any("一" <= char <= "鿿" for char in field["title"]), name
            assert name in section["value"]


async def test_a_setting_is_changed_and_bad_values_are_refused(
    admin: Api, supervisor: Api
) -> None:
    sections = {item["key"]: item for item in await admin.call("GET", "/settings")}
    value = sections["bot"]["value"] | {"handoff_after_misses": 3}
    changed = await admin.call("PUT", "/settings/bot", {"value": value, "version": 0})
    assert changed["value"]["handoff_after_misses"] == 3
    assert changed["version"] == 1
    live = admin.services.settings
    assert live.get(Bot).handoff_after_misses == 2
    async with admin.services.uow.read() as tx:
        from core.settings.queries import get

        assert (await get(tx, Bot)).handoff_after_misses == 3

    body = {"value": value, "version": 0}
    await admin.refused("PUT", "/settings/bot", body, status=409, code="conflict")
    await admin.refused("PUT", "/settings/nothing", body, status=404, code="not_found")
    await supervisor.refused("PUT", "/settings/bot", body, status=403, code="forbidden")
    bad = {"value": value | {"handoff_after_misses": 99}, "version": 1}
    problem = await admin.refused("PUT", "/settings/bot", bad, status=422, code="invalid_setting")
    assert problem["errors"] == [{"field": "handoff_after_misses", "message": "不能大于 10"}]
    again = {"value": value, "version": 1}
    assert (await admin.call("PUT", "/settings/bot", again))["version"] == 1


async def test_replies_are_personal_or_for_everyone(
    servicer: Api, supervisor: Api, admin: Api
) -> None:
    mine = {"title": "问好", "text": "您好 {customer}", "shortcut": "hi"}
    made = await servicer.call("POST", "/replies", mine, status=201)
    assert made["scope"] == "personal"
    shared = mine | {"scope": "all", "title": "结束语"}
    await servicer.refused("POST", "/replies", shared, status=403, code="forbidden")
    for_all = await supervisor.call("POST", "/replies", shared, status=201)

    assert [r["title"] for r in (await servicer.call("GET", "/replies"))["items"]] == [
        "结束语",
        "问好",
    ]
    assert [r["title"] for r in (await admin.call("GET", "/replies"))["items"]] == ["结束语"]
    path = f"/replies/{made['id']}"
    change = {"text": "您好！", "version": made["version"]}
    await supervisor.refused("PATCH", path, change, status=404, code="not_found")
    changed = await servicer.call("PATCH", path, change)
    assert (changed["text"], changed["title"]) == ("您好！", "问好")
    await servicer.refused("PATCH", path, change, status=409, code="conflict")
    promote = {"scope": "all", "version": changed["version"]}
    await servicer.refused("PATCH", path, promote, status=403, code="forbidden")
    await servicer.refused("DELETE", f"/replies/{for_all['id']}", status=403, code="forbidden")
    await servicer.call("DELETE", path, status=204)
    await servicer.refused("DELETE", path, status=404, code="not_found")


async def test_a_team_shares_replies_that_its_leader_writes(
    servicer: Api, supervisor: Api, log_in: Login
) -> None:
    member: Api = await log_in("servicer", "member")
    leader_id = (await servicer.call("GET", "/auth/me"))["servicer"]["id"]
    member_id = (await member.call("GET", "/auth/me"))["servicer"]["id"]
    team = {"name": "疾控组", "leader_id": leader_id, "member_ids": [leader_id, member_id]}
    made = await supervisor.call("POST", "/teams", team, status=201)
    draft = {"title": "组内", "text": "请加密狗", "scope": "team"}
    await servicer.refused("POST", "/replies", draft, status=422, code="required")
    shared = draft | {"team_id": made["id"]}
    await member.refused("POST", "/replies", shared, status=403, code="forbidden")
    reply = await servicer.call("POST", "/replies", shared, status=201)
    assert (reply["scope"], reply["team_name"]) == ("team", "疾控组")
    assert [one["id"] for one in (await member.call("GET", "/replies"))["items"]] == [reply["id"]]
    outsider: Api = await log_in("servicer", "outsider")
    assert (await outsider.call("GET", "/replies"))["items"] == []
    path, change = f"/replies/{reply['id']}", {"text": "请插加密狗", "version": 1}
    await member.refused("PATCH", path, change, status=403, code="forbidden")
    changed = await servicer.call("PATCH", path, change)
    assert (changed["team_id"], changed["text"]) == (made["id"], "请插加密狗")
    everyone = {"scope": "all", "version": changed["version"]}
    await servicer.refused("PATCH", path, everyone, status=403, code="forbidden")
    assert (await supervisor.call("PATCH", path, everyone))["team_id"] is None


async def test_an_idempotency_key_creates_once_and_guards_its_body(servicer: Api) -> None:
    body = {"title": "问好", "text": "您好"}
    key = {"Idempotency-Key": "abc"}
    first = await servicer.call("POST", "/replies", body, status=201, headers=key)
    response = await servicer.raw("POST", "/replies", json=body, headers=key)
    assert response.status == 201
    assert response.headers["Idempotency-Replayed"] == "true"
    assert await response.json() == first
    other = body | {"title": "另一个"}
    await servicer.refused(
        "POST", "/replies", other, status=422, code="idempotency_mismatch", headers=key
    )
    assert len((await servicer.call("GET", "/replies"))["items"]) == 1
    servicer.clock.advance(minutes=10)
    refused = {"title": "", "text": "x"}
    second = {"Idempotency-Key": "second"}
    await servicer.refused(
        "POST", "/replies", refused, status=422, code="invalid_fields", headers=second
    )
    await servicer.call("POST", "/replies", body, status=201, headers=second)
