"""VPN profiles of institutions: sealed at rest, every look audited."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import InstitutionRow
from core.db import Tx
from core.errors import Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.remote_assistance.models import VpnProfileRow
from core.sealing import KeyRing
from core.views import View

_CONTEXT = "vpn.profile"


class VpnProfileView(View):
    """Without the secret; `reveal` gives that."""

    id: str
    institution_id: str
    name: str
    tool: str
    version: int


@dataclass(frozen=True, slots=True)
class VpnSecret:
    address: str
    username: str = ""
    password: str = ""
    note: str = ""


async def create(
    tx: Tx, keys: KeyRing, institution_id: str, secret: VpnSecret, *, name: str, by: Actor
) -> VpnProfileView:
    """Raises: Forbidden; NotFound; Invalid."""
    by.require(Permission.CUSTOMER_MANAGE)
    if await tx.db.get(InstitutionRow, institution_id) is None:
        raise NotFound(noun="institution", id=institution_id)
    if not name.strip() or not secret.address.strip():
        raise Invalid("required", field="name" if not name.strip() else "address")
    row = VpnProfileRow(
        id=new_id(),
        institution_id=institution_id,
        name=name.strip(),
        tool="vpn",
        sealed=_sealed(keys, secret),
        created_at=tx.now,
        version=1,
    )
    tx.db.add(row)
    await audit.append(tx, by=by, action="vpn_profile.created", target=row.id)
    return _view(row)


async def reveal(tx: Tx, keys: KeyRing, profile_id: str, *, by: Actor) -> VpnSecret:
    """What is needed to connect. Raises: Forbidden; NotFound; SealBroken."""
    by.require(Permission.TICKET_WORK)
    row = await tx.db.get(VpnProfileRow, profile_id)
    if row is None:
        raise NotFound(noun="vpn_profile", id=profile_id)
    await audit.append(tx, by=by, action="vpn_profile.revealed", target=row.id)
    return VpnSecret(**json.loads(keys.open(row.sealed, context=_CONTEXT)))


async def of_institution(tx: Tx, institution_id: str) -> tuple[VpnProfileView, ...]:
    query = select(VpnProfileRow).where(VpnProfileRow.institution_id == institution_id)
    return tuple(_view(row) for row in await tx.db.scalars(query.order_by(VpnProfileRow.name)))


async def reseal(tx: Tx, keys: KeyRing, *, after: str = "", limit: int = 200) -> str | None:
    """After a key rotation: seal profiles anew, in steps. Returns the next `after`."""
    query = select(VpnProfileRow).where(VpnProfileRow.id > after)
    rows = (await tx.db.scalars(query.order_by(VpnProfileRow.id).limit(limit))).all()
    for row in rows:
        if keys.needs_resealing(row.sealed):
            row.sealed = keys.seal(keys.open(row.sealed, context=_CONTEXT), context=_CONTEXT)
    await tx.db.flush()
    return rows[-1].id if len(rows) == limit else None


def _sealed(keys: KeyRing, secret: VpnSecret) -> str:
    return keys.seal(json.dumps(asdict(secret), ensure_ascii=False), context=_CONTEXT)


def _view(row: VpnProfileRow) -> VpnProfileView:
    return VpnProfileView.model_validate(
        {name: getattr(row, name) for name in VpnProfileView.model_fields}
    )
