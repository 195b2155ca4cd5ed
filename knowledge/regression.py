"""Before publishing: which known questions would be answered otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.db import UnitOfWork
from core.views import View
from knowledge.answerer import Answerer
from knowledge.content import ArticleContent
from knowledge.known import Known, everything_known
from knowledge.patience import patiently
from knowledge.pools import PUBLIC
from knowledge.retriever import Decision, Retriever

#: Known questions that are asked; the latest come first.
MOST_QUESTIONS: Final = 300
#: Above this many articles only those that compete for the known questions are compared.
WHOLE_BASE: Final = 2000
_NOTHING: Final = ArticleContent(question="?")


class Outcome(View):
    """band: answer, menu, handoff or gate. article_id, title: of the best article, if any."""

    band: str
    article_id: str | None
    title: str = ""
    confidence: float


class ChangedAnswer(View):
    """right_article_id: what people said is right, if they did. kind: better, worse or other."""

    question: str
    before: Outcome
    after: Outcome
    right_article_id: str | None
    kind: str


class Impact(View):
    """asked: known questions that were tried, before and after the change."""

    asked: int
    changed: tuple[ChangedAnswer, ...]


async def impact(
    uow: UnitOfWork, answerer: Answerer, article_id: str, content: ArticleContent | None
) -> Impact:
    """What publishing this content (None: archiving the article) would change.

    Of a scheduled article: from its day on. Of one that is not public: for its first audience.
    """
    async with uow.read() as tx:
        known = (await everything_known(tx))[:MOST_QUESTIONS]
    own = answerer.live_content(article_id)
    audience = next(iter((content or own or _NOTHING).audience), PUBLIC)
    known += _own_wordings(article_id, [c for c in (own, content) if c is not None], known)
    is_large = len(answerer) > WHOLE_BASE
    only = await _competitors(answerer, known, audience) if is_large else None
    before = await answerer.imagine({article_id: own}, audience=audience, only=only)
    after = await answerer.imagine({article_id: content}, audience=audience, only=only)
    titles = answerer.titles() | ({article_id: content.question} if content else {})
    changed = []
    for item in known:
        old = _outcome(await _asked(before, item.question), answerer.titles())
        new = _outcome(await _asked(after, item.question), titles)
        if (old.band, old.article_id) != (new.band, new.article_id):
            changed.append(_changed(item, old, new))
    return Impact(asked=len(known), changed=tuple(changed))


async def _asked(pool: Retriever, question: str) -> Decision:
    return await patiently(lambda: pool.decide(question))


def _own_wordings(
    article_id: str, contents: Sequence[ArticleContent], known: Sequence[Known]
) -> list[Known]:
    asked = {item.question for item in known}
    wordings = dict.fromkeys(text for c in contents for text in (c.question, *c.similar))
    return [Known(text, article_id) for text in wordings if text not in asked]


async def _competitors(answerer: Answerer, known: Sequence[Known], audience: str) -> set[str]:
    found: set[str] = set()
    for item in known:
        found |= set(await answerer.best_ids(item.question, audience=audience))
    return found


def _outcome(decision: Decision, titles: dict[str, str]) -> Outcome:
    shows = decision.gate is None and decision.band.value in {"answer", "menu"}
    first = decision.candidates[0].article_id if shows and decision.candidates else None
    return Outcome(
        band=decision.band,
        article_id=first,
        title=titles.get(first, "") if first else "",
        confidence=round(decision.confidence, 4),
    )


def _changed(item: Known, before: Outcome, after: Outcome) -> ChangedAnswer:
    kind = "other"
    if item.wrong_article_id is None:
        gain = _worth(after, item.article_id) - _worth(before, item.article_id)
        kind = "better" if gain > 0 else "worse" if gain < 0 else "other"
    return ChangedAnswer(
        question=item.question,
        before=before,
        after=after,
        right_article_id=item.article_id,
        kind=kind,
    )


def _worth(outcome: Outcome, right: str | None) -> int:
    """Higher is better for the customer; an honest hand-off beats a wrong answer."""
    shown = outcome.article_id
    if outcome.band == "answer":
        return 3 if shown == right and right is not None else -2
    if outcome.band == "menu":
        return 2 if shown == right and right is not None else -1
    return 3 if right is None else 0
