"""Signed links per institution, team and product: a newcomer is placed before the first word.

The scene parameter is `r.<code>.<key id>.<signature>`, well below the platform's 128 bytes.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from core.accounts.models import AccountRow
from core.actor import Actor
from core.audit import service as audit
from core.customers import service as customers
from core.customers.models import InstitutionRow
from core.db import Base, Tx
from core.errors import NotFound
from core.links import short_signature
from core.permissions import Permission
from core.registration.models import RegistrationLinkRow
from core.sealing import KeyRing
from core.teams import queries as teams
from core.teams import service as team_service
from core.teams.models import TeamRow
from core.teams.service import Subject
from core.views import View

#: The scene under which such links are made; fits the platform's rule for scenes.
SCENE: Final = "register"
_PURPOSE: Final = "scene"
_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_LINK: Final = Actor.system("registration_link")


@dataclass(frozen=True, slots=True)
class LinkDraft:
    name: str
    account_id: str | None = None
    institution_id: str | None = None
    team_id: str | None = None
    product: str = ""
    product_version: str = ""
    expires_at: datetime | None = None


class RegistrationLinkView(View):
    """scene_param: goes into the channel's link; uses: how many customers came through it."""

    code: str
    name: str
    scene: str
    scene_param: str
    account_id: str | None
    institution_id: str | None
    team_id: str | None
    product: str
    product_version: str
    is_active: bool
    uses: int
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a link says about whoever came through it."""

    institution_id: str | None
    team_id: str | None
    product: str
    product_version: str


async def create_link(
    tx: Tx, keys: KeyRing, draft: LinkDraft, *, by: Actor
) -> RegistrationLinkView:
    """Raises: Forbidden; NotFound for an unknown institution, team or account."""
    by.require(Permission.CUSTOMER_MANAGE)
    named: tuple[tuple[type[Base], str, str | None], ...] = (
        (InstitutionRow, "institution", draft.institution_id),
        (TeamRow, "team", draft.team_id),
        (AccountRow, "account", draft.account_id),
    )
    for table, noun, key in named:
        if key is not None and await tx.db.get(table, key) is None:
            raise NotFound(noun=noun, id=key)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    row = RegistrationLinkRow(
        code=code, created_at=tx.now, created_by=by.key, is_active=True, uses=0, **asdict(draft)
    )
    tx.db.add(row)
    await audit.append(tx, by=by, action="registration_link.created", target=code)
    return _view(keys, row)


async def list_links(tx: Tx, keys: KeyRing) -> tuple[RegistrationLinkView, ...]:
    """Newest first."""
    query = select(RegistrationLinkRow).order_by(RegistrationLinkRow.created_at.desc())
    return tuple(_view(keys, row) for row in await tx.db.scalars(query))


async def get_link(tx: Tx, keys: KeyRing, code: str) -> RegistrationLinkView:
    """Raises: NotFound."""
    row = await tx.db.get(RegistrationLinkRow, code)
    if row is None:
        raise NotFound(noun="registration_link", id=code)
    return _view(keys, row)


async def retire_link(tx: Tx, code: str, *, by: Actor) -> None:
    """Later scans bind to nothing. Raises: Forbidden; NotFound."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await tx.db.get(RegistrationLinkRow, code)
    if row is None:
        raise NotFound(noun="registration_link", id=code)
    row.is_active = False
    await audit.append(tx, by=by, action="registration_link.retired", target=code)


async def enter(tx: Tx, keys: KeyRing, customer_id: str, scene_param: str) -> Entry | None:
    """Place a customer who came through a link; None when it is not (or no more) one of ours.

    Who has an institution keeps it; a team is bound only where none is.
    """
    row = await _opened(tx, keys, scene_param)
    if row is None:
        return None
    if row.institution_id is not None:
        await customers.bind_institution(tx, customer_id, row.institution_id)
    if row.team_id is not None and not await teams.bindings(tx, "customer", customer_id):
        subject = Subject("customer", customer_id)
        await team_service.bind(tx, subject, row.team_id, by=_LINK, reason=f"扫码：{row.name}")
    await tx.db.execute(
        update(RegistrationLinkRow)
        .where(RegistrationLinkRow.code == row.code)
        .values(uses=RegistrationLinkRow.uses + 1)
        .execution_options(synchronize_session=False)
    )
    return Entry(row.institution_id, row.team_id, row.product, row.product_version)


def scene_param(keys: KeyRing, code: str) -> str:
    key_id = keys.key_ids[0]
    return f"r.{code}.{key_id}.{short_signature(keys, _PURPOSE, code, key_id=key_id)}"


async def _opened(tx: Tx, keys: KeyRing, text: str) -> RegistrationLinkRow | None:
    pieces = text.split(".")
    if len(pieces) != 4 or pieces[0] != "r" or not text.isascii():
        return None
    _, code, key_id, signature = pieces
    wanted = short_signature(keys, _PURPOSE, code, key_id=key_id)
    if not wanted or not hmac.compare_digest(wanted, signature):
        return None
    row = await tx.db.get(RegistrationLinkRow, code)
    if row is None or not row.is_active:
        return None
    return None if row.expires_at is not None and row.expires_at <= tx.now else row


def _view(keys: KeyRing, row: RegistrationLinkRow) -> RegistrationLinkView:
    plain = {
        name: getattr(row, name)
        for name in RegistrationLinkView.model_fields
        if name not in ("scene", "scene_param")
    }
    return RegistrationLinkView.model_validate(
        plain | {"scene": SCENE, "scene_param": scene_param(keys, row.code)}
    )
