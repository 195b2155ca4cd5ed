"""Which value of each field stays when two customers become one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Table, and_, delete, exists, select

from core.customers.file_models import CustomerSecretRow
from core.customers.models import CustomerRow
from core.db import Base, Tx
from core.errors import Invalid

_CUSTOM: Final = "custom."
#: Field → its columns; the first says whether there is a value at all.
_COLUMNS: Final = {
    "name": ("name",),
    "avatar": ("avatar_url",),
    "institution": ("institution_id",),
    "phone": ("phone_sealed", "phone_index", "phone_masked"),
}
#: Fields with a row of their own.
_ROWS: Final = ("email", "id_number")


def check(take: Collection[str]) -> None:
    """Raises: Invalid `unknown_field`."""
    for name in take:
        if name not in (*_COLUMNS, *_ROWS) and not name.startswith(_CUSTOM):
            raise Invalid("unknown_field", field=name[:64])


def combine(kept: CustomerRow, gone: CustomerRow, take: Collection[str] | None) -> None:
    """The kept customer, completed from the other. take: fields whose other value replaces ours.

    None leaves the name to us: whoever has registered gives it. Tags and notes of both stay.
    """
    if take is None:
        take = ("name",) if kept.is_temporary and not gone.is_temporary else ()
    for field, (first, *others) in _COLUMNS.items():
        if getattr(gone, first) and (field in take or not getattr(kept, first)):
            for column in (first, *others):
                setattr(kept, column, getattr(gone, column))
    kept.is_temporary = kept.is_temporary and gone.is_temporary
    chosen = {key: gone.custom[key] for key in gone.custom if f"{_CUSTOM}{key}" in take}
    kept.custom = {**gone.custom, **kept.custom, **chosen}
    kept.tags = list(dict.fromkeys([*kept.tags, *gone.tags]))
    kept.note = "\n".join(note for note in (kept.note, gone.note) if note)
    kept.version += 1


async def give_way(
    tx: Tx, kept_id: str, gone_id: str, take: Collection[str]
) -> tuple[Table, list[dict[str, Any]]]:
    """Remove the sealed values of ours that the other's replace; where they were, and what."""
    table = Base.metadata.tables[CustomerSecretRow.__tablename__]
    theirs = table.alias()
    replaced = and_(
        table.c.customer_id == kept_id,
        table.c.kind.in_([kind for kind in _ROWS if kind in take]),
        exists().where(theirs.c.customer_id == gone_id, theirs.c.kind == table.c.kind),
    )
    rows = [dict(row) for row in (await tx.db.execute(select(table).where(replaced))).mappings()]
    await tx.db.execute(delete(table).where(replaced))
    return table, rows
