"""The work queue of what the base does not know yet: owners, dates, drafts, effect."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select, tuple_

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, InvalidTransition, NotFound
from core.paging import Page, decode_cursor, page_of
from core.permissions import Permission
from core.timers import service as timers
from core.views import View
from knowledge import service
from knowledge.models import GapQuestionRow, GapRow
from knowledge.views import ArticleView

#: The recurring job that sorts questions into gaps.
MINING_TIMER: Final = "knowledge.gaps"
SAMPLES = 8
_DRAFT_WORDINGS = 10


class GapView(View):
    """Questions of one kind without an article. samples: the latest of them.

    best_answer: what a person answered, personal data removed. absorbed: later questions that
    the article written for it has answered.
    """

    id: str
    title: str
    state: str
    size: int
    samples: tuple[str, ...]
    best_answer: str
    best_session_id: str | None
    owner_id: str | None
    due_at: datetime | None
    article_id: str | None
    absorbed: int
    first_asked_at: datetime
    last_asked_at: datetime
    version: int


class MiningView(View):
    """next_at: when questions are sorted next. has_failed: the last try did not end well."""

    is_running: bool
    has_failed: bool
    next_at: datetime | None


async def mining_state(tx: Tx) -> MiningView:
    timer = await timers.find(tx, MINING_TIMER, timers.ROUND_KEY)
    if timer is None:
        return MiningView(is_running=False, has_failed=False, next_at=None)
    is_due = timer.due_at <= tx.now
    has_failed = timer.attempts > 0 and not is_due
    return MiningView(is_running=is_due, has_failed=has_failed, next_at=timer.due_at)


async def mine_soon(tx: Tx, *, by: Actor) -> MiningView:
    """Sort what was asked since the last time now, rather than tonight. Raises: Forbidden."""
    by.require(Permission.ARTICLE_EDIT)
    await timers.set_timer(tx, MINING_TIMER, timers.ROUND_KEY, tx.now)
    await audit.append(tx, by=by, action="gaps.mining_asked")
    return await mining_state(tx)


async def list_gaps(
    tx: Tx,
    *,
    state: str = "",
    owner_id: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[GapView]:
    """Gaps, the largest first."""
    query = select(GapRow)
    if state:
        query = query.where(GapRow.state == state)
    if owner_id:
        query = query.where(GapRow.owner_id == owner_id)
    if cursor:
        query = query.where(
            tuple_(GapRow.size, GapRow.id) < tuple_(*decode_cursor(cursor, int, str))
        )
    query = query.order_by(GapRow.size.desc(), GapRow.id.desc()).limit(limit + 1)
    rows = list(await tx.db.scalars(query))
    views = [_view(row, await _questions(tx, row.id, SAMPLES)) for row in rows]
    return page_of(views, limit, lambda view: (view.size, view.id))


async def get_gap(tx: Tx, gap_id: str) -> GapView:
    """Raises: NotFound."""
    row = await tx.db.get(GapRow, gap_id)
    if row is None:
        raise NotFound("gap_not_found", gap_id=gap_id)
    return _view(row, await _questions(tx, gap_id, SAMPLES))


async def assign(
    tx: Tx,
    gap_id: str,
    *,
    owner_id: str | None,
    due_at: datetime | None,
    version: int,
    by: Actor,
) -> GapView:
    """Say who closes the gap, and by when.

    Raises: NotFound, Forbidden, Conflict.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, gap_id, version)
    row.owner_id, row.due_at = owner_id, due_at
    return await _stored(tx, row)


async def dismiss(tx: Tx, gap_id: str, *, version: int, by: Actor) -> GapView:
    """No article is wanted; later questions of the kind still join it.

    Raises: NotFound, Forbidden, Conflict.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, gap_id, version)
    row.state = "dismissed"
    return await _stored(tx, row)


async def reopen(tx: Tx, gap_id: str, *, version: int, by: Actor) -> GapView:
    """Put a dismissed or closed gap back into the queue.

    Raises: NotFound, Forbidden, Conflict.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, gap_id, version)
    row.state = "open"
    return await _stored(tx, row)


async def draft(
    tx: Tx, gap_id: str, *, version: int, by: Actor, external_id: str | None = None
) -> ArticleView:
    """An article draft from the typical question, its wordings and the best human answer.

    Raises: NotFound, Forbidden, Conflict; InvalidTransition when there is a draft already.
    """
    row = await _access(tx, gap_id, version)
    if row.article_id is not None:
        raise InvalidTransition("gap_drafted", gap_id=gap_id, article_id=row.article_id)
    wordings = await _questions(tx, gap_id, _DRAFT_WORDINGS)
    content = service.checked_content(
        {
            "question": row.title[:500],
            "answer": row.best_answer,
            "similar": [text[:500] for text in wordings if text != row.title],
        }
    )
    article = await service.create(
        tx, content, by=by, external_id=external_id, owner_id=row.owner_id
    )
    row.article_id, row.state = article.id, "drafted"
    await _stored(tx, row)
    return article


async def _access(tx: Tx, gap_id: str, version: int) -> GapRow:
    row = await tx.db.scalar(select(GapRow).where(GapRow.id == gap_id).with_for_update())
    if row is None:
        raise NotFound("gap_not_found", gap_id=gap_id)
    if row.version != version:
        raise Conflict(gap_id=gap_id, version=row.version)
    return row


async def _stored(tx: Tx, row: GapRow) -> GapView:
    row.version += 1
    await tx.db.flush()
    return _view(row, await _questions(tx, row.id, SAMPLES))


async def _questions(tx: Tx, gap_id: str, limit: int) -> tuple[str, ...]:
    """Different wordings, the latest first."""
    rows = await tx.db.scalars(
        select(GapQuestionRow.question)
        .where(GapQuestionRow.gap_id == gap_id)
        .order_by(GapQuestionRow.asked_at.desc(), GapQuestionRow.decision_id.desc())
        .limit(limit * 4)
    )
    return tuple(dict.fromkeys(rows))[:limit]


def _view(row: GapRow, samples: tuple[str, ...]) -> GapView:
    return GapView(
        id=row.id,
        title=row.title,
        state=row.state,
        size=row.size,
        samples=samples,
        best_answer=row.best_answer,
        best_session_id=row.best_session_id,
        owner_id=row.owner_id,
        due_at=row.due_at,
        article_id=row.article_id,
        absorbed=row.absorbed,
        first_asked_at=row.first_asked_at,
        last_asked_at=row.last_asked_at,
        version=row.version,
    )
