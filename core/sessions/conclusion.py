"""What a session was about, as people write it down: summary, reason category, tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, insert, select

from core.actor import Actor
from core.conversations.models import MessageRow
from core.db import Tx
from core.errors import Invalid
from core.events import SessionUpdated
from core.sessions.models import SessionRow, SessionTagRow
from core.sessions.moves import check_mine, get_session, hold_session
from core.sessions.queries import session_view
from core.settings import reception
from core.tickets.models import TicketCategoryRow
from core.views import Sender, SessionView, View
from core.words import likeness, words_of

MAX_SUMMARY: Final = 1000
MAX_TAGS: Final = 20
MAX_TAG: Final = 32
#: How much of a category's name must be heard before it is proposed.
_ALIKE: Final = 0.3
_HEARD_LINES: Final = 50
_QUOTED: Final = 120


@dataclass(frozen=True, slots=True)
class Conclusion:
    """None: leave as it is. An empty category_id takes the category away."""

    summary: str | None = None
    category_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """The article that was sent last in a session."""

    title: str
    category: str


class ProposalView(View):
    """What a closing dialog begins with."""

    summary: str
    category_id: str | None
    category_name: str
    category_required: bool
    summary_required: bool


class SessionTagView(View):
    name: str
    sessions: int


async def settle(tx: Tx, row: SessionRow, wanted: Conclusion) -> None:
    """Write the conclusion of a session that a person ends.

    Raises: Invalid `category_required`, `summary_required`, `unknown_category`.
    """
    await _write(tx, row, wanted)
    rules = tx.settings.get(reception.Conclusion)
    if rules.category_required and row.category_id is None:
        raise Invalid("category_required", field="category_id")
    if rules.summary_required and not row.summary:
        raise Invalid("summary_required", field="summary")


async def conclude(tx: Tx, session_id: str, wanted: Conclusion, *, by: Actor) -> SessionView:
    """Write or change the conclusion, also of a closed session. Raises: NotFound, Forbidden."""
    row, _ = await hold_session(tx, session_id)
    check_mine(row, by)
    before = (row.summary, row.category_id)
    await _write(tx, row, wanted)
    if (row.summary, row.category_id) != before:
        await _announce(tx, row)
    return await session_view(tx, session_id)


async def change_tags(
    tx: Tx, session_id: str, *, add: Sequence[str], remove: Sequence[str], by: Actor
) -> SessionView:
    """Put tags on and take tags off. Raises: NotFound, Forbidden, Invalid."""
    row, _ = await hold_session(tx, session_id)
    check_mine(row, by)
    wanted = [_checked(tag) for tag in add]
    tags = [tag for tag in dict.fromkeys([*row.tags, *wanted]) if tag not in remove]
    if len(tags) > MAX_TAGS:
        raise Invalid("too_many", field="tags", max=MAX_TAGS)
    if tags != row.tags:
        await _index(tx, row, tags)
        row.tags = tags
        await _announce(tx, row)
    return await session_view(tx, session_id)


async def list_tags(tx: Tx, *, limit: int = 200) -> tuple[SessionTagView, ...]:
    """Tags in use, most used first."""
    count = func.count()
    query = select(SessionTagRow.tag, count).group_by(SessionTagRow.tag)
    query = query.order_by(count.desc(), SessionTagRow.tag).limit(limit)
    return tuple(SessionTagView(name=name, sessions=n) for name, n in await tx.db.execute(query))


async def last_cited(tx: Tx, session_id: str) -> str | None:
    """The article that was sent last in the session."""
    cited = MessageRow.source["article_id"].as_string()
    return await tx.db.scalar(
        select(cited)
        .where(MessageRow.session_id == session_id, cited.is_not(None))
        .order_by(MessageRow.seq.desc())
        .limit(1)
    )


async def propose(tx: Tx, session_id: str, cited: Cited | None) -> ProposalView:
    """A summary and a category from what was said and cited; what is written already stays."""
    row = await get_session(tx, session_id)
    said = await _lines(tx, session_id)
    category = await _category(tx, row, said, cited)
    rules = tx.settings.get(reception.Conclusion)
    return ProposalView(
        summary=row.summary or _summary(row, said, cited),
        category_id=category[0] if category else None,
        category_name=category[1] if category else "",
        category_required=rules.category_required,
        summary_required=rules.summary_required,
    )


async def _write(tx: Tx, row: SessionRow, wanted: Conclusion) -> None:
    if wanted.category_id is not None and wanted.category_id != (row.category_id or ""):
        if wanted.category_id and not await tx.db.get(TicketCategoryRow, wanted.category_id):
            raise Invalid("unknown_category", field="category_id")
        row.category_id = wanted.category_id or None
    if wanted.summary is not None:
        row.summary = wanted.summary.strip()[:MAX_SUMMARY]


async def _announce(tx: Tx, row: SessionRow) -> None:
    row.version += 1
    tx.emit(SessionUpdated(session=await session_view(tx, row.id)))


async def _index(tx: Tx, row: SessionRow, tags: Sequence[str]) -> None:
    known = set(row.tags)
    gone = delete(SessionTagRow).where(SessionTagRow.session_id == row.id)
    gone = gone.where(SessionTagRow.tag.in_(known - set(tags)))
    await tx.db.execute(gone.execution_options(synchronize_session=False))
    new = [{"tag": tag, "session_id": row.id} for tag in tags if tag not in known]
    if new:
        await tx.db.execute(insert(SessionTagRow), new)


def _checked(tag: str) -> str:
    plain = tag.strip()
    if not 1 <= len(plain) <= MAX_TAG:
        raise Invalid("bad_length", field="tags", max=MAX_TAG)
    return plain


async def _lines(tx: Tx, session_id: str) -> list[tuple[str, str]]:
    """(sender, text) of the beginning of a session, in its order."""
    rows = await tx.db.execute(
        select(MessageRow.sender, MessageRow.text)
        .where(
            MessageRow.session_id == session_id,
            MessageRow.recalled_at.is_(None),
            MessageRow.text != "",
        )
        .order_by(MessageRow.seq)
        .limit(_HEARD_LINES)
    )
    return [(sender, text) for sender, text in rows]


def _summary(row: SessionRow, said: Sequence[tuple[str, str]], cited: Cited | None) -> str:
    """问：怎么重置密码；答：已重置."""
    asked = [text for sender, text in said if sender == Sender.CUSTOMER]
    told = [text for sender, text in said if sender == Sender.SERVICER]
    question = row.topic or max(asked, key=len, default="")
    parts = [("问", question), ("答", max(told, key=len, default=""))]
    if cited and not told:
        parts.append(("引用", cited.title))
    return "；".join(f"{word}：{_quoted(text)}" for word, text in parts if text)


def _quoted(text: str) -> str:
    return " ".join(text.split())[:_QUOTED].rstrip("。；;，,")


async def _category(
    tx: Tx, row: SessionRow, said: Sequence[tuple[str, str]], cited: Cited | None
) -> tuple[str, str] | None:
    """The category written down, else the one whose name is most like what was cited or said."""
    query = select(TicketCategoryRow.id, TicketCategoryRow.name)
    if row.category_id is not None:
        found = (await tx.db.execute(query.where(TicketCategoryRow.id == row.category_id))).one()
        return found.id, found.name
    shelf = words_of(cited.category) if cited else frozenset[str]()
    heard = words_of(" ".join([row.topic, *(text for _, text in said)]))
    best: tuple[float, str, str] | None = None
    active = query.where(TicketCategoryRow.is_active).order_by(TicketCategoryRow.position)
    for key, name in await tx.db.execute(active):
        words = words_of(name)
        score = max(likeness(shelf, words), len(words & heard) / (len(words) or 1))
        if score >= _ALIKE and (best is None or score > best[0]):
            best = score, key, name
    return best[1:] if best else None
