"""Reads of the institution tree: fuzzy search, children, subtree, one with its place."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import NotFound
from core.institutions import matching, regions
from core.institutions.models import InstitutionKeyRow
from core.ownership.queries import OaKind, fields_of, oa_ids
from core.paging import Page, decode_cursor, page_of
from core.servicers.models import ServicerRow
from core.views import View

_CANDIDATES = 300
_MIN_SCORE = 0.25
MAX_LIMIT = 200
_CLOSED = select(InstitutionRow.id).where(InstitutionRow.is_active.is_(False))


class InstitutionDetail(View):
    """path: names from the root down; region: names of the division; below it in the tree."""

    id: str
    name: str
    parent_id: str | None
    path: tuple[str, ...]
    kind: str
    region_code: str
    region: tuple[str, ...]
    product: str
    product_version: str
    contract_level: str
    engineer_id: str | None
    engineer_name: str
    is_active: bool
    #: The OA's id; "" for one that people keep here.
    oa_id: str
    #: Fields that are changed in the OA only.
    owned: tuple[str, ...]
    children: int
    customers: int
    version: int


class InstitutionHit(View):
    """score: 0…1, how well the name fits what was typed."""

    id: str
    name: str
    path: tuple[str, ...]
    score: float


async def get(tx: Tx, institution_id: str) -> InstitutionDetail:
    """Raises: NotFound."""
    row = await tx.db.get(InstitutionRow, institution_id)
    if row is None:
        raise NotFound(noun="institution", id=institution_id)
    return (await _details(tx, [row]))[0]


async def children(
    tx: Tx, parent_id: str | None, *, cursor: str | None = None, limit: int = 50
) -> Page[InstitutionDetail]:
    """One level of the tree (None: the roots), by name."""
    limit = max(1, min(limit, MAX_LIMIT))
    query = select(InstitutionRow).where(InstitutionRow.parent_id == parent_id)
    if cursor:
        name, last_id = decode_cursor(cursor, str, str)
        same_name = and_(InstitutionRow.name == name, InstitutionRow.id > last_id)
        query = query.where(or_(InstitutionRow.name > name, same_name))
    order = (InstitutionRow.name, InstitutionRow.id)
    rows = (await tx.db.scalars(query.order_by(*order).limit(limit + 1))).all()
    return page_of(await _details(tx, rows), limit, lambda view: (view.name, view.id))


async def search(
    tx: Tx, typed: str, *, limit: int = 10, with_closed: bool = False
) -> tuple[InstitutionHit, ...]:
    """Institutions that people may have meant, best first; pinyin and initials count too."""
    want = matching.normal(typed)
    if not want:
        return ()
    keys = InstitutionKeyRow
    columns = (keys.institution_id, keys.normal, keys.initials, keys.pinyin)
    may = select(keys.institution_id).where(_may_mean(want))
    if not with_closed:
        may = may.where(keys.institution_id.not_in(_CLOSED))
    nearest = may.order_by(func.length(keys.normal), keys.institution_id).limit(_CANDIDATES)
    scores = {
        key: (matching.score(typed, matching.Keys(*found)), len(found[0]))
        for key, *found in await tx.db.execute(
            select(*columns).where(keys.institution_id.in_(nearest))
        )
    }
    good = [key for key, (score, _) in scores.items() if score >= _MIN_SCORE]
    best = sorted(good, key=lambda key: (-scores[key][0], scores[key][1], key))[:limit]
    paths = await _paths(tx, best)
    return tuple(
        InstitutionHit(
            id=key, name=paths[key][-1], path=paths[key], score=round(scores[key][0], 3)
        )
        for key in best
    )


def meant(typed: str) -> Select[str]:
    """Ids of institutions whose name has all of it in this order, or is spelled or abbreviated so.

    A narrower net than `search` throws: short forms count, a mere likeness does not.
    """
    want = matching.normal(typed)
    keys = InstitutionKeyRow
    ways: list[ColumnElement[bool]] = [false()]
    if want:
        ways.append(keys.normal.like("%" + "%".join(want) + "%"))
    if want.isascii() and len(want) > 1:
        ways += [keys.initials.contains(want), keys.pinyin.contains(want)]
    return select(keys.institution_id).where(or_(*ways))


async def subtree_ids(tx: Tx, institution_id: str) -> tuple[str, ...]:
    """The institution and everything below it."""
    keys = await tx.db.get(InstitutionKeyRow, institution_id)
    if keys is None:
        return (institution_id,)
    below = InstitutionKeyRow.path.startswith(keys.path)
    return tuple(await tx.db.scalars(select(InstitutionKeyRow.institution_id).where(below)))


def _may_mean(want: str) -> ColumnElement[bool]:
    """A wide net that the database can throw; the score decides."""
    in_order = "%" + "%".join(want) + "%"
    if want.isascii():
        return or_(
            InstitutionKeyRow.initials.contains(want),
            InstitutionKeyRow.pinyin.contains(want),
            InstitutionKeyRow.normal.contains(want),
        )
    pairs = [want[i : i + 2] for i in range(len(want) - 1)]
    overlaps = [InstitutionKeyRow.normal.contains(pair) for pair in pairs[:12]]
    return or_(InstitutionKeyRow.normal.like(in_order), *overlaps)


async def _details(tx: Tx, rows: Sequence[InstitutionRow]) -> list[InstitutionDetail]:
    ids = [row.id for row in rows]
    paths = await _paths(tx, ids)
    below = select(InstitutionRow.parent_id, func.count()).where(InstitutionRow.parent_id.in_(ids))
    people = select(CustomerRow.institution_id, func.count()).where(
        CustomerRow.institution_id.in_(ids)
    )
    nodes = {key: n for key, n in await tx.db.execute(below.group_by(InstitutionRow.parent_id))}  # noqa: C416
    count = people.group_by(CustomerRow.institution_id)
    persons = {key: number for key, number in await tx.db.execute(count)}  # noqa: C416
    linked = await oa_ids(tx, OaKind.INSTITUTION, ids)
    owned = await fields_of(tx, OaKind.INSTITUTION)
    engineers = {row.engineer_id for row in rows if row.engineer_id}
    named = select(ServicerRow.id, ServicerRow.name).where(ServicerRow.id.in_(engineers))
    names = {key: name for key, name in await tx.db.execute(named)}  # noqa: C416
    return [
        InstitutionDetail(
            id=row.id,
            name=row.name,
            parent_id=row.parent_id,
            path=paths.get(row.id, (row.name,)),
            kind=row.kind,
            region_code=row.region_code,
            region=regions.path_of(row.region_code),
            product=row.product,
            product_version=row.product_version,
            contract_level=row.contract_level,
            engineer_id=row.engineer_id,
            engineer_name=names.get(row.engineer_id or "", ""),
            is_active=row.is_active,
            oa_id=linked.get(row.id, ""),
            owned=owned if row.id in linked else (),
            children=nodes.get(row.id, 0),
            customers=persons.get(row.id, 0),
            version=row.version,
        )
        for row in rows
    ]


async def _paths(tx: Tx, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names from the root down, by id."""
    query = select(InstitutionKeyRow.institution_id, InstitutionKeyRow.path)
    found = (await tx.db.execute(query.where(InstitutionKeyRow.institution_id.in_(ids)))).all()
    steps = {key: path.rstrip("/").split("/") for key, path in found}
    above = {step for path in steps.values() for step in path}
    named = select(InstitutionRow.id, InstitutionRow.name).where(InstitutionRow.id.in_(above))
    names = {key: name for key, name in await tx.db.execute(named)}  # noqa: C416
    return {key: tuple(names.get(step, "") for step in path) for key, path in steps.items()}
