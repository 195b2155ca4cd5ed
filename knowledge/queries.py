"""Reading articles, their revisions and the category tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_

from core.db import Tx, UnitOfWork
from core.errors import NotFound
from core.paging import Page, decode_cursor, page_of
from knowledge.content import CONTENT_FIELDS, ArticleContent, ArticleState
from knowledge.models import ArticleRow, RevisionRow
from knowledge.richtext import sanitised
from knowledge.views import ArticleView, RevisionView

#: Ids in one `IN (…)`; well below what either database takes.
IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """category: the node and what lies below it. text: a part of question, answer or id."""

    state: ArticleState | None = None
    category: str = ""
    text: str = ""
    owner_id: str | None = None
    in_review: bool = False


async def get_article(tx: Tx, article_id: str) -> ArticleView:
    """One article with the revision that is being worked on.

    Raises: NotFound.
    """
    row = await tx.db.get(ArticleRow, article_id)
    if row is None:
        raise NotFound("article_not_found", article_id=article_id)
    opened = None
    if row.open_number is not None:
        opened = await tx.db.get(RevisionRow, (article_id, row.open_number))
    return article_view(row, tx.now, opened)


async def list_articles(
    tx: Tx, wanted: ArticleFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[ArticleView]:
    """Articles, the latest change first."""
    query = select(ArticleRow).where(*_conditions(wanted))
    if cursor:
        before = decode_cursor(cursor, datetime, str)
        query = query.where(tuple_(ArticleRow.updated_at, ArticleRow.id) < tuple_(*before))
    query = query.order_by(ArticleRow.updated_at.desc(), ArticleRow.id.desc()).limit(limit + 1)
    views = [article_view(row, tx.now) for row in await tx.db.scalars(query)]
    return page_of(views, limit, lambda view: (view.updated_at, view.id))


async def articles_by_id(tx: Tx, article_ids: Sequence[str]) -> dict[str, ArticleView]:
    found: dict[str, ArticleView] = {}
    for start in range(0, len(article_ids), IDS_AT_ONCE):
        part = article_ids[start : start + IDS_AT_ONCE]
        rows = await tx.db.scalars(select(ArticleRow).where(ArticleRow.id.in_(part)))
        found |= {row.id: article_view(row, tx.now) for row in rows}
    return found


async def revisions(tx: Tx, article_id: str) -> list[RevisionView]:
    """All states of an article, the newest first."""
    rows = await tx.db.scalars(
        select(RevisionRow)
        .where(RevisionRow.article_id == article_id)
        .order_by(RevisionRow.number.desc())
    )
    return [revision_view(row) for row in rows]


async def get_revision(tx: Tx, article_id: str, number: int) -> RevisionView:
    """Raises: NotFound."""
    row = await tx.db.get(RevisionRow, (article_id, number))
    if row is None:
        raise NotFound("revision_not_found", article_id=article_id, number=number)
    return revision_view(row)


async def live_stamps(tx: Tx) -> dict[str, int]:
    """Version of every article that is live now, by id."""
    query = select(ArticleRow.id, ArticleRow.version).where(*live_conditions(tx.now))
    return dict((await tx.db.execute(query)).all())


async def live_articles(tx: Tx, article_ids: Sequence[str]) -> list[ArticleView]:
    """Those of these articles that are live now."""
    views = await articles_by_id(tx, article_ids)
    return [view for view in views.values() if view.is_live]


async def every_article(
    uow: UnitOfWork, *, state: ArticleState | None = None, at_once: int = 1000
) -> AsyncIterator[ArticleView]:
    """All articles in the order of their external ids, one short read for each page."""
    after = ""
    while True:
        query = select(ArticleRow).where(ArticleRow.external_id > after)
        if state is not None:
            query = query.where(ArticleRow.state == state)
        async with uow.read() as tx:
            query = query.order_by(ArticleRow.external_id).limit(at_once)
            views = [article_view(row, tx.now) for row in await tx.db.scalars(query)]
        for view in views:
            yield view
        if len(views) < at_once:
            return
        after = views[-1].external_id


def live_conditions(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ArticleRow.state == ArticleState.PUBLISHED,
        or_(ArticleRow.effective_at.is_(None), ArticleRow.effective_at <= now),
        or_(ArticleRow.expires_at.is_(None), ArticleRow.expires_at > now),
    )


def _conditions(wanted: ArticleFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(ArticleRow.state == wanted.state)
    if wanted.category:
        below = ArticleRow.category.startswith(wanted.category + "/", autoescape=True)
        conditions.append(or_(ArticleRow.category == wanted.category, below))
    if wanted.owner_id is not None:
        conditions.append(ArticleRow.owner_id == wanted.owner_id)
    if wanted.text:
        columns = (ArticleRow.question, ArticleRow.answer, ArticleRow.external_id)
        conditions.append(or_(*(c.icontains(wanted.text, autoescape=True) for c in columns)))
    if wanted.in_review:
        reviewed = select(RevisionRow.article_id).where(RevisionRow.state == "review")
        conditions.append(ArticleRow.id.in_(reviewed))
    return conditions


def content_of(row: ArticleRow) -> ArticleContent:
    """The content columns of a row, which were validated when they were written."""
    return ArticleContent.model_construct(None, **_columns(row))


def _columns(row: ArticleRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in CONTENT_FIELDS}
    if row.answer_html:
        values["answer_html"] = sanitised(row.answer_html)  # also what an older release stored
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def article_view(row: ArticleRow, now: datetime, opened: RevisionRow | None = None) -> ArticleView:
    published = row.state == ArticleState.PUBLISHED
    return ArticleView(
        **_columns(row),
        id=row.id,
        external_id=row.external_id,
        state=ArticleState(row.state),
        is_live=published and content_of(row).is_shown_at(now),
        owner_id=row.owner_id,
        live_number=row.live_number,
        open=revision_view(opened) if opened is not None else None,
        open_number=row.open_number,
        hits=row.hits,
        helpful=row.helpful,
        unhelpful=row.unhelpful,
        absorbed=row.absorbed,
        created_at=row.created_at,
        updated_at=row.updated_at,
        published_at=row.published_at,
        version=row.version,
    )


def _shown(stored: dict[str, Any]) -> ArticleContent:
    html = stored.get("answer_html")
    return ArticleContent.model_validate(stored | {"answer_html": sanitised(html) if html else ""})


def revision_view(row: RevisionRow) -> RevisionView:
    return RevisionView(
        number=row.number,
        state=row.state,
        content=_shown(row.content),
        author_id=row.author_id,
        author_name=row.author_name,
        reviewer_id=row.reviewer_id,
        reviewer_name=row.reviewer_name,
        note=row.note,
        created_at=row.created_at,
        updated_at=row.updated_at,
        decided_at=row.decided_at,
    )
