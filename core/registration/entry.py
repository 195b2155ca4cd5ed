"""Signed links per institution, team and product: a newcomer is placed before the first word.

The scene parameter is `r.<code>.<key id>.<signature>`, well below the platform's 128 bytes.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal

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
    """scene_param: goes into the channel's link; uses: how many customers came through it.

    is_over: it was retired or has expired; whoever scans it is told so.
    """

    code: str
    name: str
    scene: str
    scene_param: str
    account_id: str | None
    account_name: str
    institution_id: str | None
    institution_name: str
    team_id: str | None
    team_name: str
    product: str
    product_version: str
    is_active: bool
    is_over: bool
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
    return (await _views(tx, keys, [row]))[0]


async def list_links(tx: Tx, keys: KeyRing) -> tuple[RegistrationLinkView, ...]:
    """Newest first."""
    query = select(RegistrationLinkRow).order_by(RegistrationLinkRow.created_at.desc())
    return await _views(tx, keys, (await tx.db.scalars(query)).all())


async def get_link(tx: Tx, keys: KeyRing, code: str) -> RegistrationLinkView:
    """Raises: NotFound."""
    row = await tx.db.get(RegistrationLinkRow, code)
    if row is None:
        raise NotFound(noun="registration_link", id=code)
    return (await _views(tx, keys, [row]))[0]


async def retire_link(tx: Tx, code: str, *, by: Actor) -> None:
    """Later scans bind to nothing. Raises: Forbidden; NotFound."""
    by.require(Permission.CUSTOMER_MANAGE)
    row = await tx.db.get(RegistrationLinkRow, code)
    if row is None:
        raise NotFound(noun="registration_link", id=code)
    row.is_active = False
    await audit.append(tx, by=by, action="registration_link.retired", target=code)


async def enter(
    tx: Tx, keys: KeyRing, customer_id: str, scene_param: str
) -> Entry | Literal["over"] | None:
    """Place a customer who came through a link; None when it is not one of ours.

    "over": it was, and is retired or has expired; the customer should hear so. Who has an
    institution keeps it; a team is bound only where none is.
    """
    row = await _signed(tx, keys, scene_param)
    if row is None:
        return None
    if _is_over(row, tx.now):
        return "over"
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


async def _signed(tx: Tx, keys: KeyRing, text: str) -> RegistrationLinkRow | None:
    pieces = text.split(".")
    if len(pieces) != 4 or pieces[0] != "r" or not text.isascii():
        return None
    _, code, key_id, signature = pieces
    wanted = short_signature(keys, _PURPOSE, code, key_id=key_id)
    if not wanted or not hmac.compare_digest(wanted, signature):
        return None
    return await tx.db.get(RegistrationLinkRow, code)


def _is_over(row: RegistrationLinkRow, now: datetime) -> bool:
    return not row.is_active or (row.expires_at is not None and row.expires_at <= now)


async def _views(
    tx: Tx, keys: KeyRing, rows: Sequence[RegistrationLinkRow]
) -> tuple[RegistrationLinkView, ...]:
    named = {
        "institution": await _names(tx, InstitutionRow, [row.institution_id for row in rows]),
        "team": await _names(tx, TeamRow, [row.team_id for row in rows]),
        "account": await _names(tx, AccountRow, [row.account_id for row in rows]),
    }
    return tuple(
        RegistrationLinkView(
            code=row.code,
            name=row.name,
            scene=SCENE,
            scene_param=scene_param(keys, row.code),
            account_id=row.account_id,
            account_name=named["account"].get(row.account_id, ""),
            institution_id=row.institution_id,
            institution_name=named["institution"].get(row.institution_id, ""),
            team_id=row.team_id,
            team_name=named["team"].get(row.team_id, ""),
            product=row.product,
            product_version=row.product_version,
            is_active=row.is_active,
            is_over=_is_over(row, tx.now),
            uses=row.uses,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in rows
    )


async def _names(
    tx: Tx,
    table: type[InstitutionRow | TeamRow | AccountRow],
    ids: Sequence[str | None],
) -> dict[str | None, str]:
    query = select(table.id, table.name).where(table.id.in_({one for one in ids if one}))
    return {key: name for key, name in await tx.db.execute(query)}  # noqa: C416
