"""VPN profiles of institutions: sealed at rest, every look audited.

A secret is shown to those who may reveal customers' data, and to a servicer whom the customer has
just allowed to help through this very profile.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import InstitutionRow
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.remote_assistance.consent import CONSENT_LASTS
from core.remote_assistance.models import RemoteAssistanceRow, VpnProfileRow
from core.remote_assistance.states import USABLE
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


@dataclass(frozen=True, slots=True)
class VpnChange:
    """None: stays as it is."""

    name: str | None = None
    address: str | None = None
    username: str | None = None
    password: str | None = None
    note: str | None = None


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


async def change(
    tx: Tx,
    keys: KeyRing,
    profile_id: str,
    changes: VpnChange,
    *,
    version: int,
    by: Actor,
) -> VpnProfileView:
    """Replace what is given. Raises: Forbidden; NotFound; Invalid; Conflict; SealBroken."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await _row(tx, profile_id)
    if row.version != version:
        raise Conflict(version=row.version)
    given = {name: value for name, value in asdict(changes).items() if value is not None}
    name = given.pop("name", row.name).strip()
    secret = replace(_opened(keys, row), **given)
    if not name or not secret.address.strip():
        raise Invalid("required", field="address" if name else "name")
    row.name, row.sealed, row.version = name, _sealed(keys, secret), version + 1
    facts = {"fields": ",".join(sorted(given))}
    await audit.append(tx, by=by, action="vpn_profile.changed", target=row.id, facts=facts)
    return _view(row)


async def retire(tx: Tx, profile_id: str, *, by: Actor) -> None:
    """Forget the secret; what was done through it stays on record. Raises: Forbidden; NotFound."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await _row(tx, profile_id)
    row.sealed, row.retired_at, row.version = "", tx.now, row.version + 1
    await audit.append(tx, by=by, action="vpn_profile.retired", target=row.id)


async def reveal(tx: Tx, keys: KeyRing, profile_id: str, *, by: Actor) -> VpnSecret:
    """What is needed to connect.

    Raises: NotFound; SealBroken; Forbidden `consent_needed` for a servicer whom no customer has
    allowed to use it.
    """
    by.require(Permission.TICKET_WORK)
    row = await _row(tx, profile_id)
    if not by.may(Permission.CUSTOMER_REVEAL) and not await _is_allowed(tx, row, by):
        raise Forbidden("consent_needed")
    await audit.append(tx, by=by, action="vpn_profile.revealed", target=row.id)
    return _opened(keys, row)


async def of_institution(tx: Tx, institution_id: str) -> tuple[VpnProfileView, ...]:
    query = select(VpnProfileRow).where(
        VpnProfileRow.institution_id == institution_id, VpnProfileRow.retired_at.is_(None)
    )
    return tuple(_view(row) for row in await tx.db.scalars(query.order_by(VpnProfileRow.name)))


async def reseal(tx: Tx, keys: KeyRing, *, after: str = "", limit: int = 200) -> str | None:
    """After a key rotation: seal profiles anew, in steps. Returns the next `after`."""
    query = select(VpnProfileRow).where(
        VpnProfileRow.id > after, VpnProfileRow.retired_at.is_(None)
    )
    rows = (await tx.db.scalars(query.order_by(VpnProfileRow.id).limit(limit))).all()
    for row in rows:
        if keys.needs_resealing(row.sealed):
            row.sealed = keys.seal(keys.open(row.sealed, context=_CONTEXT), context=_CONTEXT)
    await tx.db.flush()
    return rows[-1].id if len(rows) == limit else None


async def _row(tx: Tx, profile_id: str) -> VpnProfileRow:
    row = await tx.db.get(VpnProfileRow, profile_id)
    if row is None or row.retired_at is not None:
        raise NotFound(noun="vpn_profile", id=profile_id)
    return row


async def _is_allowed(tx: Tx, row: VpnProfileRow, by: Actor) -> bool:
    """Whether a customer agreed to help by this servicer through this profile, and it goes on."""
    found = await tx.db.scalar(
        select(RemoteAssistanceRow.id).where(
            RemoteAssistanceRow.vpn_profile_id == row.id,
            RemoteAssistanceRow.servicer_id == by.servicer_id,
            RemoteAssistanceRow.state.in_(USABLE),
            RemoteAssistanceRow.answered_at >= tx.now - CONSENT_LASTS,
        )
    )
    return found is not None


def _opened(keys: KeyRing, row: VpnProfileRow) -> VpnSecret:
    return VpnSecret(**json.loads(keys.open(row.sealed, context=_CONTEXT)))


def _sealed(keys: KeyRing, secret: VpnSecret) -> str:
    return keys.seal(json.dumps(asdict(secret), ensure_ascii=False), context=_CONTEXT)


def _view(row: VpnProfileRow) -> VpnProfileView:
    return VpnProfileView.model_validate(
        {name: getattr(row, name) for name in VpnProfileView.model_fields}
    )
