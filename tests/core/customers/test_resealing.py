from __future__ import annotations

import pytest

from core.actor import Actor
from core.customers import merge, profiles
from core.customers.profiles import CustomerSecret
from core.customers.resealing import Resealing
from core.db import Tx, UnitOfWork
from core.registration import service as registration
from core.registration.models import RegistrationRow
from core.sealing import KeyRing, SealBroken
from tests.core import seed

BOSS = Actor.system()
OLD = KeyRing.from_secrets(["a secret of sixteen"])
BOTH = KeyRing.from_secrets(["another secret of 16", "a secret of sixteen"])
NEW = KeyRing.from_secrets(["another secret of 16"])
VALUES = {
    CustomerSecret.PHONE: "13812345678",
    CustomerSecret.EMAIL: "li@yun.cn",
    CustomerSecret.ID_NUMBER: "11010519491231002X",
}


async def person(tx: Tx, *kinds: CustomerSecret) -> str:
    made = await seed.customer(tx)
    for kind in kinds:
        await profiles.store_secret(tx, OLD, made, kind, VALUES[kind])
    return made


async def resealed(tx: Tx) -> None:
    work = Resealing(BOTH)
    for step in (work.merges, work.customers, work.registrations):
        assert await step(tx) is None


async def test_after_a_key_change_old_values_are_found_and_sealed_anew(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        made = await person(tx, *VALUES)
        for kind, value in VALUES.items():
            assert await profiles.find(tx, BOTH, kind, value) == (made,)
            assert await profiles.find(tx, NEW, kind, value) == ()
        await resealed(tx)
        for kind, value in VALUES.items():
            assert await profiles.find(tx, NEW, kind, value) == (made,)
            assert await profiles.reveal(tx, NEW, made, kind, by=BOSS) == value


async def test_a_pass_goes_on_where_a_step_ended(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        people = sorted([await person(tx, kind) for kind in VALUES])
        work = Resealing(BOTH)
        assert await work.customers(tx, limit=2) == people[1]
        assert await work.customers(tx, people[1], limit=2) is None
        for kind, value in VALUES.items():
            assert await profiles.find(tx, NEW, kind, value) != ()


async def test_a_merge_can_be_undone_under_the_new_key(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        kept = await person(tx, CustomerSecret.EMAIL)
        gone = await person(tx, *VALUES)
        merged = await merge.merge(tx, kept, gone, by=BOSS)
    async with uow.write() as tx:
        await resealed(tx)
    async with uow.write() as tx:
        await merge.undo(tx, merged.id, by=BOSS)
    async with uow.write() as tx:
        for kind, value in VALUES.items():
            assert await profiles.reveal(tx, NEW, gone, kind, by=BOSS) == value
        assert await profiles.find(tx, NEW, CustomerSecret.PHONE, "13812345678") == (gone,)
        assert (await profiles.profile(tx, kept)).masked == {CustomerSecret.EMAIL: "l***@yun.cn"}


async def test_a_form_that_is_half_filled_in_goes_on(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        place = await seed.institution(tx, "云岭县疾控中心")
        made = await seed.customer(tx, institution_id=place)
        await registration.begin(tx, made)
        await registration.answer(tx, OLD, made, "林小雨")
        await registration.answer(tx, OLD, made, "13812345678")
        await resealed(tx)
        row = await tx.db.get_one(RegistrationRow, made)
        assert NEW.open(row.phone_sealed, context=registration.SEALED_FOR) == "13812345678"


async def test_a_key_that_is_not_on_the_ring_stops_the_pass(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        await person(tx, CustomerSecret.PHONE)
        with pytest.raises(SealBroken):
            await Resealing(NEW).customers(tx)
