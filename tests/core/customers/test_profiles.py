from __future__ import annotations

import pytest
from sqlalchemy import select

from core.actor import Actor
from core.audit.models import AuditRow
from core.customers import profiles
from core.customers.file_models import CustomerSecretRow
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.fields import FieldSpec
from core.sealing import KeyRing
from core.settings import service as settings
from core.settings.sections import Customers
from core.views import Role
from tests.core import seed

BOSS = Actor.system()
KEYS = KeyRing.from_secrets(["a secret of sixteen"])
GOOD = {
    CustomerSecret.PHONE: ("+86 138-1234-5678", "13812345678", "138****5678"),
    CustomerSecret.EMAIL: ("Li.Yi@CDC.cn", "li.yi@cdc.cn", "l***@cdc.cn"),
    CustomerSecret.ID_NUMBER: ("11010519491231002x", "11010519491231002X", "110*************2X"),
}


@pytest.mark.parametrize("kind", CustomerSecret)
async def test_secrets_are_sealed_found_masked_and_revealed(
    uow: UnitOfWork, kind: CustomerSecret
) -> None:
    typed, normal, masked = GOOD[kind]
    async with uow.write() as tx:
        person = await seed.customer(tx)
        await profiles.set_secret(tx, KEYS, person, kind, typed, by=BOSS)
        assert (await profiles.profile(tx, person)).masked == {kind: masked}
        assert await profiles.find(tx, KEYS, kind, normal) == (person,)
        assert await profiles.find(tx, KEYS, kind, "0000") == ()
        assert await profiles.reveal(tx, KEYS, person, kind, by=BOSS) == normal
        await profiles.set_secret(tx, KEYS, person, kind, "", by=BOSS)
        assert await profiles.find(tx, KEYS, kind, normal) == ()
        with pytest.raises(NotFound):
            await profiles.reveal(tx, KEYS, person, kind, by=BOSS)


async def test_no_plain_value_rests_in_any_column(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        person = await seed.customer(tx)
        for kind, (typed, _, _) in GOOD.items():
            await profiles.set_secret(tx, KEYS, person, kind, typed, by=BOSS)
        rows = [
            *await tx.db.scalars(select(CustomerRow)),
            *await tx.db.scalars(select(CustomerSecretRow)),
            *await tx.db.scalars(select(AuditRow)),
        ]
        text = "".join(str(vars(row)) for row in rows)
    assert not any(normal in text for _, normal, _ in GOOD.values())


async def test_only_those_who_may_see_a_number_and_every_look_is_audited(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        person = await seed.customer(tx)
        await profiles.set_secret(tx, KEYS, person, CustomerSecret.PHONE, "13812345678", by=BOSS)
        servicer = await seed.servicer(tx, "甲")
        chief = await seed.servicer(tx, "主管", role=Role.SUPERVISOR)
        with pytest.raises(Forbidden):
            await profiles.reveal(tx, KEYS, person, CustomerSecret.PHONE, by=servicer)
        for _ in range(2):
            await profiles.reveal(tx, KEYS, person, CustomerSecret.PHONE, by=chief)
        looks = await tx.db.scalars(select(AuditRow).where(AuditRow.action == "customer.revealed"))
        assert [(row.actor, row.target) for row in looks] == [(chief.key, person)] * 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CustomerSecret.PHONE, "12"),
        (CustomerSecret.EMAIL, "li.yi"),
        (CustomerSecret.EMAIL, "a b@c.cn"),
        (CustomerSecret.ID_NUMBER, "110105194912310021"),  # the check character is X
        (CustomerSecret.ID_NUMBER, "1234"),
    ],
)
def test_what_cannot_be_one_is_refused(kind: CustomerSecret, value: str) -> None:
    with pytest.raises(Invalid):
        profiles.checked(kind, value)


async def test_custom_fields_follow_the_setting(uow: UnitOfWork) -> None:
    async with uow.write() as tx:
        person = await seed.customer(tx)
        spec = FieldSpec(key="post", title="职务", kind="choice", choices=("科长", "医生"))
        value = Customers(fields=(spec,)).model_dump(mode="json")
        await settings.put(tx, "customers", value, version=0, by=BOSS)
        await profiles.set_custom(tx, person, {"post": "医生"}, version=1, by=BOSS)
        assert (await profiles.profile(tx, person)).custom == {"post": "医生"}
        with pytest.raises(Invalid):
            await profiles.set_custom(tx, person, {"post": "院长"}, version=2, by=BOSS)
        with pytest.raises(Conflict) as caught:
            await profiles.set_custom(tx, person, {}, version=1, by=BOSS)
        assert set(caught.value.facts) == {"version", "current", "yours"}
