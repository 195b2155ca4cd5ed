"""Reading canned replies."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select

from core.db import Tx
from core.replies.models import CannedReplyRow
from core.views import View

Scope = Literal["personal", "all"]


class ReplyView(View):
    """text may hold variables: {customer}, {servicer}, {institution}; the console fills them."""

    id: str
    scope: Scope
    shortcut: str
    title: str
    text: str
    created_at: datetime
    version: int


def reply_view(row: CannedReplyRow) -> ReplyView:
    return ReplyView(
        id=row.id,
        scope="personal" if row.owner_id else "all",
        shortcut=row.shortcut,
        title=row.title,
        text=row.text,
        created_at=row.created_at,
        version=row.version,
    )


async def list_replies(tx: Tx, *, user_id: str | None) -> list[ReplyView]:
    """Everyone's and this person's own, by shortcut, then title."""
    query = (
        select(CannedReplyRow)
        .where(or_(CannedReplyRow.owner_id.is_(None), CannedReplyRow.owner_id == user_id))
        .order_by(CannedReplyRow.shortcut, CannedReplyRow.title, CannedReplyRow.id)
    )
    return [reply_view(row) for row in await tx.db.scalars(query)]
