"""What can be imported from a table, and by whom it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.actor import Actor
from core.customers import importer as customers
from core.db import Tx
from core.imports.queries import ImportKind
from core.institutions import importer as institutions
from core.sealing import KeyRing
from core.tables import Part, RowKeys, Taken


class _CheckHeading(Protocol):
    def __call__(self, tx: Tx, heading: Sequence[str], /) -> Awaitable[tuple[str, ...]]: ...


class _Take(Protocol):
    def __call__(
        self, tx: Tx, keys: KeyRing, part: Part, /, *, by: Actor, is_dry: bool
    ) -> Awaitable[Taken]: ...


@dataclass(frozen=True, slots=True)
class Importer:
    """check_heading: the columns that nothing is done with; Invalid where one is missing.

    take: create and update what the good rows of a part mean; Forbidden.
    """

    rows: RowKeys
    check_heading: _CheckHeading
    take: _Take


IMPORTERS: Final[dict[ImportKind, Importer]] = {
    ImportKind.CUSTOMERS: Importer(customers.KEYS, customers.check_heading, customers.take),
    ImportKind.INSTITUTIONS: Importer(
        institutions.KEYS, institutions.check_heading, institutions.take
    ),
}
