"""The only writer of articles: draft → review → published, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from core.events import ArticleChanged
from core.ids import new_id
from core.permissions import Permission
from knowledge import lifetimes
from knowledge.categories import ensure_categories
from knowledge.content import ArticleContent, ArticleState
from knowledge.models import ArticleRow, GapRow, RevisionRow
from knowledge.queries import article_view, content_of
from knowledge.richtext import derived, sanitised
from knowledge.views import ArticleView

_OPEN_STATES = ("draft", "review", "rejected")


def checked_content(values: Mapping[str, Any]) -> ArticleContent:
    """Content from what somebody sent: validated, rich text sanitised, its plain text derived.

    Raises: Invalid with `field` and `reason`.
    """
    values = dict(values)
    if values.get("answer_html"):
        values["answer_html"] = sanitised(str(values["answer_html"]))
        values["answer"] = derived(values["answer_html"]).text
    try:
        return ArticleContent.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        facts = {"kind": first["type"], "most": first.get("ctx", {}).get("max_length")}
        raise Invalid("invalid_article", field=field, reason=first["msg"], **facts) from error


async def create(
    tx: Tx,
    content: ArticleContent,
    *,
    by: Actor,
    external_id: str | None = None,
    owner_id: str | None = None,
) -> ArticleView:
    """A new article as a draft.

    Raises: Forbidden; Conflict `external_id_taken`.
    """
    by.require(Permission.ARTICLE_EDIT)
    article_id = new_id()
    external_id = external_id or article_id
    if await tx.db.scalar(select(ArticleRow.id).where(ArticleRow.external_id == external_id)):
        raise Conflict("external_id_taken", external_id=external_id)
    row = ArticleRow(
        id=article_id,
        external_id=external_id,
        state=ArticleState.DRAFT,
        **content.model_dump(),
        owner_id=owner_id or by.user_id,
        open_number=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.db.add(row)
    await ensure_categories(tx, [content.category])
    await tx.db.flush()
    opened = new_revision(tx, row, content, number=1, by=by)
    await tx.db.flush()
    return article_view(row, tx.now, opened)


async def edit(
    tx: Tx, article_id: str, changes: Mapping[str, Any], *, version: int, by: Actor
) -> ArticleView:
    """Change the draft; customers go on seeing what is published until it is approved.

    Raises: NotFound, Forbidden, Conflict, Invalid.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, article_id, version)
    opened = await _open_revision(tx, row)
    base = ArticleContent.model_validate(opened.content) if opened else content_of(row)
    content = checked_content(_merged(base, changes))
    if opened is None:
        if content == base:
            return article_view(row, tx.now)
        opened = await _begin_revision(tx, row, content, by)
    else:
        if opened.state == "draft" and content == base:
            return article_view(row, tx.now, opened)
        opened.content = content.model_dump(mode="json")
        opened.state, opened.author_id, opened.author_name = "draft", by.key, by.name
        opened.updated_at = tx.now
    if row.live_number is None:
        _show(row, content)
    return await _stored(tx, row, opened)


async def submit(tx: Tx, article_id: str, *, version: int, by: Actor) -> ArticleView:
    """Hand the draft to review.

    Raises: NotFound, Forbidden, Conflict, InvalidTransition.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, article_id, version)
    opened = await _required_revision(tx, row, "draft", "rejected")
    opened.state, opened.updated_at = "review", tx.now
    return await _stored(tx, row, opened)


async def reject(tx: Tx, article_id: str, *, note: str, version: int, by: Actor) -> ArticleView:
    """Give the draft back to its author, with a reason.

    Raises: NotFound, Forbidden, Conflict, InvalidTransition.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    row = await _access(tx, article_id, version)
    opened = await _required_revision(tx, row, "review")
    _judge(tx, opened, "rejected", by, note)
    await audit.append(tx, by=by, action="article.rejected", target=row.id)
    return await _stored(tx, row, opened)


async def publish(
    tx: Tx,
    article_id: str,
    *,
    version: int,
    by: Actor,
    note: str = "",
    second_person: bool = True,
) -> ArticleView:
    """Approve the open revision: from now on customers are answered with it.

    second_person: the one who publishes must not be the author.
    Raises: NotFound, Conflict, InvalidTransition; Forbidden, also as `same_person`.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    row = await _access(tx, article_id, version)
    opened = await _required_revision(tx, row, *_OPEN_STATES)
    if second_person and opened.author_id == by.key:
        raise Forbidden("same_person", article_id=article_id)
    _judge(tx, opened, "published", by, note)
    await go_live(tx, row, opened)
    facts = {"number": opened.number, "author": opened.author_id}
    await audit.append(tx, by=by, action="article.published", target=row.id, facts=facts)
    return await _stored(tx, row, None)


async def discard(tx: Tx, article_id: str, *, version: int, by: Actor) -> ArticleView:
    """Drop the open revision of an article that has been published before.

    Raises: NotFound, Forbidden, Conflict, InvalidTransition.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, article_id, version)
    opened = await _required_revision(tx, row, *_OPEN_STATES)
    if row.live_number is None:
        raise InvalidTransition("never_published", article_id=article_id)
    await tx.db.delete(opened)
    row.open_number = None
    return await _stored(tx, row, None)


async def archive(tx: Tx, article_id: str, *, version: int, by: Actor) -> ArticleView:
    """Withdraw an article; the bot falls silent on it at once. Repeating changes nothing."""
    by.require(Permission.ARTICLE_PUBLISH)
    row = await _access(tx, article_id, version)
    opened = await _open_revision(tx, row)
    if row.state == ArticleState.ARCHIVED:
        return article_view(row, tx.now, opened)
    row.state = ArticleState.ARCHIVED
    await audit.append(tx, by=by, action="article.archived", target=row.id)
    return await _stored(tx, row, opened, changes_answers=True)


async def restore(tx: Tx, article_id: str, *, version: int, by: Actor) -> ArticleView:
    """Bring an archived article back to what it was: published, or a draft."""
    by.require(Permission.ARTICLE_PUBLISH)
    row = await _access(tx, article_id, version)
    opened = await _open_revision(tx, row)
    if row.state != ArticleState.ARCHIVED:
        return article_view(row, tx.now, opened)
    row.state = ArticleState.PUBLISHED if row.live_number else ArticleState.DRAFT
    await audit.append(tx, by=by, action="article.restored", target=row.id)
    return await _stored(tx, row, opened, changes_answers=True)


async def roll_back(
    tx: Tx, article_id: str, number: int, *, version: int, by: Actor
) -> ArticleView:
    """Publish an earlier published revision again, as a new one; the history only grows.

    Raises: NotFound, Forbidden, Conflict; InvalidTransition for a revision never published.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    row = await _access(tx, article_id, version)
    old = await tx.db.get(RevisionRow, (article_id, number))
    if old is None:
        raise NotFound("revision_not_found", article_id=article_id, number=number)
    if old.state != "published":
        raise InvalidTransition("never_published", article_id=article_id, number=number)
    opened = await _open_revision(tx, row)
    content = ArticleContent.model_validate(old.content)
    latest = await _begin_revision(tx, row, content, by)
    latest.author_id, latest.author_name = old.author_id, old.author_name
    _judge(tx, latest, "published", by, f"rolled back to {number}")
    await go_live(tx, row, latest)
    row.open_number = opened.number if opened is not None else None
    facts = {"number": latest.number, "from": number}
    await audit.append(tx, by=by, action="article.rolled_back", target=row.id, facts=facts)
    return await _stored(tx, row, opened)


async def delete(tx: Tx, article_id: str, *, by: Actor) -> None:
    """Remove an article for good; one that was ever published is archived instead.

    Raises: NotFound, Forbidden.
    """
    by.require(Permission.ARTICLE_EDIT)
    row = await _access(tx, article_id, None)
    if row.live_number is not None:
        await archive(tx, article_id, version=row.version, by=by)
        return
    await tx.db.execute(sql_delete(RevisionRow).where(RevisionRow.article_id == article_id))
    await tx.db.delete(row)
    await audit.append(tx, by=by, action="article.deleted", target=article_id)


def new_revision(
    tx: Tx, row: ArticleRow, content: ArticleContent, *, number: int, by: Actor
) -> RevisionRow:
    revision = RevisionRow(
        article_id=row.id,
        number=number,
        state="draft",
        content=content.model_dump(mode="json"),
        author_id=by.key,
        author_name=by.name,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.db.add(revision)
    return revision


async def go_live(tx: Tx, row: ArticleRow, revision: RevisionRow) -> None:
    """Show a revision to customers; its dates set the timers, its event the indexes."""
    _show(row, ArticleContent.model_validate(revision.content))
    row.state = ArticleState.PUBLISHED
    row.live_number, row.open_number = revision.number, None
    row.published_at = tx.now
    await ensure_categories(tx, [row.category])
    await lifetimes.plan(tx, row)
    if content_of(row).is_shown_at(tx.now):
        await tx.db.execute(
            update(GapRow)
            .where(GapRow.article_id == row.id, GapRow.state == "drafted")
            .values(state="closed", version=GapRow.version + 1)
        )
    announce(tx, row)


def announce(tx: Tx, row: ArticleRow) -> None:
    is_live = row.state == ArticleState.PUBLISHED and content_of(row).is_shown_at(tx.now)
    tx.emit(ArticleChanged(article_id=row.id, is_live=is_live))


async def _access(tx: Tx, article_id: str, version: int | None) -> ArticleRow:
    row = await tx.db.scalar(
        select(ArticleRow).where(ArticleRow.id == article_id).with_for_update()
    )
    if row is None:
        raise NotFound("article_not_found", article_id=article_id)
    if version is not None and row.version != version:
        raise Conflict(article_id=article_id, version=row.version)
    return row


async def _open_revision(tx: Tx, row: ArticleRow) -> RevisionRow | None:
    if row.open_number is None:
        return None
    return await tx.db.get(RevisionRow, (row.id, row.open_number))


async def _required_revision(tx: Tx, row: ArticleRow, *states: str) -> RevisionRow:
    opened = await _open_revision(tx, row)
    if opened is None or opened.state not in states:
        state = opened.state if opened is not None else "none"
        raise InvalidTransition("article_state", article_id=row.id, state=state)
    return opened


async def _begin_revision(
    tx: Tx, row: ArticleRow, content: ArticleContent, by: Actor
) -> RevisionRow:
    last = await tx.db.scalar(
        select(func.max(RevisionRow.number)).where(RevisionRow.article_id == row.id)
    )
    row.open_number = (last or 0) + 1
    return new_revision(tx, row, content, number=row.open_number, by=by)


def _judge(tx: Tx, revision: RevisionRow, state: str, by: Actor, note: str) -> None:
    revision.state, revision.note = state, note
    revision.reviewer_id, revision.reviewer_name = by.key, by.name
    revision.decided_at = tx.now


def _show(row: ArticleRow, content: ArticleContent) -> None:
    for name, value in content.model_dump().items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)


def _merged(base: ArticleContent, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = base.model_dump() | dict(changes)
    if "answer" in changes and "answer_html" not in changes:
        merged["answer_html"] = ""  # plain text was written over rich text
    return merged


async def _stored(
    tx: Tx, row: ArticleRow, opened: RevisionRow | None, *, changes_answers: bool = False
) -> ArticleView:
    row.version += 1
    row.updated_at = tx.now
    await tx.db.flush()
    if changes_answers:
        await lifetimes.plan(tx, row)
        announce(tx, row)
    return article_view(row, tx.now, opened)
