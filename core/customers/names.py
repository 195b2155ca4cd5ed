"""Names of customers, and the index that finds them by a part of it.

A word is a pair of neighbouring Chinese characters, the first character of a Chinese run (a
surname), or the beginning of a Latin run. Everything that names a customer goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select

from core.customers.file_models import CustomerWordRow
from core.customers.models import CustomerRow
from core.db import Tx
from core.statements import Statement

#: Beyond so many a word is common, and its exact number does not matter.
_COUNTED: Final = 1000
_RUN: Final = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_LONGEST: Final = 16
_TABLE = cast("Table", CustomerWordRow.__table__)
_FORGET = Statement(delete(_TABLE).where(_TABLE.c.customer_id == bindparam("a_customer")))
_WRITE = Statement(insert(_TABLE).inline(), columns=("word", "customer_id"))


def words_of(name: str) -> frozenset[str]:
    """All words under which a name is found."""
    found: set[str] = set()
    for run in _RUN.findall(name.lower()):
        if run[0].isascii():
            found |= {run[:end] for end in range(2, min(len(run), _LONGEST) + 1)} or {run}
        else:
            found |= {run[0]} | _pairs(run)
    return frozenset(found)


def searched(text: str) -> frozenset[str]:
    """Words that a name must have to contain this text, or to begin with its Latin runs."""
    found: set[str] = set()
    for run in _RUN.findall(text.lower()):
        found |= {run[:_LONGEST]} if run[0].isascii() or len(run) == 1 else _pairs(run)
    return frozenset(found)


async def rename(tx: Tx, row: CustomerRow, name: str) -> None:
    """Give a stored customer a name."""
    row.name = name
    await index(tx, row.id, name)


async def index(tx: Tx, customer_id: str, name: str) -> None:
    """Write down the words of a stored customer's name, in the transaction that sets it."""
    await index_all(tx, {customer_id: name}, known=(customer_id,))


async def index_all(tx: Tx, names: Mapping[str, str], *, known: Sequence[str]) -> None:
    """The words of many names, by customer. known: those who may have words already."""
    await tx.flush()
    await tx.run_many(_FORGET, [{"a_customer": customer_id} for customer_id in known])
    rows = [
        {"word": word, "customer_id": customer_id}
        for customer_id, name in names.items()
        for word in sorted(words_of(name))
    ]
    await tx.run_many(_WRITE, rows)


async def rarest(tx: Tx, words: Sequence[str]) -> str | None:
    """The word that the fewest names have; None when there is no word."""
    found: tuple[int, str] | None = None
    for word in words:
        some = select(CustomerWordRow.customer_id).where(CustomerWordRow.word == word)
        some = some.order_by(CustomerWordRow.customer_id)  # by the index, however common
        counted = select(func.count()).select_from(some.limit(_COUNTED).subquery())
        count = await tx.db.scalar(counted) or 0
        if found is None or count < found[0]:
            found = (count, word)
        if not count:
            break
    return found[1] if found else None


def _pairs(run: str) -> set[str]:
    return {run[i : i + 2] for i in range(len(run) - 1)}
