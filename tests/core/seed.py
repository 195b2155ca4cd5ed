"""Rows that most tests of the core need, made with few words."""

from __future__ import annotations

from core.actor import Actor
from core.customers import names
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.ids import new_id
from core.permissions import permissions_of
from core.servicers.models import ServicerRow
from core.users.models import UserRow
from core.views import Role


async def servicer(tx: Tx, name: str, *, role: Role = Role.SERVICER, capacity: int = 5) -> Actor:
    """A user with a servicer behind it, as the actor of what follows."""
    user_id, servicer_id = new_id(), new_id()
    tx.db.add(
        UserRow(
            id=user_id,
            username=f"{name}-{user_id}",
            name=name,
            role=role,
            password_hash="",
            password_changed_at=tx.now,
            created_at=tx.now,
        )
    )
    await tx.db.flush()
    tx.db.add(
        ServicerRow(
            id=servicer_id,
            user_id=user_id,
            name=name,
            capacity=capacity,
            presence="online",
            idle_since=tx.now,
        )
    )
    await tx.db.flush()
    return Actor(user_id, servicer_id, name, role, permissions_of(role))


async def institution(tx: Tx, name: str, *, parent_id: str | None = None, level: str = "") -> str:
    row = InstitutionRow(
        id=new_id(), name=name, parent_id=parent_id, contract_level=level, created_at=tx.now
    )
    tx.db.add(row)
    await tx.db.flush()
    return row.id


async def customer(tx: Tx, name: str = "李医生", *, institution_id: str | None = None) -> str:
    row = CustomerRow(id=new_id(), name=name, institution_id=institution_id, created_at=tx.now)
    tx.db.add(row)
    await names.rename(tx, row, name)
    return row.id
