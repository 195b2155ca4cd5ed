from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.actor import Actor
from core.content import Address
from core.customers import importer, merge, names, profiles, service
from core.customers.file_models import CustomerWordRow
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret
from core.customers.search import search
from core.db import Tx, UnitOfWork
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.sealing import KeyRing
from core.tables import parts_of
from tests.core import seed

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])


async def found(tx: Tx, q: str, **page: object) -> list[str]:
    shown = await search(tx, KEYS, q, **page)  # type: ignore[arg-type]
    return [one.name for one in shown.items]


@pytest.mark.parametrize(
    ("typed", "people"),
    [
        ("建国", ["王建国"]),
        ("王", ["王小云", "王建国"]),
        ("zhang", ["Zhang San"]),
        ("ZHANG s", ["Zhang San"]),
        ("云岭疾控", ["王小云", "王建国"]),
        ("ylxjb", ["王小云", "王建国"]),
        ("疾控 建国", ["王建国"]),
        ("建国 医院", []),
        ("138-1234 5678", ["Zhang San"]),
        ("+86 13812345678", ["Zhang San"]),
        ("1381234", []),
        ("SAN@cdc.cn", ["Zhang San"]),
        ("打印机", []),
        ("%", []),
        ("_", []),
    ],
)
async def test_customers_are_found_by_what_people_type(
    uow: UnitOfWork, typed: str, people: list[str]
) -> None:
    async with uow.write() as tx:
        place = await institutions.create(tx, InstitutionDraft("云岭县疾病预防控制中心"), by=BOSS)
        await seed.customer(tx, "王建国", institution_id=place)
        await seed.customer(tx, "王小云", institution_id=place)
        foreigner = await seed.customer(tx, "Zhang San")
        await profiles.store_secret(tx, KEYS, foreigner, CustomerSecret.PHONE, "13812345678")
        await profiles.store_secret(tx, KEYS, foreigner, CustomerSecret.EMAIL, "san@cdc.cn")
    async with uow.read() as tx:
        assert await found(tx, typed) == people


async def test_pages_of_a_search_follow_one_another(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        place = await institutions.create(tx, InstitutionDraft("建国路医院"), by=BOSS)
        for number in range(5):
            where = place if number % 2 else None
            await seed.customer(
                tx, f"建国{number}" if not number % 2 else "李医生", institution_id=where
            )
    async with uow.read() as tx:
        first = await search(tx, KEYS, "建国", limit=3)
        rest = await search(tx, KEYS, "建国", limit=3, cursor=first.next_cursor)
        shown = [one.name for one in (*first.items, *rest.items)]
        assert shown == ["建国4", "李医生", "建国2", "李医生", "建国0"]
        assert rest.next_cursor is None


async def test_many_institutions_of_one_name_hide_no_customer(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.customers.search._FEW", 2)
    monkeypatch.setattr("core.customers.search._NEWEST", 3)
    async with uow.write() as tx:
        places = [
            await institutions.create(tx, InstitutionDraft(f"第{n}医院"), by=BOSS)
            for n in range(4)
        ]
        for place in places:
            await seed.customer(tx, "李医生", institution_id=place)
        for _ in range(4):
            await seed.customer(tx, "路人")
    async with uow.read() as tx:
        assert await found(tx, "医院") == ["李医生"] * 4
        assert await found(tx, "第2医院") == ["李医生"]


async def words(tx: Tx) -> dict[str, set[str]]:
    kept: dict[str, set[str]] = {}
    for word, customer_id in await tx.db.execute(
        select(CustomerWordRow.word, CustomerWordRow.customer_id)
    ):
        kept.setdefault(customer_id, set()).add(word)
    return kept


async def test_whatever_names_a_customer_keeps_the_words(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        guest = (await service.ensure_identity(tx, Address("wecom_kf", "a", "wm7788"))).customer_id
        await service.take_profile(tx, guest, nickname="小雨 Lin", avatar_url="")
        other = (await service.ensure_identity(tx, Address("wecom_kf", "a", "wm9900"))).customer_id
        await service.change(tx, other, version=1, by=BOSS, name="林小雨")
        table = [["姓名", "电话"], ["赵明", "13800000000"]]
        (part,) = parts_of(table, importer.KEYS, 100)
        await importer.take(tx, KEYS, part, by=BOSS, is_dry=False)
        merged = await merge.merge(tx, guest, other, by=BOSS)
        assert other not in await words(tx)
        await merge.undo(tx, merged.id, by=BOSS)
    async with uow.read() as tx:
        people = (await tx.db.execute(select(CustomerRow.id, CustomerRow.name))).all()
        assert len(people) == 3
        assert await words(tx) == {key: set(names.words_of(name)) for key, name in people}


@given(st.text(alphabet="王建国云 ab1é·", max_size=12), st.data())
def test_every_pair_of_a_name_leads_to_it(name: str, data: st.DataObject) -> None:
    words = names.words_of(name)
    for run in name.split():
        start = data.draw(st.integers(0, len(run)))
        part = run[start : start + 2]
        if len(part) == 2 and all(char >= "\u4e00" for char in part):
            assert names.searched(part) <= words
