"""The only writer of canned replies: personal ones, those of teams, and those for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.ids import new_id
from core.permissions import Permission
from core.replies.models import CannedReplyRow
from core.replies.queries import ReplyView, Scope, reply_view
from core.teams.models import TeamRow


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """team_id: whose it is; needed when the scope is team, and only then."""

    title: str
    text: str
    shortcut: str = ""
    scope: Scope = "personal"
    team_id: str | None = None


async def create(tx: Tx, draft: ReplyDraft, *, by: Actor) -> ReplyView:
    """Raises: Forbidden (see `_owner`), Invalid."""
    row = CannedReplyRow(
        id=new_id(),
        shortcut=draft.shortcut,
        title=draft.title,
        text=draft.text,
        created_at=tx.now,
        version=1,
        **await _owner(tx, draft.scope, draft.team_id, by),
    )
    tx.db.add(row)
    await tx.db.flush()
    await _record(tx, "reply.created", row, by)
    return await _view(tx, row)


async def change(
    tx: Tx, reply_id: str, wanted: Mapping[str, str], *, version: int, by: Actor
) -> ReplyView:
    """Change fields of `ReplyDraft`; those not named stay.

    Raises: NotFound (also for another person's), Forbidden, Invalid, Conflict.
    """
    row = await _access(tx, reply_id, by)
    values: dict[str, object] = dict(wanted)
    if "scope" in wanted or "team_id" in wanted:
        scope, team_id = wanted.get("scope", row.scope), wanted.get("team_id", row.team_id)
        values |= await _owner(tx, scope, team_id, by)
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
    return await _view(tx, row)


async def remove(tx: Tx, reply_id: str, *, by: Actor) -> None:
    """Raises: NotFound, Forbidden."""
    row = await _access(tx, reply_id, by)
    await tx.db.execute(delete(CannedReplyRow).where(CannedReplyRow.id == row.id))
    await _record(tx, "reply.removed", row, by)


async def _owner(tx: Tx, scope: str, team_id: str | None, by: Actor) -> dict[str, str | None]:
    """Personal: one's own. A team's: its leader's, or a supervisor's. Everyone's: a supervisor's.

    Raises: Forbidden; Invalid without a team.
    """
    if scope == "personal":
        return {"scope": scope, "owner_id": by.person, "team_id": None}
    if scope == "team":
        if team_id is None:
            raise Invalid("required", field="team_id")
        await _check_leads(tx, team_id, by)
        return {"scope": scope, "owner_id": None, "team_id": team_id}
    by.require(Permission.SESSION_SUPERVISE)
    return {"scope": scope, "owner_id": None, "team_id": None}


async def _check_leads(tx: Tx, team_id: str, by: Actor) -> None:
    team = await tx.db.get(TeamRow, team_id)
    if team is None:
        raise Invalid("not_found", field="team_id")
    if team.leader_id is None or team.leader_id != by.servicer_id:
        by.require(Permission.SESSION_SUPERVISE)


async def _access(tx: Tx, reply_id: str, by: Actor) -> CannedReplyRow:
    row = await tx.db.get(CannedReplyRow, reply_id)
    if row is None or row.owner_id not in (None, by.user_id):
        raise NotFound(noun="reply", id=reply_id)
    if row.team_id is not None:
        await _check_leads(tx, row.team_id, by)
    elif row.owner_id is None:
        by.require(Permission.SESSION_SUPERVISE)
    return row


async def _view(tx: Tx, row: CannedReplyRow) -> ReplyView:
    team = await tx.db.get(TeamRow, row.team_id) if row.team_id else None
    return reply_view(row, team.name if team else "")


async def _record(tx: Tx, action: str, row: CannedReplyRow, by: Actor) -> None:
    """Personal replies are nobody else's business; those of others are recorded."""
    if row.owner_id is None:
        await audit.append(tx, by=by, action=action, target=row.id)
