"""Tickets, teams, calendars, SLA and the customer's page over HTTP."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from core.content import Address
from core.customers import service as customers
from core.registration.service import link_token
from tests.admin_api.conftest import Api

HOURS = [["09:00", "12:00"], ["13:30", "17:30"]]
WEEK = [HOURS] * 5 + [[], []]


@pytest.fixture
async def customer_id(api: Api) -> str:
    async with api.services.uow.write() as tx:
        address = Address("wecom_kf", "door", "someone")
        return (await customers.ensure_identity(tx, address)).customer_id


async def test_the_ticket_journey_over_the_api(
    supervisor: Api, servicer: Api, customer_id: str
) -> None:
    me = await servicer.call("GET", "/auth/me")
    team = await supervisor.call(
        "POST",
        "/teams",
        {"name": "实施组", "member_ids": [me["servicer"]["id"]]},
        status=201,
    )
    spec = {
        "key": "system",
        "title": "系统",
        "kind": "choice",
        "choices": ["直报"],
        "is_required": True,
    }
    category = await supervisor.call(
        "POST",
        "/ticket-categories",
        {"name": "上报", "team_id": team["id"], "fields": [spec], "default_priority": "high"},
        status=201,
    )
    targets = {"first_response_s": 1800, "resolution_s": 14400}
    await supervisor.call(
        "POST", "/sla-policies", {"name": "标准", "targets": targets}, status=201
    )
    draft = {"title": "上报失败", "customer_id": customer_id, "category_id": category["id"]}
    refused = await servicer.refused("POST", "/tickets", draft, status=422, code="invalid_fields")
    assert refused["errors"] == [{"field": "fields.system", "message": "必填"}]
    made = await servicer.call(
        "POST", "/tickets", draft | {"fields": {"system": "直报"}}, status=201
    )
    assert (made["number"], made["priority"], made["team_name"]) == (
        "GD20260302-0001",
        "high",
        "实施组",
    )
    path = f"/tickets/{made['id']}"
    await servicer.call("POST", f"{path}/claim")
    await servicer.call("POST", f"{path}/actions", {"action": "accept"})
    await servicer.call(
        "POST", f"{path}/entries", {"text": "请稍等", "is_public": True}, status=201
    )
    await servicer.call("POST", f"{path}/entries", {"text": "内部"}, status=201)
    due = {"text": "回访", "due_at": "2026-03-02T08:00:00Z"}
    follow_up = await servicer.call("POST", f"{path}/follow-ups", due, status=201)
    assert [one["id"] for one in (await servicer.call("GET", "/follow-ups"))["items"]] == [
        follow_up["id"]
    ]
    await servicer.call("POST", f"/follow-ups/{follow_up['id']}/finish", {"result": "好"})
    await servicer.call("POST", f"{path}/actions", {"action": "resolve", "text": "已修复"})
    page = await servicer.call("GET", path)
    assert page["ticket"]["state"] == "resolved"
    assert {clock["state"] for clock in page["sla"]} == {"met"}
    assert "reopen" in page["actions"]
    await servicer.refused(
        "POST", f"{path}/actions", {"action": "accept"}, status=409, code="invalid_transition"
    )
    await servicer.refused(
        "POST", f"{path}/actions", {"action": "close"}, status=403, code="forbidden"
    )
    found = await servicer.call("GET", "/ticket-numbers/20260302-1")
    assert found["id"] == made["id"]


async def test_a_conflict_shows_both_versions(servicer: Api, customer_id: str) -> None:
    made = await servicer.call(
        "POST", "/tickets", {"title": "甲", "customer_id": customer_id}, status=201
    )
    path = f"/tickets/{made['id']}"
    await servicer.call("PATCH", path, {"title": "乙", "version": 1})
    problem = await servicer.refused(
        "PATCH", path, {"title": "丙", "version": 1}, status=409, code="conflict"
    )
    assert problem["facts"]["current"]["title"] == "乙"
    assert problem["facts"]["yours"] == {"title": "丙"}


async def test_lists_filter_page_and_count(
    servicer: Api, supervisor: Api, customer_id: str
) -> None:
    ids = []
    for number in range(5):
        draft = {
            "title": f"工单{number}",
            "customer_id": customer_id,
            "priority": "low" if number else "urgent",
        }
        ids.append((await servicer.call("POST", "/tickets", draft, status=201))["id"])
    first = await servicer.call("GET", "/tickets?state=new,open&limit=3")
    rest = await servicer.call(
        "GET", f"/tickets?state=new,open&limit=3&cursor={first['next_cursor']}"
    )
    assert [one["id"] for one in first["items"] + rest["items"]] == sorted(ids, reverse=True)
    urgent = await servicer.call("GET", "/tickets?priority=urgent")
    assert [one["id"] for one in urgent["items"]] == ids[:1]
    await servicer.refused("GET", "/tickets?state=lost", status=422, code="bad_value")
    assert (await servicer.call("GET", "/tickets?servicer_id=me"))["items"] == []
    board = await servicer.call("GET", "/ticket-board")
    assert {one["state"]: one["count"] for one in board["items"]}["new"] == 5
    bulk = {"ids": [*ids[:2], "unknown"], "action": "close"}
    assert set((await servicer.call("POST", "/tickets/bulk", bulk))["refused"].values()) == {
        "forbidden",
        "not_found",
    }
    done = await supervisor.call("POST", "/tickets/bulk", bulk)
    assert (set(done["done"]), done["refused"]) == (set(ids[:2]), {"unknown": "not_found"})
    saved = await servicer.call(
        "POST", "/ticket-filters", {"name": "新的", "query": {"state": "new"}}, status=201
    )
    assert (await servicer.call("GET", "/ticket-filters"))["items"] == [saved]
    await servicer.call("DELETE", f"/ticket-filters/{saved['id']}", status=204)


async def test_two_hundred_tickets_are_changed_at_once_each_for_itself(
    servicer: Api, supervisor: Api, customer_id: str
) -> None:
    body = {"title": "断网", "customer_id": customer_id}
    made = [(await servicer.call("POST", "/tickets", body, status=201))["id"] for _ in range(10)]
    ids = made + [f"gone{number}" for number in range(190)]
    result = await supervisor.call("POST", "/tickets/bulk", {"ids": ids, "priority": "urgent"})
    assert result["done"] == made
    assert set(result["refused"].values()) == {"not_found"}
    work = {"ids": made[:1], "action": "confirm"}
    refused = (await supervisor.call("POST", "/tickets/bulk", work))["refused"]
    assert refused == {made[0]: "invalid_transition"}
    many = {"ids": [*ids, "more"], "action": "accept"}
    await supervisor.refused("POST", "/tickets/bulk", many, status=422, code="invalid_fields")


async def test_links_merging_and_splitting(servicer: Api, customer_id: str) -> None:
    def draft(title: str) -> dict[str, Any]:
        return {"title": title, "customer_id": customer_id}

    one, two, three = [
        (await servicer.call("POST", "/tickets", draft(f"VPN 断线{n}"), status=201))["id"]
        for n in range(3)
    ]
    similar = await servicer.call("GET", f"/tickets/{one}/similar")
    assert {item["ticket"]["id"] for item in similar["items"]} == {two, three}
    await servicer.call("POST", f"/tickets/{one}/links", {"other_id": two}, status=204)
    await servicer.call("DELETE", f"/tickets/{two}/links/{one}", status=204)
    assert (await servicer.call("POST", f"/tickets/{three}/merge", {"into_id": one}))["id"] == one
    part = await servicer.call("POST", f"/tickets/{one}/split", draft("另一件事"), status=201)
    links = (await servicer.call("GET", f"/tickets/{one}"))["links"]
    assert {(link["kind"], link["ticket"]["id"]) for link in links} == {
        ("duplicate", three),
        ("parent", part["id"]),
    }


async def test_the_customers_page_without_a_login(
    api: Api, servicer: Api, customer_id: str
) -> None:
    made = await servicer.call(
        "POST", "/tickets", {"title": "故障", "customer_id": customer_id}, status=201
    )
    path = f"/tickets/{made['id']}"
    await servicer.call("POST", f"{path}/entries", {"text": "绝密"}, status=201)
    link = await servicer.call("POST", f"{path}/customer-link")
    token = link["url"].rsplit("/", 1)[1]
    page = await api.call("GET", f"/h5/tickets/{token}")
    assert (page["ticket"]["number"], page["ticket"]["can_rate"]) == (made["number"], False)
    assert "绝密" not in str(page)
    page = await api.call("POST", f"/h5/tickets/{token}/actions", {"action": "nudge"})
    page = await api.call("POST", f"/h5/tickets/{token}/replies", {"text": "急"}, status=201)
    assert page["entries"][-1]["text"] == "急"
    await api.refused(
        "POST",
        f"/h5/tickets/{token}/actions",
        {"action": "escalate"},
        status=422,
        code="bad_value",
    )
    await servicer.call("POST", f"{path}/actions", {"action": "resolve"})
    page = await api.call("POST", f"/h5/tickets/{token}/rating", {"score": 5})
    assert (page["ticket"]["rating_score"], page["ticket"]["can_rate"]) == (5, False)
    page = await api.call("POST", f"/h5/tickets/{token}/actions", {"action": "confirm"})
    assert page["ticket"]["state"] == "closed"
    for forged in (token[:-1] + ("a" if token[-1] != "a" else "b"), "x", "a.b.c"):
        await api.refused("GET", f"/h5/tickets/{forged}", status=403, code="link_invalid")
    for _ in range(40):
        response = await api.raw("POST", f"/h5/tickets/{token}/actions", json={"action": "nudge"})
    assert response.status == 429


async def test_remote_assistance_needs_the_customers_word(
    servicer: Api, supervisor: Api, customer_id: str
) -> None:
    made = await servicer.call(
        "POST", "/tickets", {"title": "故障", "customer_id": customer_id}, status=201
    )
    asked = await servicer.call(
        "POST",
        f"/tickets/{made['id']}/remote",
        {"tool": "todesk", "purpose": "看日志"},
        status=201,
    )
    await servicer.refused(
        "POST", f"/remote/{asked['id']}/start", status=409, code="invalid_transition"
    )
    await servicer.call("POST", f"/remote/{asked['id']}/end", {})
    place = await supervisor.call(
        "POST", "/institutions", {"name": "苏州市疾控中心", "region_code": "320500"}, status=201
    )
    vpn = {"name": "主", "address": "vpn.example.cn", "password": "p"}
    kept = await supervisor.call(
        "POST", f"/institutions/{place['id']}/vpn-profiles", vpn, status=201
    )
    assert "password" not in kept
    path = f"/vpn-profiles/{kept['id']}"
    await servicer.refused("POST", f"{path}/reveal", status=403, code="consent_needed")
    changed = await supervisor.call("PATCH", path, {"password": "q", "version": 1})
    assert changed["version"] == 2
    shown = await supervisor.call("POST", f"{path}/reveal")
    assert (shown["address"], shown["password"]) == ("vpn.example.cn", "q")
    await supervisor.call("DELETE", path, status=204)
    await supervisor.refused("POST", f"{path}/reveal", status=404, code="not_found")


async def test_calendars_days_roster_and_reckoning(supervisor: Api, servicer: Api) -> None:
    made = await supervisor.call(
        "POST", "/calendars", {"name": "工作日", "week": WEEK, "is_default": True}, status=201
    )
    assert made["needs_attention"] is False
    bad = {"name": "x", "week": [[["12:00", "09:00"]]] + [[]] * 6}
    await supervisor.refused("POST", "/calendars", bad, status=422, code="bad_period")
    text = {"text": "2026-03-03,休,停电\n2026-03-07,班"}
    assert await supervisor.call("POST", "/calendars/all/days/import", text) == {"days": 2}
    problem = await supervisor.refused(
        "POST", "/calendars/all/days/import", {"text": "明天,休"}, status=422, code="bad_rows"
    )
    assert problem["errors"][0]["field"] == "1"
    days = await servicer.call(
        "GET", f"/calendars/{made['id']}/days?first=2026-03-02&last=2026-03-08"
    )
    assert [bool(day["periods"]) for day in days["items"]] == [
        True,
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    ask = {"start": "2026-03-02T09:00:00Z", "business_s": 3600}  # Monday 17:00 in Shanghai
    answer = await servicer.call("POST", "/calendar-reckonings", ask)
    assert (answer["is_open"], answer["due_at"]) == (True, "2026-03-04T01:30:00Z")
    await supervisor.call("DELETE", "/calendars/all/days/2026-03-03", status=204)
    me = await servicer.call("GET", "/auth/me")
    shift = {
        "servicer_id": me["servicer"]["id"],
        "starts_at": "2026-03-02T10:00:00Z",
        "ends_at": "2026-03-02T14:00:00Z",
    }
    kept = await supervisor.call("POST", "/roster", shift, status=201)
    span = "since=2026-03-02T00:00:00Z&until=2026-03-03T00:00:00Z"
    assert (await servicer.call("GET", f"/roster?{span}"))["items"] == [kept]
    await supervisor.call("DELETE", f"/roster/{kept['id']}", status=204)
    due = {"start": "2026-03-02T02:00:00Z", "priority": "high"}
    assert (await servicer.call("POST", "/sla-reckonings", due))["policy"] is None


async def test_teams_skills_bindings_and_figures(
    supervisor: Api, servicer: Api, customer_id: str
) -> None:
    me = (await servicer.call("GET", "/auth/me"))["servicer"]["id"]
    team = await supervisor.call("POST", "/teams", {"name": "一组", "leader_id": me}, status=201)
    await supervisor.refused("POST", "/teams", {"name": "一组"}, status=409, code="name_taken")
    team = await supervisor.call(
        "PUT",
        f"/teams/{team['id']}",
        {"name": "一组", "leader_id": me, "about": "x", "version": 1},
    )
    skill = await supervisor.call("POST", "/skills", {"name": "VPN"}, status=201)
    levels = await supervisor.call("PUT", f"/servicers/{me}/skills", {"levels": {skill["id"]: 4}})
    assert levels["items"] == [{"skill_id": skill["id"], "name": "VPN", "level": 4}]
    (member,) = (await servicer.call("GET", f"/teams/{team['id']}/members"))["items"]
    assert (member["is_leader"], member["skills"][0]["level"]) == (True, 4)
    bind = {
        "subject_kind": "customer",
        "subject_id": customer_id,
        "team_id": team["id"],
        "reason": "熟悉",
    }
    await supervisor.call("PUT", "/bindings", bind)
    held = await servicer.call("GET", f"/customers/{customer_id}/bindings")
    assert [one["team_name"] for one in held["items"]] == ["一组"]
    advice = await servicer.call("GET", f"/team-recommendations?customer_id={customer_id}")
    assert advice["items"][0]["reasons"] == ["bound"]
    await supervisor.call("PUT", "/bindings", bind | {"team_id": None})
    history = await servicer.call(
        "GET", f"/bindings?subject_kind=customer&subject_id={customer_id}&with_history=1"
    )
    assert history["items"][0]["ended_at"]
    span = "since=2026-03-01T00:00:00Z&until=2026-03-09T00:00:00Z"
    assert (await supervisor.call("GET", f"/teams/{team['id']}/figures?{span}"))["created"] == 0


async def test_registration_through_the_page(
    api: Api, supervisor: Api, customer_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="core.registration.sms")
    await supervisor.call("POST", "/institutions", {"name": "苏州市疾控中心"}, status=201)
    keys, now = api.services.keyring, api.clock.now()
    path = f"/h5/registrations/{link_token(keys, customer_id, now)}"
    assert (await api.call("POST", path))["step"] == "name"

    async def says(text: str) -> Any:
        return await api.call("POST", f"{path}/answers", {"text": text})

    assert (await says("李医生"))["step"] == "institution"
    hits = await api.call("GET", f"{path}/institutions?q=szsjb")
    assert (await says(hits["items"][0]["name"]))["step"] == "phone"
    assert (await says("12"))["problem"] == "bad_phone"
    assert (await says("13812345678"))["step"] == "code"
    assert (await api.call("POST", f"{path}/back"))["step"] == "phone"
    api.clock.advance(minutes=2)
    await says("13812345678")
    *_, sent = [one for one in caplog.records if getattr(one, "action", "") == "sms.logged"]
    code = sent.getMessage().split()[2]
    assert (await says(code))["step"] == "done"
    token = (await supervisor.call("GET", f"/customers/{customer_id}/profile"))["masked"]
    assert token == {"phone": "138****5678"}
    await api.refused("POST", "/h5/registrations/x", status=403, code="link_invalid")


async def test_registration_links_carry_a_signed_parameter(supervisor: Api) -> None:
    made = await supervisor.call("POST", "/registration-links", {"name": "海报"}, status=201)
    assert made["scene_param"].startswith(f"r.{made['code']}.")
    assert (await supervisor.call("GET", "/registration-links"))["items"] == [made]
    await supervisor.refused(
        "GET", f"/registration-links/{made['code']}/qr", status=404, code="link_not_available"
    )
    await supervisor.call("DELETE", f"/registration-links/{made['code']}", status=204)


async def test_a_solved_ticket_becomes_an_article_in_review(
    servicer: Api, customer_id: str
) -> None:
    draft = {
        "title": "王建国报修：日报上传失败怎么办",
        "description": "我电话13812345678，上传一直失败，为什么？",
        "customer_id": customer_id,
    }
    ticket = await servicer.call("POST", "/tickets", draft, status=201)
    path = f"/tickets/{ticket['id']}"
    await servicer.refused("POST", f"{path}/article-draft", status=409, code="nothing_to_draft")
    note = {"text": "口令是 abc123，别外传", "is_public": False}
    await servicer.call("POST", f"{path}/entries", note, status=201)
    for text in ("好的，请稍等", "请先在“设置”里重装证书控件，再联系 13987654321 复核。"):
        await servicer.call(
            "POST", f"{path}/entries", {"text": text, "is_public": True}, status=201
        )
    made = await servicer.call("POST", f"{path}/article-draft", status=201)
    assert made["question"].endswith("日报上传失败怎么办")
    assert made["answer"] == "请先在“设置”里重装证书控件，再联系 〔手机号〕 复核。"
    assert made["similar"] == ["我电话〔手机号〕，上传一直失败，为什么？"]
    assert made["open"]["state"] == "review"
    assert made["source"] == f"ticket:{ticket['number']}"
