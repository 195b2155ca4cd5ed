from __future__ import annotations

from itertools import pairwise

import pytest

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Conflict, Invalid, NotFound
from core.institutions import matching, queries, regions, service
from core.institutions.service import InstitutionDraft
from tests.core import seed

BOSS = Actor.system()
NAMES = (
    "苏州市疾病预防控制中心",
    "苏州市姑苏区疾病预防控制中心",
    "杭州市第一人民医院",
    "常熟市卫生健康委员会",
    "苏州大学附属第一医院",
)


@pytest.mark.parametrize(
    ("typed", "best"),
    [
        ("苏州市疾病预防控制中心", NAMES[0]),
        ("苏州疾控", NAMES[0]),
        ("苏州市疾控中心", NAMES[0]),
        ("姑苏疾控中心", NAMES[1]),
        ("杭州第一医院", NAMES[2]),
        ("常熟卫健委", NAMES[3]),
        ("苏大附一院", NAMES[4]),
        ("szsjbyfkzzx", NAMES[0]),
        ("hangzhou", NAMES[2]),
        ("杭洲市第一人民医院", NAMES[2]),  # a wrong character
    ],
)
async def test_people_find_their_institution(uow: UnitOfWork, typed: str, best: str) -> None:
    async with uow.write() as tx:
        for name in NAMES:
            await service.create(tx, InstitutionDraft(name), by=BOSS)
        hits = await queries.search(tx, typed)
    assert hits[0].name == best
    assert all(earlier.score >= later.score for earlier, later in pairwise(hits))


async def test_nonsense_finds_nothing(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await service.create(tx, InstitutionDraft(NAMES[0]), by=BOSS)
        for typed in ("", "%%%", "火星基地", "qqqq"):
            assert await queries.search(tx, typed) == ()


def test_scores_order_from_same_to_unlike() -> None:
    name = "苏州市疾病预防控制中心"
    typed = (name, "苏州市疾病", "苏州疾控", "苏州医院")
    scores = [matching.score(one, matching.keys_of(name)) for one in typed]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert matching.score("", matching.keys_of(name)) == 0.0


async def test_a_moved_institution_takes_its_subtree_along(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        province = await service.create(tx, InstitutionDraft("江苏省"), by=BOSS)
        city = await service.create(tx, InstitutionDraft("苏州市", province), by=BOSS)
        clinic = await service.create(tx, InstitutionDraft("姑苏诊所", city), by=BOSS)
        other = await service.create(tx, InstitutionDraft("浙江省"), by=BOSS)
        assert (await queries.get(tx, clinic)).path == ("江苏省", "苏州市", "姑苏诊所")
        assert set(await queries.subtree_ids(tx, province)) == {province, city, clinic}
        await service.change(tx, city, InstitutionDraft("苏州市", other), version=1, by=BOSS)
        assert (await queries.get(tx, clinic)).path == ("浙江省", "苏州市", "姑苏诊所")
        assert await queries.subtree_ids(tx, province) == (province,)
        assert set(await queries.subtree_ids(tx, other)) == {other, city, clinic}
        with pytest.raises(Invalid, match="own_descendant"):
            await service.change(tx, other, InstitutionDraft("浙江省", clinic), version=1, by=BOSS)
        with pytest.raises(Conflict):
            await service.change(tx, city, InstitutionDraft("苏州市"), version=1, by=BOSS)


async def test_one_level_is_read_page_by_page(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        root = await service.create(tx, InstitutionDraft("江苏省", region_code="320000"), by=BOSS)
        for name in "丁丙乙甲":
            await service.create(tx, InstitutionDraft(name, root), by=BOSS)
        await seed.customer(tx, institution_id=root)
        first = await queries.children(tx, root, limit=3)
        rest = await queries.children(tx, root, limit=3, cursor=first.next_cursor)
        assert len(first.items) == 3
        assert {one.name for one in (*first.items, *rest.items)} == set("甲乙丙丁")
        (top,) = (await queries.children(tx, None)).items
        assert (top.children, top.customers, top.region) == (4, 1, ("江苏省",))


async def test_only_what_nobody_uses_can_be_removed(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        used = await service.create(tx, InstitutionDraft("有人"), by=BOSS)
        free = await service.create(tx, InstitutionDraft("没人"), by=BOSS)
        await seed.customer(tx, institution_id=used)
        with pytest.raises(Conflict, match="in_use"):
            await service.remove(tx, used, by=BOSS)
        await service.remove(tx, free, by=BOSS)
        with pytest.raises(NotFound):
            await queries.get(tx, free)


async def test_rows_that_came_another_way_get_their_keys(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        parent = await seed.institution(tx, "江苏省疾控中心")
        await seed.institution(tx, "苏州市疾控中心", parent_id=parent)
        assert await queries.search(tx, "苏州疾控") == ()
        assert await service.ensure_keys(tx) == 2
        assert await service.ensure_keys(tx) == 0
        (hit,) = [one for one in await queries.search(tx, "苏州疾控") if one.score > 0.6]
        assert hit.path == ("江苏省疾控中心", "苏州市疾控中心")


async def test_an_unknown_region_is_refused(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        with pytest.raises(Invalid, match="unknown_region"):
            await service.create(tx, InstitutionDraft("x", region_code="999999"), by=BOSS)


def test_regions_form_a_tree() -> None:
    assert regions.path_of("320508") == ("江苏省", "苏州市", "姑苏区")
    assert ("320000", "江苏省") in regions.children_of()
    assert ("320500", "苏州市") in regions.children_of("320000")
    assert ("320508", "姑苏区") in regions.children_of("320500")
    assert ("110108", "海淀区") in regions.children_of("110000")
    assert ("320508", "姑苏区") not in regions.children_of("320000")
    assert regions.prefix_of("320500") == "3205"
