"""Reading canned replies."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select, true

from core.actor import Actor
from core.db import Tx
from core.permissions import Permission
from core.replies.models import CannedReplyRow
from core.teams.models import TeamRow
from core.teams.queries import teams_of
from core.views import View

Scope = Literal["personal", "team", "all"]


class ReplyView(View):
    """text may hold variables: {客户姓名}, {客服姓名}, {机构}, …; whoever sends it fills them.

    team_id: of a team's reply, which its members see.
    """

    id: str
    scope: Scope
    team_id: str | None
    team_name: str
    shortcut: str
    title: str
    text: str
    created_at: datetime
    version: int


def reply_view(row: CannedReplyRow, team_name: str) -> ReplyView:
    return ReplyView.model_validate(
        {name: getattr(row, name) for name in ReplyView.model_fields if name != "team_name"}
        | {"team_name": team_name}
    )


async def list_replies(tx: Tx, *, by: Actor) -> list[ReplyView]:
    """Everyone's, one's teams' (a supervisor: all teams') and one's own, by shortcut and title."""
    mine = await teams_of(tx, by.servicer_id) if by.servicer_id else frozenset[str]()
    of_teams = true() if by.may(Permission.SESSION_SUPERVISE) else CannedReplyRow.team_id.in_(mine)
    query = (
        select(CannedReplyRow, TeamRow.name)
        .outerjoin(TeamRow, TeamRow.id == CannedReplyRow.team_id)
        .where(
            or_(
                CannedReplyRow.scope == "all",
                (CannedReplyRow.scope == "personal") & (CannedReplyRow.owner_id == by.user_id),
                (CannedReplyRow.scope == "team") & of_teams,
            )
        )
        .order_by(CannedReplyRow.shortcut, CannedReplyRow.title, CannedReplyRow.id)
    )
    return [reply_view(row, team or "") for row, team in await tx.db.execute(query)]
