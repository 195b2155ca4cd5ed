"""The only writer of servicers: who they are, whether they are there, how much they carry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.events import ServicerChanged
from core.ids import new_id
from core.permissions import Permission
from core.servicers.models import AccountServicerRow, ServicerRow
from core.servicers.queries import get_servicer, servicer_view
from core.settings.reception import Reception
from core.views import Presence, ServicerView

MAX_CAPACITY = 100


async def create(
    tx: Tx,
    *,
    user_id: str,
    name: str,
    capacity: int,
    by: Actor,
    wecom_userid: str | None = None,
) -> ServicerView:
    """Let a user serve customers. Raises: Forbidden, Invalid, Conflict."""
    by.require(Permission.USER_MANAGE)
    _check_capacity(capacity)
    taken = await tx.db.scalar(select(ServicerRow.id).where(ServicerRow.user_id == user_id))
    if taken is not None:
        raise Conflict("servicer_exists")
    await _check_wecom_userid(tx, wecom_userid, for_servicer=None)
    row = ServicerRow(
        id=new_id(),
        user_id=user_id,
        name=name,
        wecom_userid=wecom_userid or None,
        presence=Presence.OFFLINE,
        capacity=capacity,
        open_sessions=0,
        idle_since=tx.now,
        version=1,
    )
    tx.db.add(row)
    await tx.db.flush()
    await audit.append(tx, by=by, action="servicer.created", target=row.id)
    tx.emit(ServicerChanged(servicer=servicer_view(row)))
    return servicer_view(row)


async def change(  # noqa: PLR0913 - one keyword per field that may change
    tx: Tx,
    servicer_id: str,
    *,
    version: int,
    by: Actor,
    name: str | None = None,
    capacity: int | None = None,
    wecom_userid: str | None = None,
) -> ServicerView:
    """Raises: Forbidden, NotFound, Invalid, Conflict. `wecom_userid` "" unlinks."""
    by.require(Permission.USER_MANAGE)
    row = await tx.db.get(ServicerRow, servicer_id, with_for_update=True)
    if row is None:
        raise NotFound("servicer_not_found")
    if row.version != version:
        raise Conflict("conflict", current=servicer_view(row).model_dump(mode="json"))
    if name is not None:
        row.name = name
    if capacity is not None:
        _check_capacity(capacity)
        row.capacity = capacity
    if wecom_userid is not None:
        await _check_wecom_userid(tx, wecom_userid, for_servicer=servicer_id)
        row.wecom_userid = wecom_userid or None
    row.version += 1
    await tx.db.flush()
    await audit.append(tx, by=by, action="servicer.changed", target=servicer_id)
    tx.emit(ServicerChanged(servicer=servicer_view(row)))
    return servicer_view(row)


@dataclass(frozen=True, slots=True)
class Going:
    """How somebody comes or goes.

    stays: it was said in the app, and holds whether a console is open or not. keeps: their
    sessions wait for them while they are offline; None: as the settings say.
    """

    presence: Presence
    stays: bool = False
    keeps: bool | None = None


async def set_presence(
    tx: Tx, servicer_id: str, going: Presence | Going, *, by: Actor
) -> ServicerView:
    """Come, go, or be busy. One's own, or a supervisor's for others. A no-op emits nothing."""
    if by.servicer_id != servicer_id and not by.may(Permission.SESSION_SUPERVISE):
        raise Forbidden(permission=str(Permission.SESSION_SUPERVISE))
    how = going if isinstance(going, Going) else Going(going)
    mine = update(ServicerRow).where(ServicerRow.id == servicer_id)
    kept = {"keeps_until": _keeps_until(tx, how)}
    changed = await tx.db.execute(
        mine.where(ServicerRow.presence != how.presence)
        .values(presence=how.presence, stays=how.stays, idle_since=tx.now, **kept)
        .returning(ServicerRow.id)
        .execution_options(synchronize_session=False)
    )
    is_new = changed.first() is not None
    if not is_new and (how.stays or how.keeps is not None):
        values = {"stays": True} if how.stays else {}
        await tx.db.execute(mine.values(**values, **({} if how.keeps is None else kept)))
    view = await get_servicer(tx, servicer_id)
    if is_new or how.keeps is not None:
        tx.emit(ServicerChanged(servicer=view))
    return view


async def leave_for_good(tx: Tx, user_id: str, *, by: Actor) -> None:
    """Whoever may not log in is not there either: nobody is promised their time."""
    row = await tx.db.scalar(select(ServicerRow).where(ServicerRow.user_id == user_id))
    if row is not None:
        await set_presence(tx, row.id, Going(Presence.OFFLINE, keeps=False), by=by)


def _keeps_until(tx: Tx, going: Going) -> datetime | None:
    words = tx.settings.get(Reception)
    keeps = words.keep_when_offline if going.keeps is None else going.keeps
    if going.presence is not Presence.OFFLINE or not keeps:
        return None
    return tx.now + timedelta(seconds=words.keep_for_s)


async def take_load(
    tx: Tx, servicer_id: str, *, within_capacity: bool, is_given: bool = False
) -> bool:
    """Count one more session in; False when the limit, or absence, forbids it.

    within_capacity False: the session is already theirs (native pick-up, take-over). is_given: by
    the system, which gives nothing to whoever left since they were chosen.
    """
    statement = update(ServicerRow).where(ServicerRow.id == servicer_id)
    if is_given:
        statement = statement.where(ServicerRow.presence == Presence.ONLINE)
    if within_capacity:
        statement = statement.where(ServicerRow.open_sessions < ServicerRow.capacity)
    changed = await tx.db.execute(
        statement.values(open_sessions=ServicerRow.open_sessions + 1)
        .returning(ServicerRow.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        return False
    tx.emit(ServicerChanged(servicer=await get_servicer(tx, servicer_id)))
    return True


async def hold_both(tx: Tx, *servicer_ids: str | None) -> None:
    """Hold those between whom a session passes, by id: two who swap sessions both succeed."""
    ids = [one for one in servicer_ids if one is not None]
    rows = select(ServicerRow.id).where(ServicerRow.id.in_(ids)).order_by(ServicerRow.id)
    await tx.db.execute(rows.with_for_update())


async def drop_load(tx: Tx, servicer_id: str) -> None:
    """Count one session out."""
    await tx.db.execute(
        update(ServicerRow)
        .where(ServicerRow.id == servicer_id, ServicerRow.open_sessions > 0)
        .values(open_sessions=ServicerRow.open_sessions - 1, idle_since=tx.now)
        .execution_options(synchronize_session=False)
    )
    tx.emit(ServicerChanged(servicer=await get_servicer(tx, servicer_id)))


async def set_accepting(tx: Tx, account_id: str, servicer_id: str, *, is_accepting: bool) -> None:
    """What the platform says: may this person be given native sessions of this account?"""
    row = {"account_id": account_id, "servicer_id": servicer_id, "is_accepting": is_accepting}
    await tx.db.execute(
        tx.upsert(AccountServicerRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=["account_id", "servicer_id"], set_={"is_accepting": is_accepting}
        )
    )


def _check_capacity(capacity: int) -> None:
    if not 0 <= capacity <= MAX_CAPACITY:
        raise Invalid("capacity_out_of_range", field="capacity", low=0, high=MAX_CAPACITY)


async def _check_wecom_userid(
    tx: Tx, wecom_userid: str | None, *, for_servicer: str | None
) -> None:
    if not wecom_userid:
        return
    owner = await tx.db.scalar(
        select(ServicerRow.id).where(ServicerRow.wecom_userid == wecom_userid)
    )
    if owner not in (None, for_servicer):
        raise Conflict("wecom_userid_taken", field="wecom_userid")
