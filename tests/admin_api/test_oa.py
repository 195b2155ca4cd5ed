"""The OA over real HTTP, signed; and the console's side of it."""

from __future__ import annotations

from aiohttp import FormData

from tests.admin_api.conftest import Api
from tests.admin_api.signing import partner

CITY = {"id": "o1", "version": 1, "name": "苏州市疾控中心", "region_code": "320500"}


async def test_the_oa_pushes_and_the_console_may_not_retype(admin: Api, servicer: Api) -> None:
    oa = await partner(admin, "oa.sync")
    body = {"kind": "institution", "items": [CITY, {"id": "o2", "version": 1, "name": ""}]}
    tried = await oa.call("POST", "/oa/records", body | {"dry_run": True})
    assert (tried["dry_run"], tried["counts"]) == (True, {"created": 1, "conflict": 1})
    assert (await admin.call("GET", "/institution-tree"))["items"] == []
    answer = await oa.call("POST", "/oa/records", body)
    assert answer["rows"][1]["message"] == "没有名称。请在 OA 补上"
    again = await oa.call("POST", "/oa/records", body)
    assert again["counts"] == {"unchanged": 1, "conflict": 1}

    (city,) = (await admin.call("GET", "/institution-tree"))["items"]
    assert city["oa_id"] == "o1"
    change = {"name": "手改", "region_code": "320500", "version": city["version"]}
    problem = await admin.refused(
        "PUT", f"/institutions/{city['id']}", change, status=409, code="owned_by_oa"
    )
    assert "请在 OA 修改" in problem["title"]
    assert (await admin.call("GET", "/oa"))["linked"] == {"institution": 1}
    assert (await oa.call("GET", "/audit", status=403))["code"] == "forbidden"
    await servicer.refused("GET", "/oa/conflicts", status=403, code="forbidden")


async def test_a_conflict_is_shown_with_what_to_do_and_mended_in_the_console(admin: Api) -> None:
    made = await admin.call("POST", "/institutions", {"name": "苏州市疾控中心"}, status=201)
    await admin.call("POST", "/oa/records", {"kind": "institution", "items": [CITY]})
    (conflict,) = (await admin.call("GET", "/oa/conflicts"))["items"]
    assert conflict["candidate_id"] == made["id"]
    assert "关联" in conflict["message"]
    await admin.call("POST", f"/oa/conflicts/{conflict['id']}/retry")
    assert len((await admin.call("GET", "/oa/conflicts"))["items"]) == 1
    done = await admin.call("POST", f"/oa/conflicts/{conflict['id']}/link")
    assert done["counts"] == {"updated": 1}
    shown = await admin.call("GET", f"/institutions/{made['id']}")
    assert (shown["oa_id"], shown["region_code"]) == ("o1", "320500")
    assert (await admin.call("GET", "/oa/conflicts"))["items"] == []

    link = {"kind": "institution", "oa_id": "o7", "own_id": made["id"]}
    await admin.refused("POST", "/oa/links", link, status=409, code="linked_already")
    await admin.call("DELETE", "/oa/links/institution/o1", status=204)
    await admin.call("POST", "/oa/links", link, status=204)
    await admin.refused("POST", "/oa/pull", status=409, code="oa_not_configured")


async def test_a_table_is_tried_before_it_is_taken(admin: Api) -> None:
    table = "id,version,name,region_code\no1,1,苏州市疾控中心,320500\no2,1,,320500\n"
    for dry_run, wanted in (("true", 0), ("false", 1)):
        form = FormData()
        form.add_field("file", table.encode(), filename="机构.csv", content_type="text/csv")
        path = f"/oa/files?kind=institution&dry_run={dry_run}"
        answer = await admin.call("POST", path, data=form)
        assert answer["counts"] == {"created": 1, "conflict": 1}
        assert len((await admin.call("GET", "/institution-tree"))["items"]) == wanted
    await admin.call("DELETE", f"/oa/conflicts/{await _only_conflict(admin)}", status=204)


async def _only_conflict(admin: Api) -> str:
    (conflict,) = (await admin.call("GET", "/oa/conflicts"))["items"]
    return str(conflict["id"])
