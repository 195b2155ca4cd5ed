"""Customer files, segments, institutions and reviews over HTTP."""

from __future__ import annotations

import pytest
from aiohttp import FormData

from core.content import Address
from core.customers import service as customers
from core.tables import read_table
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
async def test_import_with_a_dry_run_and_export_again(supervisor: Api, encoding: str) -> None:
    table = "姓名,电话,标签\n李医生,13812345678,重点\n,13900000000,\n"

    def form() -> FormData:
        data = FormData()
        data.add_field(
            "file", table.encode(encoding), filename="客户.csv", content_type="text/csv"
        )
        return data

    tried = await supervisor.raw("POST", "/customers/import?dry_run=1", data=form())
    report = await tried.json()
    assert (report["created"], report["errors"]) == (
        1,
        [{"row": 3, "column": "姓名", "code": "required"}],
    )
    assert (await supervisor.call("GET", "/customers"))["items"] == []
    done = await supervisor.raw("POST", "/customers/import", data=form())
    assert (await done.json())["created"] == 1
    for kind, full, phone in (("xlsx", 0, "138****5678"), ("csv", 1, "13812345678")):
        response = await supervisor.raw("GET", f"/customer-export?format={kind}&full={full}")
        rows = read_table(await response.read(), f"x.{kind}")
        assert (rows[0][:3], rows[1][0], rows[1][2]) == (["姓名", "机构", "电话"], "李医生", phone)
    tags = await supervisor.call("GET", "/customer-tags")
    assert tags["items"] == [{"name": "重点", "customers": 1}]


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
