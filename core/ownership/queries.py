"""Which fields the OA is the master of: they are changed there and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from core.db import Tx
from core.errors import Conflict
from core.ownership.models import OaLinkRow
from core.settings.oa import Oa
from core.settings.queries import get as setting

#: Fields that describe the OA's record itself, not what it is about.
ENVELOPE: Final = frozenset({"id", "version"})


class OaKind(StrEnum):
    """What the OA tells of: institutions, the people there, and the vendor's own staff."""

    INSTITUTION = "institution"
    CONTACT = "contact"
    STAFF = "staff"


OWN_ID: Final[dict[OaKind, InstrumentedAttribute[Any]]] = {
    OaKind.INSTITUTION: OaLinkRow.institution_id,
    OaKind.CONTACT: OaLinkRow.customer_id,
    OaKind.STAFF: OaLinkRow.user_id,
}


def mapping_of(oa: Oa, kind: OaKind) -> dict[str, str]:
    """Our field → the OA's."""
    match kind:
        case OaKind.INSTITUTION:
            return {str(row.ours): row.theirs for row in oa.institution_fields}
        case OaKind.CONTACT:
            return {str(row.ours): row.theirs for row in oa.contact_fields}
        case OaKind.STAFF:
            return {str(row.ours): row.theirs for row in oa.staff_fields}


async def oa_ids(tx: Tx, kind: OaKind, own_ids: Sequence[str]) -> dict[str, str]:
    """The OA's id by our own; the oldest link where merged customers have several."""
    column = OWN_ID[kind]
    query = select(column, OaLinkRow.oa_id).where(OaLinkRow.kind == kind, column.in_(own_ids))
    newest_first = (OaLinkRow.linked_at.desc(), OaLinkRow.oa_id.desc())
    return {own: oa_id for own, oa_id in await tx.db.execute(query.order_by(*newest_first))}  # noqa: C416


async def owned_fields(tx: Tx, kind: OaKind, own_id: str) -> frozenset[str]:
    """Our names of the fields that are changed in the OA only; none without a link."""
    if not await oa_ids(tx, kind, [own_id]):
        return frozenset()
    return frozenset(await fields_of(tx, kind))


async def fields_of(tx: Tx, kind: OaKind) -> tuple[str, ...]:
    """Our names of the fields of which the OA is the master, wherever there is a link."""
    return tuple(sorted(mapping_of(await setting(tx, Oa), kind).keys() - ENVELOPE))


async def refuse_owned(tx: Tx, kind: OaKind, own_id: str, changed: Iterable[str]) -> None:
    """Raises: Conflict `owned_by_oa` when one of the fields belongs to the OA."""
    wanted = set(changed)
    if wanted and (owned := wanted & await owned_fields(tx, kind, own_id)):
        raise Conflict("owned_by_oa", fields=sorted(owned))
