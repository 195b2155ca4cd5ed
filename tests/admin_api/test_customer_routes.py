"""Customer files, segments, institutions and reviews over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import FormData

from core.content import Address
from core.customers import service as customers
from core.db import UnitOfWork
from core.imports.service import IMPORT_TIMER, step
from core.local import in_process
from core.tables import read_table
from core.timers.runner import TimerRunner
from core.timers.service import Timer
from tests.admin_api.conftest import Api


async def customer(api: Api, user: str) -> str:
    async with api.services.uow.write() as tx:
        return (await customers.ensure_identity(tx, Address("wecom_kf", "door", user))).customer_id


async def test_a_number_is_kept_found_masked_and_revealed_to_the_permitted(
    api: Api, servicer: Api, supervisor: Api
) -> None:
    one = await customer(api, "one")
    path = f"/customers/{one}/secrets/phone"
    shown = await servicer.call("PUT", path, {"value": "138-1234-5678"})
    assert shown["masked"] == {"phone": "138****5678"}
    found = await servicer.call(
        "POST", "/customer-finds", {"kind": "phone", "value": "13812345678"}
    )
    assert [item["id"] for item in found["items"]] == [one]
    await servicer.refused("POST", f"{path}/reveal", status=403, code="forbidden")
    assert await supervisor.call("POST", f"{path}/reveal") == {"value": "13812345678"}
    await servicer.refused("PUT", path, {"value": "12"}, status=422, code="bad_phone")
    await servicer.refused(
        "PUT", f"/customers/{one}/secrets/shoe_size", {"value": "1"}, status=422, code="bad_value"
    )


async def test_duplicates_are_merged_and_separated_again(
    api: Api, servicer: Api, supervisor: Api
) -> None:
    one, two = await customer(api, "one"), await customer(api, "two")
    for each in (one, two):
        await servicer.call("PUT", f"/customers/{each}/secrets/phone", {"value": "13812345678"})
    (found,) = (await servicer.call("GET", f"/customers/{one}/duplicates"))["items"]
    assert (found["customer"]["id"], found["reasons"]) == (two, ["phone"])
    assert len((await supervisor.call("GET", "/customer-duplicates"))["items"]) == 1
    merged = await supervisor.call("POST", f"/customers/{one}/merge", {"gone_id": two})
    assert merged["moved"] == {"identities": 1}
    await servicer.refused("GET", f"/customers/{two}", status=404, code="customer_not_found")
    back = await supervisor.call("POST", f"/customer-merges/{merged['id']}/undo")
    assert back["id"] == two
    assert (await servicer.call("GET", f"/customers/{one}/merges"))["items"][0]["undone_at"]


async def test_the_timeline_shows_tickets(api: Api, servicer: Api) -> None:
    one = await customer(api, "one")
    made = await servicer.call(
        "POST", "/tickets", {"title": "故障", "customer_id": one}, status=201
    )
    line = await servicer.call("GET", f"/customers/{one}/timeline")
    assert [(item["kind"], item["id"]) for item in line["items"]] == [("ticket", made["id"])]
    assert (await servicer.call("GET", f"/customers/{one}/timeline?kind=session,file"))[
        "items"
    ] == []
    await servicer.refused(
        "GET", f"/customers/{one}/timeline?kind=dream", status=422, code="bad_value"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
async def test_import_with_a_dry_run_and_export_again(
    supervisor: Api, uow: UnitOfWork, encoding: str
) -> None:
    table = "姓名,电话,标签\n李医生,13812345678,重点\n,13900000000,\n"

    def form() -> FormData:
        data = FormData()
        data.add_field(
            "file", table.encode(encoding), filename="客户.csv", content_type="text/csv"
        )
        return data

    async def imported(path: str) -> Any:
        job = await supervisor.call("POST", path, data=form(), status=201)
        assert job["state"] == "running"
        runner = TimerRunner(uow, {IMPORT_TIMER: work}, in_process().wake_up)
        while await runner.run_due():
            pass
        return await supervisor.call("GET", f"/imports/{job['id']}")

    async def work(timer: Timer) -> None:
        await step(uow, supervisor.services.keyring, timer)

    tried = await imported("/customers/import?dry_run=1")
    assert (tried["job"]["created"], tried["job"]["failed"]) == (1, 1)
    problem = {"row": 3, "column": "姓名", "code": "required", "message": "必填"}
    assert tried["errors"] == [problem]
    file = await supervisor.raw("GET", f"/imports/{tried['job']['id']}/errors?format=csv")
    assert (await file.read()).decode("utf-8-sig").splitlines()[1] == "3,姓名,必填"
    assert (await supervisor.call("GET", "/customers"))["items"] == []
    done = await imported("/customers/import")
    assert (done["job"]["state"], done["job"]["created"]) == ("done", 1)
    cancel = f"/imports/{done['job']['id']}/cancel"
    await supervisor.refused("POST", cancel, status=409, code="already_done")
    assert [one["is_dry"] for one in (await supervisor.call("GET", "/imports"))["items"]] == [
        False,
        True,
    ]
    for kind, full, phone in (("xlsx", 0, "138****5678"), ("csv", 1, "13812345678")):
        response = await supervisor.raw("GET", f"/customer-export?format={kind}&full={full}")
        rows = read_table(await response.read(), f"x.{kind}")
        assert (rows[0][:3], rows[1][0], rows[1][2]) == (["姓名", "机构", "电话"], "李医生", phone)
    tags = await supervisor.call("GET", "/customer-tags")
    assert tags["items"] == [{"name": "重点", "customers": 1}]


async def test_institutions_are_imported_by_whoever_may(
    servicer: Api, supervisor: Api, uow: UnitOfWork
) -> None:
    def form(text: str) -> FormData:
        data = FormData()
        data.add_field("file", text.encode("gbk"), filename="机构.csv", content_type="text/csv")
        return data

    good = "名称,上级\n苏州市疾控,\n门诊部,苏州市疾控\n"
    await servicer.refused(
        "POST", "/institutions/import", data=form(good), status=403, code="forbidden"
    )
    await supervisor.refused(
        "POST", "/institutions/import", data=form("上级\nx\n"), status=422, code="no_name_column"
    )
    job = await supervisor.call("POST", "/institutions/import", data=form(good), status=201)
    assert (job["kind"], job["total"]) == ("institutions", 2)

    async def work(timer: Timer) -> None:
        await step(uow, supervisor.services.keyring, timer)

    while await TimerRunner(uow, {IMPORT_TIMER: work}, in_process().wake_up).run_due():
        pass
    (hit,) = (await supervisor.call("GET", "/institution-search?q=mzb"))["items"]
    assert hit["path"] == ["苏州市疾控", "门诊部"]
    found = await supervisor.call("GET", f"/institutions/{hit['id']}")
    await supervisor.call(
        "PUT", f"/institutions/{hit['id']}", {**draft_of(found), "is_active": False}
    )
    assert (await supervisor.call("GET", "/institution-search?q=mzb"))["items"] == []
    closed = await supervisor.call("GET", "/institution-search?q=mzb&with_closed=1")
    assert [one["id"] for one in closed["items"]] == [hit["id"]]


def draft_of(found: Any) -> dict[str, Any]:
    return {name: found[name] for name in ("name", "parent_id", "version")}


async def test_tags_for_many_and_a_segment_that_counts_them(
    api: Api, servicer: Api, supervisor: Api
) -> None:
    ids = [await customer(api, name) for name in ("one", "two", "three")]
    assert await servicer.call(
        "POST", "/customer-tags", {"customer_ids": ids[:2], "add": ["重点"]}
    ) == {"changed": 2}
    rule = {"kind": "all", "rules": [{"kind": "tag", "tag": "重点"}, {"kind": "temporary"}]}
    preview = await servicer.call("POST", "/segment-previews", {"rule": rule})
    assert (preview["count"], {one["id"] for one in preview["sample"]}) == (2, set(ids[:2]))
    await servicer.refused(
        "POST", "/segment-previews", {"rule": {"kind": "sql"}}, status=422, code="bad_rule"
    )
    made = await servicer.call("POST", "/segments", {"name": "重点", "rule": rule}, status=201)
    assert (await supervisor.call("GET", "/segments"))["items"] == [made]
    page = await servicer.call("GET", f"/segments/{made['id']}/customers?limit=1")
    assert page["next_cursor"]
    changed = await supervisor.call(
        "PUT", f"/segments/{made['id']}", {"name": "重点客户", "rule": rule, "version": 1}
    )
    assert changed["version"] == 2
    await servicer.call("DELETE", f"/segments/{made['id']}", status=204)


async def test_the_institution_tree_is_built_found_and_guarded(
    servicer: Api, supervisor: Api
) -> None:
    regions = await servicer.call("GET", "/regions?parent=320000")
    assert "320500" in {one["code"] for one in regions["items"]}
    top = await supervisor.call(
        "POST", "/institutions", {"name": "江苏省疾控中心", "region_code": "320000"}, status=201
    )
    below = await supervisor.call(
        "POST", "/institutions", {"name": "苏州市疾控中心", "parent_id": top["id"]}, status=201
    )
    assert below["path"] == ["江苏省疾控中心", "苏州市疾控中心"]
    roots = await servicer.call("GET", "/institution-tree")
    assert [(one["name"], one["children"]) for one in roots["items"]] == [("江苏省疾控中心", 1)]
    hits = await servicer.call("GET", "/institution-search?q=szsjbyfkzzx")
    assert [one["id"] for one in hits["items"]] == [below["id"]]
    await supervisor.refused("DELETE", f"/institutions/{top['id']}", status=409, code="in_use")
    circle = {"name": "江苏省疾控中心", "parent_id": below["id"], "version": 1}
    await supervisor.refused(
        "PUT", f"/institutions/{top['id']}", circle, status=422, code="own_descendant"
    )
    await supervisor.call("DELETE", f"/institutions/{below['id']}", status=204)
    await servicer.refused("POST", "/institutions", {"name": "x"}, status=403, code="forbidden")


async def test_a_ticket_is_reviewed_and_objected_to(
    api: Api, servicer: Api, supervisor: Api
) -> None:
    one = await customer(api, "one")
    made = await servicer.call(
        "POST", "/tickets", {"title": "故障", "customer_id": one}, status=201
    )
    await servicer.call("POST", f"/tickets/{made['id']}/claim")
    await servicer.call("POST", f"/tickets/{made['id']}/actions", {"action": "resolve"})
    items = [{"key": "attitude", "title": "态度", "weight": 100}]
    card = await supervisor.call(
        "POST", "/score-cards", {"name": "标准", "items": items}, status=201
    )
    drawn = await supervisor.call("GET", "/review-samples?kind=ticket&since=2026-03-01T00:00:00Z")
    assert [item["subject_id"] for item in drawn["items"]] == [made["id"]]
    body = {
        "subject_kind": "ticket",
        "subject_id": made["id"],
        "card_id": card["id"],
        "scores": {"attitude": 4},
    }
    review = await supervisor.call("POST", "/reviews", body, status=201)
    assert review["total"] == 80
    bad = await supervisor.refused(
        "POST", "/reviews", body | {"scores": {}}, status=422, code="invalid_scores"
    )
    assert bad["errors"] == [{"field": "scores.attitude", "message": "必填"}]
    await servicer.call("POST", f"/reviews/{review['id']}/appeal", {"text": "不同意"})
    await supervisor.call("POST", f"/reviews/{review['id']}/appeal-answer", {"text": "维持"})
    (mine,) = (await servicer.call("GET", "/reviews"))["items"]
    assert mine["appeal_answer"] == "维持"
    await servicer.refused("POST", "/reviews", body, status=403, code="forbidden")
