"""The only writer of canned replies: personal ones, and those for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.replies.models import CannedReplyRow
from core.replies.queries import ReplyView, Scope, reply_view


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    title: str
    text: str
    shortcut: str = ""
    scope: Scope = "personal"


async def create(tx: Tx, draft: ReplyDraft, *, by: Actor) -> ReplyView:
    """Raises: Forbidden when someone who does not supervise writes for everyone."""
    row = CannedReplyRow(
        id=new_id(),
        scope=draft.scope,
        owner_id=_owner(draft.scope, by),
        shortcut=draft.shortcut,
        title=draft.title,
        text=draft.text,
        created_at=tx.now,
        version=1,
    )
    tx.db.add(row)
    await tx.db.flush()
    await _record(tx, "reply.created", row, by)
    return reply_view(row)


async def change(
    tx: Tx, reply_id: str, wanted: Mapping[str, str], *, version: int, by: Actor
) -> ReplyView:
    """Change fields of `ReplyDraft`; those not named stay.

    Raises: NotFound (also for another person's), Forbidden, Conflict.
    """
    row = await _access(tx, reply_id, by)
    values: dict[str, object] = dict(wanted)
    if "scope" in wanted:
        values["owner_id"] = _owner("personal" if wanted["scope"] == "personal" else "all", by)
    changed = await tx.db.execute(
        update(CannedReplyRow)
        .where(CannedReplyRow.id == row.id, CannedReplyRow.version == version)
        .values(**values, version=version + 1)
        .returning(CannedReplyRow.id)
        .execution_options(synchronize_session=False)
    )
    if changed.first() is None:
        raise Conflict(version=row.version)
    await tx.db.refresh(row)
    await _record(tx, "reply.changed", row, by)
    return reply_view(row)


async def remove(tx: Tx, reply_id: str, *, by: Actor) -> None:
    """Raises: NotFound, Forbidden."""
    row = await _access(tx, reply_id, by)
    await tx.db.execute(delete(CannedReplyRow).where(CannedReplyRow.id == row.id))
    await _record(tx, "reply.removed", row, by)


def _owner(scope: Scope, by: Actor) -> str | None:
    if scope == "personal":
        return by.user_id
    by.require(Permission.SESSION_SUPERVISE)
    return None


async def _access(tx: Tx, reply_id: str, by: Actor) -> CannedReplyRow:
    row = await tx.db.get(CannedReplyRow, reply_id)
    if row is None or row.owner_id not in (None, by.user_id):
        raise NotFound(noun="reply", id=reply_id)
    if row.owner_id is None:
        by.require(Permission.SESSION_SUPERVISE)
    return row


async def _record(tx: Tx, action: str, row: CannedReplyRow, by: Actor) -> None:
    """Personal replies are nobody else's business; those for everyone are recorded."""
    if row.owner_id is None:
        await audit.append(tx, by=by, action=action, target=row.id)
