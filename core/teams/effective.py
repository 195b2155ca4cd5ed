"""Which bindings hold for a customer: their own, else those of the nearest institution above."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Select, String, and_, bindparam, literal, select, union_all

from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.statements import Statement
from core.teams.models import BindingRow, TeamRow
from core.teams.views import BindingView

#: How far up the tree of institutions a binding is looked for.
MAX_TREE_DEPTH: Final = 8
_CUSTOMER = bindparam("a_customer", type_=String)
_COLUMNS: Final = tuple(
    getattr(BindingRow, name)
    for name in BindingView.model_fields
    if name not in ("team_name", "inherited_from")
)


def _statement() -> Statement:
    """All of them at once, with how far away they are: a walk would ask once for each step."""
    above = (
        select(CustomerRow.institution_id.label("id"), literal(1, Integer).label("depth"))
        .where(CustomerRow.id == _CUSTOMER, CustomerRow.institution_id.is_not(None))
        .cte("above", recursive=True)
    )
    above = above.union_all(
        select(InstitutionRow.parent_id, above.c.depth + 1)
        .join(above, InstitutionRow.id == above.c.id)
        .where(InstitutionRow.parent_id.is_not(None), above.c.depth < MAX_TREE_DEPTH)
    )
    of_customer = and_(
        BindingRow.subject_kind == literal("customer", String), BindingRow.subject_id == _CUSTOMER
    )
    of_institution = and_(
        BindingRow.subject_kind == literal("institution", String),
        BindingRow.subject_id == above.c.id,
    )
    own = _live(select(literal(0, Integer).label("depth"), *_COLUMNS, _NAME)).where(of_customer)
    inherited = _live(select(above.c.depth, *_COLUMNS, _NAME)).join(above, of_institution)
    return Statement(union_all(own, inherited))


_NAME = TeamRow.name.label("team_name")


def _live(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(BindingRow)
        .join(TeamRow, TeamRow.id == BindingRow.team_id)
        .where(BindingRow.ended_at.is_(None), TeamRow.is_active.is_(True))
    )


_EFFECTIVE: Final = _statement()


async def effective_bindings(tx: Tx, customer_id: str) -> tuple[BindingView, ...]:
    """What holds for a customer: the own bindings, else the nearest institution's upwards.

    Primary before secondary; only active teams.
    """
    await tx.flush()
    rows = await tx.fetch(_EFFECTIVE, {"a_customer": customer_id})
    if not rows:
        return ()
    nearest = min(row.depth for row in rows)
    found = [row._asdict() for row in rows if row.depth == nearest]
    return tuple(
        BindingView.model_validate(
            {name: value for name, value in one.items() if name != "depth"}
            | {"inherited_from": one["subject_id"] if nearest else None}
        )
        for one in sorted(found, key=lambda one: str(one["rank"]))
    )
