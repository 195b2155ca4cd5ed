"""The OA's records: in any order, any number of times, and from two sides at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from core.actor import Actor
from core.customers import merge, profiles
from core.customers import service as customers
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret
from core.customers.queries import customer_view
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden
from core.institutions import queries as tree
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.oa import conflicts, pairing, sync
from core.oa.sync import OaReport
from core.ownership.queries import OaKind, oa_ids
from core.sealing import KeyRing
from core.servicers.queries import servicer_of_wecom
from core.settings import service as settings
from core.settings.oa import Oa
from core.users import queries as users
from core.users import service as user_service
from core.users.models import UserRow
from core.users.service import UserChange

BOSS = Actor.system("test")
KEYS = KeyRing.from_secrets(["a secret of the tests only"])
CITY = {"id": "o1", "version": 1, "name": "苏州市疾控中心", "region_code": "320500"}
DISTRICT = {"id": "o2", "version": 1, "name": "姑苏区疾控中心", "parent_id": "o1"}
CLINIC = {"id": "o3", "version": 1, "name": "平江社区卫生服务中心", "parent_id": "o2"}
LIN = {"id": "p1", "version": 1, "name": "林晓", "phone": "13800138000", "institution_id": "o3"}


async def push(uow: UnitOfWork, kind: str, *items: Mapping[str, Any]) -> OaReport:
    async with uow.write() as tx:
        return await sync.take(tx, KEYS, OaKind(kind), items, source="push", by=BOSS)


def told(report: OaReport) -> list[tuple[str, str]]:
    return [(row.oa_id, row.code or row.result) for row in report.rows]


async def own(uow: UnitOfWork, table: Any, **where: str) -> str:
    async with uow.read() as tx:
        query = select(table.id).filter_by(**where)
        return str((await tx.db.scalars(query)).one())


async def shape(uow: UnitOfWork) -> dict[str, tuple[str, ...]]:
    """Institution → the names above it."""
    async with uow.read() as tx:
        ids = (await tx.db.scalars(select(InstitutionRow.id))).all()
        found = [await tree.get(tx, one) for one in ids]
    return {one.name: one.path for one in found}


TREE = {
    "苏州市疾控中心": ("苏州市疾控中心",),
    "姑苏区疾控中心": ("苏州市疾控中心", "姑苏区疾控中心"),
    "平江社区卫生服务中心": ("苏州市疾控中心", "姑苏区疾控中心", "平江社区卫生服务中心"),
}


@pytest.mark.parametrize("order", [*permutations([CITY, DISTRICT, CLINIC])])
async def test_the_tree_is_the_same_in_whatever_order_it_comes(
    uow: UnitOfWork, order: Sequence[Mapping[str, Any]]
) -> None:
    for record in order:
        await push(uow, "institution", record)
    assert await shape(uow) == TREE
    async with uow.read() as tx:
        assert await conflicts.count(tx) == 0


async def test_children_before_parents_in_one_batch_are_no_conflict(uow: UnitOfWork) -> None:
    report = await push(uow, "institution", CLINIC, DISTRICT, CITY)
    assert told(report) == [("o3", "created"), ("o2", "created"), ("o1", "created")]
    assert await shape(uow) == TREE


async def test_late_and_repeated_records_change_nothing(uow: UnitOfWork) -> None:
    await push(uow, "institution", CITY)
    newest = CITY | {"version": 5, "name": "苏州市疾病预防控制中心"}
    assert told(await push(uow, "institution", newest)) == [("o1", "updated")]
    assert told(await push(uow, "institution", newest)) == [("o1", "unchanged")]
    late = CITY | {"version": 4, "name": "旧名称"}
    assert told(await push(uow, "institution", late)) == [("o1", "stale")]
    gone = {"id": "o9", "version": 7, "name": "已关闭", "is_active": False}
    await push(uow, "institution", gone)
    assert told(await push(uow, "institution", gone | {"version": 6, "is_active": True})) == [
        ("o9", "stale")
    ]
    assert list(await shape(uow)) == ["苏州市疾病预防控制中心"]
    moment = {"id": "o8", "version": "2026-03-02 10:00:00", "name": "按时间"}
    await push(uow, "institution", moment)
    earlier = moment | {"version": "2026-03-02T01:59:59+00:00", "name": "更早"}
    assert told(await push(uow, "institution", earlier)) == [("o8", "stale")]


async def test_two_pushes_at_once_make_one_of_each(uow: UnitOfWork) -> None:
    reports = await asyncio.gather(
        *(push(uow, "institution", CITY, DISTRICT, CLINIC) for _ in range(4))
    )
    results = sorted(row.result for report in reports for row in report.rows)
    assert results == ["created"] * 3 + ["unchanged"] * 9
    assert await shape(uow) == TREE


class _Crash(Exception):
    """The process ends here."""


async def test_a_crash_between_leaves_nothing_half_and_the_repeat_completes(
    uow: UnitOfWork,
) -> None:
    with suppress(_Crash):
        async with uow.write() as tx:
            await sync.take(tx, KEYS, OaKind.INSTITUTION, [CITY, DISTRICT], source="push", by=BOSS)
            raise _Crash
    assert await shape(uow) == {}
    async with uow.rehearse() as tx:
        tried = await sync.take(tx, KEYS, OaKind.INSTITUTION, [CITY], source="file", by=BOSS)
    assert (told(tried), await shape(uow)) == ([("o1", "created")], {})
    await push(uow, "institution", CITY, DISTRICT, CLINIC)
    assert await shape(uow) == TREE


async def test_what_cannot_be_taken_is_kept_with_its_reason(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        made = await institutions.create(tx, InstitutionDraft("常州市疾控中心"), by=BOSS)
    report = await push(
        uow,
        "institution",
        CITY | {"region_code": "999999"},
        {"id": "o5", "version": 1, "name": "常州市疾控中心"},
        {"id": "o6", "version": 1, "name": "无锡市疾控中心"},
        {"id": "o7", "version": 1, "name": "无锡市疾控中心"},
        {"id": "o8", "version": "昨天", "name": "没有版本"},
        {"version": 1, "name": ["没有编号"]},
        {"id": "p", "version": 1, "name": "自己的上级", "parent_id": "p"},
    )
    assert [row.code for row in report.rows] == [
        "unknown_region",
        "same_name",
        "",
        "twice_in_oa",
        "bad_record",
        "bad_record",
        "parent_missing",
    ]
    async with uow.read() as tx:
        kept = (await conflicts.listed(tx)).items
    assert len(kept) == 6
    candidate = next(one for one in kept if one.code == "same_name")
    assert candidate.candidate_id == made
    async with uow.write() as tx:
        await pairing.link_candidate(tx, KEYS, candidate.id, by=BOSS)
    assert told(await push(uow, "institution", CITY | {"version": 2})) == [("o1", "created")]
    async with uow.read() as tx:
        assert (await tree.get(tx, made)).oa_id == "o5"
        assert {one.oa_id for one in (await conflicts.listed(tx)).items} >= {"o7", "o8", "p"}
        assert await conflicts.count(tx) == 4


async def test_an_institution_that_the_oa_ended_is_offered_to_nobody(uow: UnitOfWork) -> None:
    await push(uow, "institution", CITY, DISTRICT)
    await push(uow, "institution", DISTRICT | {"version": 2, "is_active": "停用"})
    ended = await own(uow, InstitutionRow, name="姑苏区疾控中心")
    async with uow.read() as tx:
        assert [one.name for one in await tree.search(tx, "疾控中心")] == ["苏州市疾控中心"]
        assert not (await tree.get(tx, ended)).is_active
    await push(uow, "institution", DISTRICT | {"version": 3})
    async with uow.read() as tx:
        assert len(await tree.search(tx, "疾控中心")) == 2


async def test_people_of_an_institution_wait_for_it(uow: UnitOfWork) -> None:
    assert told(await push(uow, "contact", LIN)) == [("p1", "institution_missing")]
    await push(uow, "contact", LIN | {"version": 2, "phone": "13800138001"})
    report = await push(uow, "institution", CITY, DISTRICT, CLINIC)
    assert told(report)[-1] == ("p1", "created")
    lin = await own(uow, CustomerRow, name="林晓")
    async with uow.read() as tx:
        view = await customer_view(tx, lin)
        assert view.institution_name == CLINIC["name"]
        assert await profiles.find(tx, KEYS, CustomerSecret.PHONE, "13800138001") == (lin,)
        sealed = (await tx.db.get_one(CustomerRow, lin)).phone_sealed
    assert "13800138001" not in sealed
    await push(uow, "contact", LIN | {"version": 3, "is_active": "离职"})
    async with uow.read() as tx:
        assert (await customer_view(tx, lin)).tags == ("OA 已停用",)


async def test_a_number_of_somebody_else_is_for_people_to_decide(uow: UnitOfWork) -> None:
    await push(uow, "institution", CITY, DISTRICT, CLINIC)
    await push(uow, "contact", LIN)
    async with uow.write() as tx:
        row = CustomerRow(id="visitor", name="访客", created_at=tx.now, version=1)
        row.tags, row.custom = [], {}
        tx.db.add(row)
        await tx.db.flush()
        await profiles.store_secret(tx, KEYS, "visitor", CustomerSecret.PHONE, "13900139000")
    wei = {"id": "p2", "version": 1, "name": "魏来", "phone": "139 0013 9000"}
    twice = {"id": "p3", "version": 1, "name": "林小", "phone": "13800138000"}
    assert told(await push(uow, "contact", wei, twice, LIN | {"id": "p4", "phone": "12"})) == [
        ("p2", "phone_taken"),
        ("p3", "phone_twice"),
        ("p4", "bad_phone"),
    ]
    async with uow.read() as tx:
        found = {one.oa_id: one for one in (await conflicts.listed(tx)).items}
    async with uow.write() as tx:
        await pairing.link_candidate(tx, KEYS, found["p2"].id, by=BOSS)
    async with uow.read() as tx:
        assert (await customer_view(tx, "visitor")).name == "魏来"


async def test_merged_customers_keep_their_ids_and_get_them_back(uow: UnitOfWork) -> None:
    await push(uow, "institution", CITY, DISTRICT, CLINIC)
    await push(uow, "contact", LIN, LIN | {"id": "p2", "name": "林小", "phone": ""})
    kept = await own(uow, CustomerRow, name="林晓")
    gone = await own(uow, CustomerRow, name="林小")
    async with uow.write() as tx:
        done = await merge.merge(tx, kept, gone, by=BOSS)
    newer = LIN | {"id": "p2", "version": 2, "name": "别的名字", "phone": ""}
    assert told(await push(uow, "contact", newer)) == [("p2", "merged_record")]
    assert told(await push(uow, "contact", LIN | {"version": 2, "name": "林晓敏"})) == [
        ("p1", "updated")
    ]
    async with uow.write() as tx:
        await merge.undo(tx, done.id, by=BOSS)
    async with uow.read() as tx:
        assert await oa_ids(tx, OaKind.CONTACT, [kept, gone]) == {kept: "p1", gone: "p2"}
        waiting = (await conflicts.listed(tx)).items[0]
    async with uow.write() as tx:
        await sync.retry(tx, KEYS, waiting.id, by=BOSS)
    async with uow.read() as tx:
        assert (await customer_view(tx, gone)).name == "别的名字"


async def test_staff_become_logins_and_leave_with_the_oa(uow: UnitOfWork) -> None:
    zhao = {"id": "s1", "version": 1, "username": "zhao", "name": "赵工", "wecom_userid": "Zhao"}
    report = await push(
        uow, "staff", zhao, zhao | {"id": "s2"}, zhao | {"id": "s3", "username": "x y"}
    )
    assert told(report) == [("s1", "created"), ("s2", "wecom_taken"), ("s3", "wecom_taken")]
    user = await own(uow, UserRow, username="zhao")
    async with uow.read() as tx:
        servicer = await servicer_of_wecom(tx, "zhao")
    assert servicer is not None
    assert servicer.user_id == user
    async with uow.write() as tx:
        with pytest.raises(Conflict, match="owned_by_oa"):
            await user_service.change(tx, user, UserChange(name="赵"), version=1, by=BOSS)
    await push(uow, "staff", zhao | {"version": 2, "is_active": "离职"})
    async with uow.read() as tx:
        assert (await users.get_user(tx, user)).is_disabled
    hand = {"id": "s4", "version": 1, "username": "zhao", "name": "同名"}
    assert told(await push(uow, "staff", hand)) == [("s4", "username_twice")]


async def test_an_institutions_engineer_comes_with_the_staff_or_after(uow: UnitOfWork) -> None:
    value = Oa().model_dump(mode="json")
    value["institution_fields"].append({"ours": "engineer", "theirs": "engineer_id"})
    async with uow.write() as tx:
        await settings.put(tx, "oa", value, version=0, by=BOSS)
    city = CITY | {"engineer_id": "s1"}
    assert told(await push(uow, "institution", city)) == [("o1", "engineer_missing")]
    zhao = {"id": "s1", "version": 1, "username": "zhao", "name": "赵工"}
    report = await push(uow, "staff", zhao)
    assert told(report) == [("s1", "created"), ("o1", "engineer_no_servicer")]
    report = await push(uow, "staff", zhao | {"version": 2, "wecom_userid": "Zhao"})
    assert told(report) == [("s1", "updated"), ("o1", "created")]
    place = await own(uow, InstitutionRow, name="苏州市疾控中心")
    async with uow.read() as tx:
        assert (await tree.get(tx, place)).engineer_name == "赵工"
        (listed,) = [one for one in (await users.list_users(tx)).items if one.username == "zhao"]
    assert (listed.oa_id, listed.has_password) == ("s1", False)
    assert set(listed.owned) == {"username", "name", "is_active", "wecom_userid"}
    await push(uow, "institution", city | {"version": 9, "engineer_id": ""})
    async with uow.read() as tx:
        found = await tree.get(tx, place)
    assert found.engineer_id is None
    draft = InstitutionDraft(found.name, region_code=found.region_code, engineer_id="e1")
    async with uow.write() as tx:
        with pytest.raises(Conflict, match="owned_by_oa"):
            await institutions.change(tx, place, draft, version=found.version, by=BOSS)


async def test_what_the_oa_owns_is_changed_there(uow: UnitOfWork) -> None:
    await push(uow, "institution", CITY)
    await push(uow, "contact", LIN | {"institution_id": "o1"})
    place = await own(uow, InstitutionRow, name="苏州市疾控中心")
    lin = await own(uow, CustomerRow, name="林晓")
    draft = InstitutionDraft("改名", region_code="320500")
    async with uow.write() as tx:
        with pytest.raises(Conflict, match="owned_by_oa"):
            await institutions.change(tx, place, draft, version=1, by=BOSS)
        with pytest.raises(Conflict, match="owned_by_oa"):
            await _rename(tx, lin)
        with pytest.raises(Conflict, match="owned_by_oa"):
            await profiles.set_secret(tx, KEYS, lin, CustomerSecret.PHONE, "13500135000", by=BOSS)
        engineer = InstitutionDraft("苏州市疾控中心", region_code="320500", engineer_id="e1")
        await institutions.change(tx, place, engineer, version=1, by=BOSS)
        await pairing.unlink(tx, "institution", "o1", by=BOSS)
        await institutions.change(tx, place, draft, version=2, by=BOSS)
    nobody = Actor(None, None, "x", None, frozenset())
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await sync.take(tx, KEYS, OaKind.STAFF, [], source="push", by=nobody)


async def _rename(tx: Any, customer_id: str) -> None:
    version = (await customer_view(tx, customer_id)).version
    await customers.change(tx, customer_id, version=version, name="改名", by=BOSS)
