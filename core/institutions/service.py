"""The only writer of institutions and of the keys that find them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from sqlalchemy import select, update

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.institutions import matching, regions
from core.institutions.models import InstitutionKeyRow
from core.ownership.queries import OaKind, refuse_owned
from core.permissions import Permission

MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class InstitutionDraft:
    """kind: cdc, hospital, clinic, commission … (free); region_code: six digits or empty."""

    name: str
    parent_id: str | None = None
    kind: str = ""
    region_code: str = ""
    product: str = ""
    product_version: str = ""
    contract_level: str = ""
    engineer_id: str | None = None
    is_active: bool = True


async def create(tx: Tx, draft: InstitutionDraft, *, by: Actor) -> str:
    """Returns the id. Raises: Forbidden; NotFound for the parent; Invalid."""
    by.require(Permission.CUSTOMER_MANAGE)
    institution_id = await store(tx, None, draft)
    await audit.append(tx, by=by, action="institution.created", target=institution_id)
    return institution_id


async def change(
    tx: Tx, institution_id: str, draft: InstitutionDraft, *, version: int, by: Actor
) -> None:
    """Change or move an institution; its whole subtree moves with it.

    Raises: NotFound; Conflict, `owned_by_oa` for what is changed in the OA only; Invalid
    `own_descendant` when it would become its own ancestor.
    """
    by.require(Permission.CUSTOMER_MANAGE)
    row = await _row(tx, institution_id)
    if row.version != version:
        raise Conflict(version=row.version)
    await refuse_owned(tx, OaKind.INSTITUTION, row.id, changes(row, draft))
    await overwrite(tx, row.id, draft, by=by)


async def overwrite(tx: Tx, institution_id: str, draft: InstitutionDraft, *, by: Actor) -> None:
    """As the OA has it. Raises: NotFound; Invalid."""
    by.require(Permission.CUSTOMER_MANAGE)
    await store(tx, institution_id, draft)
    await audit.append(tx, by=by, action="institution.changed", target=institution_id)


async def store(tx: Tx, institution_id: str | None, draft: InstitutionDraft) -> str:
    """Write without a line in the audit log, for whoever writes many. Returns the id."""
    columns = _columns(draft)
    if institution_id is None:
        row = InstitutionRow(id=new_id(), created_at=tx.now, version=0)
        before = path = await _path(tx, row.id, draft.parent_id)
        tx.db.add(row)
    else:
        row = await _row(tx, institution_id)
        before = await _own_path(tx, row)
        path = await _path(tx, row.id, draft.parent_id)
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    await tx.db.flush()
    await _store_keys(tx, row, path)
    if path != before:
        await _move_subtree(tx, before, path)
    return row.id


def changes(before: InstitutionRow | InstitutionDraft, draft: InstitutionDraft) -> list[str]:
    """What a draft would change, by the names that the OA's fields have here."""
    return [
        name.removesuffix("_id")
        for name, value in _columns(draft).items()
        if getattr(before, name) != value
    ]


async def remove(tx: Tx, institution_id: str, *, by: Actor) -> None:
    """Remove an institution that nobody belongs to. Raises: NotFound; Conflict `in_use`."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await _row(tx, institution_id)
    child = select(InstitutionRow.id).where(InstitutionRow.parent_id == row.id).limit(1)
    person = select(CustomerRow.id).where(CustomerRow.institution_id == row.id).limit(1)
    if await tx.db.scalar(child) or await tx.db.scalar(person):
        raise Conflict("in_use", noun="institution")
    await refuse_owned(tx, OaKind.INSTITUTION, row.id, ["name"])
    keys = await tx.db.get(InstitutionKeyRow, row.id)
    if keys is not None:
        await tx.db.delete(keys)
        await tx.db.flush()
    await tx.db.delete(row)
    await audit.append(tx, by=by, action="institution.removed", target=row.id)


async def ensure_keys(tx: Tx, *, limit: int = 500) -> int:
    """Make the keys of institutions that came another way (OA, demo). Returns how many."""
    missing = (
        select(InstitutionRow)
        .outerjoin(InstitutionKeyRow, InstitutionKeyRow.institution_id == InstitutionRow.id)
        .where(InstitutionKeyRow.institution_id.is_(None))
        .limit(limit)
    )
    rows = (await tx.db.scalars(missing)).all()
    for row in rows:
        await _store_keys(tx, row, await _own_path(tx, row))
    return len(rows)


async def draft_of(tx: Tx, institution_id: str) -> InstitutionDraft:
    """As it stands, to change a part of it. Raises: NotFound."""
    return draft_from(await _row(tx, institution_id))


def draft_from(row: InstitutionRow) -> InstitutionDraft:
    names = [one.name for one in fields(InstitutionDraft)]
    return InstitutionDraft(**{name: getattr(row, name) for name in names})


async def _row(tx: Tx, institution_id: str) -> InstitutionRow:
    row = await tx.db.get(InstitutionRow, institution_id)
    if row is None:
        raise NotFound(noun="institution", id=institution_id)
    return row


async def _own_path(tx: Tx, row: InstitutionRow) -> str:
    keys = await tx.db.get(InstitutionKeyRow, row.id)
    return keys.path if keys is not None else await _path(tx, row.id, row.parent_id)


async def _path(tx: Tx, institution_id: str, parent_id: str | None) -> str:
    """Raises: NotFound; Invalid when the tree would be too deep or circular."""
    steps = [institution_id]
    while parent_id is not None:
        if parent_id in steps:
            raise Invalid("own_descendant", field="parent_id")
        if len(steps) >= MAX_DEPTH:
            raise Invalid("too_deep", field="parent_id", max=MAX_DEPTH)
        steps.append(parent_id)
        parent_id = (await _row(tx, parent_id)).parent_id
    return "".join(f"{step}/" for step in reversed(steps))


async def _move_subtree(tx: Tx, before: str, after: str) -> None:
    rows = await tx.db.execute(
        select(InstitutionKeyRow.institution_id, InstitutionKeyRow.path).where(
            InstitutionKeyRow.path.startswith(before), InstitutionKeyRow.path != after
        )
    )
    for institution_id, path in rows.all():
        await tx.db.execute(
            update(InstitutionKeyRow)
            .where(InstitutionKeyRow.institution_id == institution_id)
            .values(path=after + path.removeprefix(before))
        )


async def _store_keys(tx: Tx, row: InstitutionRow, path: str) -> None:
    keys = matching.keys_of(row.name)
    values = {
        "path": path,
        "normal": keys.normal[:160],
        "initials": keys.initials[:160],
        "pinyin": keys.pinyin[:900],
    }
    await tx.db.execute(
        tx.upsert(InstitutionKeyRow)
        .values(institution_id=row.id, **values)
        .on_conflict_do_update(index_elements=["institution_id"], set_=values)
    )
    await tx.db.flush()
    await tx.db.get(InstitutionKeyRow, row.id, populate_existing=True)


def _columns(draft: InstitutionDraft) -> dict[str, object]:
    if not 1 <= len(draft.name.strip()) <= 128:
        raise Invalid("bad_length", field="name", max=128)
    if draft.region_code and not regions.is_known(draft.region_code):
        raise Invalid("unknown_region", field="region_code")
    return asdict(draft) | {"name": draft.name.strip()}
