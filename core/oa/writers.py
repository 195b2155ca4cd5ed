"""What a record of the OA becomes here: an institution, a customer, or a login of the staff.

Each checks everything before it writes, and returns the id of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.customers import names, profiles
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret
from core.customers.queries import customer_view
from core.db import Tx
from core.events import CustomerChanged
from core.ids import new_id
from core.institutions import regions
from core.institutions import service as institutions
from core.institutions.service import InstitutionDraft
from core.oa import links
from core.oa.records import Record
from core.oa.unfit import Unfit, awaited
from core.ownership.queries import OaKind
from core.sealing import KeyRing
from core.servicers import service as servicers
from core.servicers.queries import servicer_of_user, servicer_of_wecom
from core.users import queries as users
from core.users import service as user_service
from core.users.service import NewUser, UserChange
from core.views import Role

#: Customers whom the OA has ended bear it.
GONE_TAG: Final = "OA 已停用"
_CAPACITY: Final = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """What writing needs beside the transaction."""

    keys: KeyRing
    by: Actor


async def write_institution(tx: Tx, desk: Desk, record: Record, ours: str | None) -> str:
    """Raises: Unfit; Invalid."""
    told = {
        name: text for name, text in record.fields.items() if name in InstitutionDraft.__slots__
    }
    if told.get("region_code") and not regions.is_known(told["region_code"]):
        raise Unfit("unknown_region", region=told["region_code"])
    draft = await institutions.draft_of(tx, ours) if ours else InstitutionDraft(name="")
    draft = replace(draft, is_active=record.is_active, **told)
    if "parent" in record.fields:
        draft = replace(
            draft, parent_id=await _place(tx, record.fields["parent"], "parent_missing")
        )
    if "engineer" in record.fields:
        draft = replace(draft, engineer_id=await _engineer(tx, record.fields["engineer"]))
    if not draft.name:
        raise Unfit("name_missing")
    await _refuse_twin(tx, draft, ours)
    if ours:
        await institutions.overwrite(tx, ours, draft, by=desk.by)
        return ours
    return await institutions.create(tx, draft, by=desk.by)


async def _place(tx: Tx, oa_id: str, code: str) -> str | None:
    """Our institution behind the OA's id."""
    if not oa_id:
        return None
    found = await links.own_id_of(tx, OaKind.INSTITUTION, oa_id)
    if found is None:
        waits_for = awaited(OaKind.INSTITUTION, oa_id)
        raise Unfit(code, waits_for=waits_for, institution=oa_id)
    return found


async def _engineer(tx: Tx, oa_id: str) -> str | None:
    """Our servicer behind the OA's id of a member of the staff."""
    if not oa_id:
        return None
    user_id = await links.own_id_of(tx, OaKind.STAFF, oa_id)
    if user_id is None:
        raise Unfit("engineer_missing", waits_for=awaited(OaKind.STAFF, oa_id), staff=oa_id)
    servicer = await servicer_of_user(tx, user_id)
    if servicer is None:
        raise Unfit("engineer_no_servicer", waits_for=awaited(OaKind.STAFF, oa_id), staff=oa_id)
    return servicer.id


async def _refuse_twin(tx: Tx, draft: InstitutionDraft, ours: str | None) -> None:
    """Two of one name in one place: people must say whether they are the same."""
    twins = select(InstitutionRow.id).where(
        InstitutionRow.name == draft.name,
        InstitutionRow.parent_id == draft.parent_id,
        InstitutionRow.id != (ours or ""),
    )
    for twin in (await tx.db.scalars(twins.order_by(InstitutionRow.id).limit(5))).all():
        if await links.is_linked(tx, OaKind.INSTITUTION, twin):
            raise Unfit("twice_in_oa", name=draft.name)
        if ours is None:
            raise Unfit("same_name", candidate_id=twin, name=draft.name)


async def write_contact(tx: Tx, desk: Desk, record: Record, ours: str | None) -> str:
    """Raises: Unfit; Invalid for a phone number or address that cannot be one."""
    told = record.fields
    secrets = {kind: _checked(kind, told[kind]) for kind in _TOLD_SECRETS if kind in told}
    place = await _place(tx, told.get("institution", ""), "institution_missing")
    if not ours and not record.name:
        raise Unfit("name_missing")
    await _refuse_owner(tx, desk.keys, secrets.get(CustomerSecret.PHONE, ""), ours)
    row = await _customer(tx, ours, record.name)
    row.is_temporary = False
    if "institution" in told:
        row.institution_id = place
    row.note = told.get("note", row.note)
    rest = [tag for tag in row.tags if tag != GONE_TAG]
    row.tags = rest if record.is_active else [*rest, GONE_TAG]
    row.version += 1
    await names.rename(tx, row, record.name or row.name)
    for kind, value in secrets.items():
        await profiles.store_secret(tx, desk.keys, row.id, kind, value)
    tx.emit(CustomerChanged(customer=await customer_view(tx, row.id)))
    return row.id


_TOLD_SECRETS: Final = (CustomerSecret.PHONE, CustomerSecret.EMAIL)


def _checked(kind: CustomerSecret, text: str) -> str:
    return profiles.checked(kind, text) if text else ""


async def _refuse_owner(tx: Tx, keys: KeyRing, phone: str, ours: str | None) -> None:
    """A number belongs to one customer."""
    found = await profiles.find(tx, keys, CustomerSecret.PHONE, phone) if phone else ()
    others = [one for one in found if one != ours]
    if not others or ours in found:
        return
    name = (await customer_view(tx, others[0])).name
    is_theirs = await links.is_linked(tx, OaKind.CONTACT, others[0])
    may_link = ours is None and not is_theirs
    raise Unfit(
        "phone_taken" if may_link else "phone_twice",
        candidate_id=others[0] if may_link else None,
        customer=name,
    )


async def _customer(tx: Tx, ours: str | None, name: str) -> CustomerRow:
    found = await tx.db.get(CustomerRow, ours, with_for_update=True) if ours else None
    if found is not None:
        return found
    row = CustomerRow(id=new_id(), name=name, created_at=tx.now, version=0)
    row.tags, row.custom, row.note = [], {}, ""
    tx.db.add(row)
    return row


async def write_staff(tx: Tx, desk: Desk, record: Record, ours: str | None) -> str:
    """A login without a password; on WeCom a servicer too. Raises: Unfit; Invalid."""
    told = record.fields
    wecom = told.get("wecom_userid", "")
    holder = await servicer_of_wecom(tx, wecom) if wecom else None
    if holder is not None and holder.user_id != ours:
        raise Unfit("wecom_taken", wecom_userid=wecom, holder=holder.name)
    if ours is None:
        ours = await _new_login(tx, record, by=desk.by)
    wanted = UserChange(name=record.name or None, is_disabled=not record.is_active)
    known = await users.get_user(tx, ours)
    if (wanted.name or known.name, wanted.is_disabled) != (known.name, known.is_disabled):
        await user_service.overwrite(tx, ours, wanted, by=desk.by)
    if "wecom_userid" in told:
        await _serve(tx, ours, record.name or known.name, wecom, by=desk.by)
    return ours


async def _new_login(tx: Tx, record: Record, *, by: Actor) -> str:
    username = record.fields.get("username", "")
    known = await users.credentials(tx, username)
    if known is not None:
        is_theirs = await links.is_linked(tx, OaKind.STAFF, known.user_id)
        if is_theirs:
            raise Unfit("username_twice", username=username)
        raise Unfit("username_taken", candidate_id=known.user_id, username=username)
    new = NewUser(username, record.name or username, users.NO_PASSWORD, Role.SERVICER)
    return (await user_service.create(tx, new, by=by)).id


async def _serve(tx: Tx, user_id: str, name: str, wecom: str, *, by: Actor) -> None:
    known = await servicer_of_user(tx, user_id)
    if known is None and wecom:
        await servicers.create(
            tx, user_id=user_id, name=name, capacity=_CAPACITY, wecom_userid=wecom, by=by
        )
    elif known is not None and (known.wecom_userid or "") != wecom:
        await servicers.change(tx, known.id, version=known.version, wecom_userid=wecom, by=by)


Writer = Callable[[Tx, Desk, Record, "str | None"], Awaitable[str]]
WRITERS: Final[Mapping[OaKind, Writer]] = {
    OaKind.INSTITUTION: write_institution,
    OaKind.CONTACT: write_contact,
    OaKind.STAFF: write_staff,
}
