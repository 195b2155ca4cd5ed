"""Customers by what people type: part of a name, of an institution's name, or an exact number.

Every step reads an index: words of names, names of institutions, blind indexes of sealed fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, true

from core.customers import names, profiles
from core.customers.file_models import CustomerWordRow
from core.customers.models import CustomerRow
from core.customers.profiles import CustomerSecret
from core.customers.queries import customer_views
from core.db import Tx
from core.institutions import queries as institutions
from core.institutions.models import InstitutionKeyRow
from core.paging import Page, decode_cursor, page_of
from core.sealing import KeyRing
from core.views import CustomerView

_MAX_TERMS: Final = 4
#: Up to so many institutions are named in the statement; more are met soon on the newest pages.
_FEW: Final = 200
_NEWEST: Final = 20_000
#: Fewer customers than these have a rare word: they are read by their ids.
_FEW_NAMED: Final = 1000


@dataclass(frozen=True, slots=True)
class _Term:
    """One word of the search, and the institutions that it may mean."""

    text: str
    places: tuple[str, ...]

    @property
    def is_broad(self) -> bool:
        return len(self.places) > _FEW

    def works_there(self) -> ColumnElement[bool]:
        """The customer belongs to one of those institutions."""
        if self.is_broad:  # asked of each customer: those are met soon
            here = InstitutionKeyRow.institution_id == CustomerRow.institution_id
            return institutions.meant(self.text).where(here).exists()
        return CustomerRow.institution_id.in_(self.places)

    def fits(self) -> ColumnElement[bool]:
        return or_(self.is_named(), self.works_there())

    def is_named(self) -> ColumnElement[bool]:
        return CustomerRow.name.icontains(self.text, autoescape=True)


async def search(
    tx: Tx, keys: KeyRing, q: str, *, cursor: str | None = None, limit: int = 50
) -> Page[CustomerView]:
    """Newest first. Words divided by spaces must all fit the name or the institution."""
    before = CustomerRow.id < decode_cursor(cursor, str)[0] if cursor else true()
    found = await _exactly(tx, keys, q, before)
    terms = [await _term(tx, text) for text in q.split()[:_MAX_TERMS]]
    if terms:
        leader = min(terms, key=lambda term: (term.is_broad, -len(term.text)))
        others = and_(true(), *(term.fits() for term in terms if term is not leader))
        found |= await _named(tx, leader, and_(before, others), limit + 1)
        found |= await _working(tx, leader, before, others, limit + 1)
    ids = sorted(found, reverse=True)[: limit + 1]
    return page_of(await customer_views(tx, ids), limit, lambda view: (view.id,))


async def _term(tx: Tx, text: str) -> _Term:
    places = await tx.db.scalars(institutions.meant(text).limit(_FEW + 1))
    return _Term(text, tuple(places))


async def _exactly(tx: Tx, keys: KeyRing, q: str, before: ColumnElement[bool]) -> set[str]:
    """Who has this very phone number, e-mail address or identity number."""
    ids = {one for kind in CustomerSecret for one in await profiles.find(tx, keys, kind, q)}
    if not ids:
        return ids
    return set(await tx.db.scalars(select(CustomerRow.id).where(CustomerRow.id.in_(ids), before)))


async def _named(tx: Tx, term: _Term, where: ColumnElement[bool], limit: int) -> set[str]:
    word = await names.rarest(tx, sorted(names.searched(term.text)))
    if word is None:
        return set()
    ids = select(CustomerWordRow.customer_id).where(CustomerWordRow.word == word)
    ids = ids.order_by(CustomerWordRow.customer_id.desc())
    fits = and_(term.is_named(), where)
    few = (await tx.db.scalars(ids.limit(_FEW_NAMED))).all()
    if len(few) < _FEW_NAMED:
        rare = select(CustomerRow.id).where(CustomerRow.id.in_(few), fits)
        return set(await tx.db.scalars(rare.order_by(CustomerRow.id.desc()).limit(limit)))
    common = ids.join(CustomerRow, CustomerRow.id == CustomerWordRow.customer_id).where(fits)
    return set(await tx.db.scalars(common.limit(limit)))


async def _working(
    tx: Tx, term: _Term, before: ColumnElement[bool], others: ColumnElement[bool], limit: int
) -> set[str]:
    """Customers of a few institutions at once; of many, those among the newest first."""
    if not term.places:
        return set()
    fitting = (
        select(CustomerRow.id)
        .where(before, others, term.works_there())
        .order_by(CustomerRow.id.desc())
        .limit(limit)
    )
    if term.is_broad:
        newest = select(CustomerRow.id).where(before).order_by(CustomerRow.id.desc())
        last = newest.offset(_NEWEST).limit(1).scalar_subquery()
        found = set(await tx.db.scalars(fitting.where(CustomerRow.id > last)))
        if len(found) == limit:
            return found
    return set(await tx.db.scalars(fitting))
