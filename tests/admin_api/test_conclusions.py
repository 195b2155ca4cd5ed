"""What a session was about: proposed, required by setting, changed later, found again."""

from __future__ import annotations

import pytest

from core.actor import Actor
from core.settings import service as settings
from core.tickets import categories
from core.tickets.categories import CategoryDraft
from tests.admin_api.conftest import Api, Login
from tests.admin_api.desk import Customer

ADMIN = Actor.system("test")


async def _category(api: Api, name: str) -> str:
    async with api.services.uow.write() as tx:
        return (await categories.create(tx, CategoryDraft(name), by=ADMIN)).id


@pytest.fixture
async def customer(servicer: Api) -> Customer:
    """Served by `servicer`; spoke of a report that failed."""
    made = Customer(servicer.services.uow)
    await made.says("您好", "传染病数据上报失败，提示超时")
    await made.asks_for_people()
    await servicer.call("PUT", "/servicers/me/presence", {"presence": "online"})
    await servicer.call("POST", f"/sessions/{made.session_id}/claim")
    return made


async def test_a_closing_begins_with_what_was_said_and_is_found_again(
    servicer: Api, customer: Customer
) -> None:
    await _category(servicer, "打印硬件")
    wanted = await _category(servicer, "数据上报")
    path = f"/sessions/{customer.session_id}"
    answer = {"content": {"type": "text", "text": "已为您重新推送"}, "client_id": "a"}
    await servicer.call("POST", f"{path}/messages", answer, status=201)
    proposal = await servicer.call("GET", f"{path}/conclusion")
    assert proposal["summary"] == "问：咨询；答：已为您重新推送"
    assert (proposal["category_id"], proposal["category_name"]) == (wanted, "数据上报")
    assert not proposal["category_required"]

    body = {"summary": " 重新推送后成功 ", "category_id": wanted}
    closed = await servicer.call("POST", f"{path}/close", body)
    assert (closed["summary"], closed["category_name"]) == ("重新推送后成功", "数据上报")
    for query in (f"category_id={wanted}", "q=推送后"):
        found = (await servicer.call("GET", f"/sessions?{query}"))["items"]
        assert [one["id"] for one in found] == [customer.session_id]
    assert not (await servicer.call("GET", "/sessions?category_id=other"))["items"]


async def test_a_person_cannot_leave_out_what_the_setting_requires(
    servicer: Api, customer: Customer
) -> None:
    wanted = await _category(servicer, "数据上报")
    async with servicer.services.uow.write() as tx:
        values = {"category_required": True, "summary_required": True}
        await settings.put(tx, "conclusion", values, version=0, by=ADMIN)
    await servicer.services.settings.load()
    path = f"/sessions/{customer.session_id}"
    await servicer.refused("POST", f"{path}/close", {}, status=422, code="category_required")
    body = {"category_id": wanted}
    await servicer.refused("POST", f"{path}/close", body, status=422, code="summary_required")
    nonsense = {"category_id": "none", "summary": "x"}
    await servicer.refused("POST", f"{path}/close", nonsense, status=422, code="unknown_category")
    assert (await servicer.call("GET", path))["state"] == "serving"
    closed = await servicer.call("POST", f"{path}/close", body | {"summary": "已解决"})
    assert closed["state"] == "closed"


async def test_the_conclusion_may_change_later_but_not_by_just_anybody(
    servicer: Api, customer: Customer, log_in: Login
) -> None:
    other: Api = await log_in("servicer", "other")
    boss: Api = await log_in("supervisor", "boss")
    path = f"/sessions/{customer.session_id}"
    await servicer.call("POST", f"{path}/close", {})
    body = {"summary": "补记：已更换证书"}
    await other.refused("PUT", f"{path}/conclusion", body, status=403, code="not_my_session")
    await other.refused("POST", f"{path}/tags", {"add": ["x"]}, status=403, code="not_my_session")
    assert (await servicer.call("PUT", f"{path}/conclusion", body))["summary"] == body["summary"]
    wanted = await _category(boss, "数据上报")
    changed = await boss.call("PUT", f"{path}/conclusion", {"category_id": wanted})
    assert (changed["summary"], changed["category_id"]) == (body["summary"], wanted)
    changed = await boss.call("PUT", f"{path}/conclusion", {"category_id": ""})
    assert changed["category_id"] is None


async def test_tags_go_on_and_off_and_filter(servicer: Api, customer: Customer) -> None:
    path = f"/sessions/{customer.session_id}"
    tagged = await servicer.call("POST", f"{path}/tags", {"add": ["回访", " 升级 ", "回访"]})
    assert tagged["tags"] == ["回访", "升级"]
    assert (await servicer.call("GET", "/session-tags"))["items"] == [
        {"name": name, "sessions": 1} for name in sorted(["回访", "升级"])
    ]
    found = (await servicer.call("GET", "/sessions?tag=升级"))["items"]
    assert [one["tags"] for one in found] == [["回访", "升级"]]
    less = await servicer.call("POST", f"{path}/tags", {"remove": ["升级"]})
    assert less["tags"] == ["回访"]
    assert not (await servicer.call("GET", "/sessions?tag=升级"))["items"]
    for bad, code in (("", "bad_length"), ("长" * 33, "bad_length")):
        await servicer.refused("POST", f"{path}/tags", {"add": [bad]}, status=422, code=code)
