"""People say which of ours a record of the OA is."""

from __future__ import annotations

from typing import Final

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import CustomerRow, InstitutionRow
from core.db import Base, Tx
from core.errors import Conflict, Invalid, NotFound
from core.oa import conflicts, links, sync
from core.oa.sync import OaReport
from core.ownership.queries import OaKind
from core.permissions import Permission
from core.sealing import KeyRing
from core.users.models import UserRow

_TABLES: Final[dict[OaKind, type[Base]]] = {
    OaKind.INSTITUTION: InstitutionRow,
    OaKind.CONTACT: CustomerRow,
    OaKind.STAFF: UserRow,
}


async def link(tx: Tx, kind: OaKind, oa_id: str, own_id: str, *, by: Actor) -> None:
    """Raises: Forbidden; NotFound; Conflict `linked_already`."""
    by.require(Permission.OA_SYNC)
    await sync.lock(tx)
    if await tx.db.get(_TABLES[kind], own_id) is None:
        raise NotFound(noun=kind.value, id=own_id)
    await links.join(tx, kind, oa_id, own_id)
    facts = {"kind": kind.value, "oa_id": oa_id}
    await audit.append(tx, by=by, action="oa.linked", target=own_id, facts=facts)


async def link_candidate(tx: Tx, keys: KeyRing, conflict_id: str, *, by: Actor) -> OaReport:
    """Link what the conflict names, and take its record. Raises: NotFound; Conflict."""
    found = await conflicts.get(tx, conflict_id)
    if found.candidate_id is None:
        raise Conflict("no_candidate")
    await link(tx, OaKind(found.kind), found.oa_id, found.candidate_id, by=by)
    return await sync.retry(tx, keys, conflict_id, by=by)


async def unlink(tx: Tx, kind: str, oa_id: str, *, by: Actor) -> None:
    """Raises: Forbidden; Invalid; NotFound."""
    by.require(Permission.OA_SYNC)
    if kind not in set(OaKind):
        raise Invalid("bad_value", field="kind")
    await links.part(tx, OaKind(kind), oa_id)
    await audit.append(tx, by=by, action="oa.unlinked", target=oa_id, facts={"kind": kind})


async def drop(tx: Tx, conflict_id: str, *, by: Actor) -> None:
    """Raises: Forbidden; NotFound."""
    by.require(Permission.OA_SYNC)
    found = await conflicts.get(tx, conflict_id)
    facts = {"kind": found.kind, "code": found.code}
    await conflicts.drop(tx, conflict_id)
    await audit.append(tx, by=by, action="oa.dropped", target=found.oa_id, facts=facts)
