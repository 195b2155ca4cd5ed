"""The knowledge base beside its articles: full-text search, changes, synonyms, the answer log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from admin_api.routes.articles import KnowledgeOff
from core.db import Tx
from core.errors import Invalid
from core.paging import decode_cursor, encode_cursor
from core.permissions import Permission
from core.settings.sections import Knowledge
from knowledge import answer_log, decisions, queries, synonym_table
from knowledge.answer_log import BotFigures, LogFilter
from knowledge.answerer import Answerer
from knowledge.content import ArticleState
from knowledge.differences import FieldChange, differences
from knowledge.fulltext import Wanted
from knowledge.library import HitView
from knowledge.retriever import Band
from knowledge.synonym_table import SynonymView
from knowledge.views import DecisionView

SERVE = Permission.SESSION_SERVE
PUBLISH = Permission.ARTICLE_PUBLISH
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


def answerer(call: Call) -> Answerer:
    """Raises: KnowledgeOff while the base is not loaded."""
    if call.services.knowledge is None:
        raise KnowledgeOff
    return call.services.knowledge


class FindQuery(PageQuery):
    """q: words in any order, or pinyin initials. category: with everything below it."""

    q: str = Field(min_length=1, max_length=200)
    state: ArticleState | None = None
    category: str = Field("", max_length=200)
    tag: str = Field("", max_length=64)


class HitList(BaseModel):
    """total: all hits, on whatever page."""

    model_config = ConfigDict(frozen=True)

    items: list[HitView]
    next_cursor: str | None
    total: int


@endpoint("GET", "/articles/find", access=SERVE, tag="articles")
async def find_articles(call: Call, query: FindQuery) -> HitList:
    """Full-text search over all articles, drafts too, with highlights."""
    offset = 0
    if query.cursor:
        (part,) = decode_cursor(query.cursor, int)
        offset = int(str(part))
        if not 0 <= offset <= 1_000_000:
            raise Invalid("bad_cursor", field="cursor")
    state = query.state.value if query.state else ""
    wanted = Wanted(query.q, state=state, category=query.category, tag=query.tag)
    hits, total = await answerer(call).library.search(wanted, limit=query.limit, offset=offset)
    after = offset + query.limit
    return HitList(
        items=hits, next_cursor=encode_cursor(after) if after < total else None, total=total
    )


class DiffQuery(BaseModel):
    """before, after: revision numbers."""

    model_config = ConfigDict(frozen=True)

    before: int = Field(ge=1, le=2**31 - 1)
    after: int = Field(ge=1, le=2**31 - 1)


@endpoint("GET", "/articles/{article_id}/diff", access=SERVE, tag="articles")
async def compare_revisions(
    call: Call, tx: Tx, article_id: str, query: DiffQuery
) -> Listing[FieldChange]:
    """What changed between two revisions, field by field."""
    del call
    before = await queries.get_revision(tx, article_id, query.before)
    after = await queries.get_revision(tx, article_id, query.after)
    return Listing(items=differences(before.content, after.content))


class SynonymBody(Body):
    """variants: what customers say; term: the word of the base that it means."""

    term: Word
    variants: list[Word] = Field(min_length=1, max_length=100)


class SynonymTableBody(Body):
    """text: lines `term = variant, variant`; `#` starts a comment."""

    text: str = Field(max_length=500_000)


class TermQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    term: str = Field(min_length=1, max_length=100)


@endpoint("GET", "/synonyms", access=SERVE, tag="synonyms")
async def list_synonyms(call: Call, tx: Tx) -> Listing[SynonymView]:
    """The synonym table in force."""
    del call
    return Listing(items=await synonym_table.list_synonyms(tx))


@endpoint("PUT", "/synonyms", access=PUBLISH, tag="synonyms")
async def put_synonym(call: Call, tx: Tx, body: SynonymBody) -> SynonymView:
    """Set the variants of a term; every process follows at once."""
    return await synonym_table.put_synonym(tx, body.term, body.variants, by=call.actor)


@endpoint("DELETE", "/synonyms", access=PUBLISH, tag="synonyms")
async def delete_synonym(call: Call, tx: Tx, query: TermQuery) -> None:
    """Remove a term with its variants."""
    await synonym_table.delete_synonym(tx, query.term, by=call.actor)


@endpoint("PUT", "/synonyms/table", access=PUBLISH, tag="synonyms")
async def replace_synonyms(call: Call, tx: Tx, body: SynonymTableBody) -> Listing[SynonymView]:
    """Replace the whole table by text, as it is exported."""
    return Listing(items=await synonym_table.replace_synonyms(tx, body.text, by=call.actor))


class LogQuery(PageQuery):
    """verdict: of people; `none`: nobody judged it. since, until: [since, until)."""

    band: Band | None = None
    article_id: str = Field("", max_length=32)
    verdict: Literal["", "none", "solved", "unsolved", "corrected", "cited"] = ""
    q: str = Field("", max_length=200)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@endpoint("GET", "/decisions", access=SERVE, tag="bot")
async def list_answer_log(call: Call, tx: Tx, query: LogQuery) -> Listing[DecisionView]:
    """What the bot decided, newest first, with candidates, scores and verdicts."""
    del call
    wanted = LogFilter(
        band=query.band.value if query.band else "",
        article_id=query.article_id,
        verdict=query.verdict,
        text=query.q,
        since=query.since,
        until=query.until,
    )
    page = await answer_log.list_decisions(tx, wanted, cursor=query.cursor, limit=query.limit)
    return listing(page)


@endpoint("GET", "/decisions/{decision_id}", access=SERVE, tag="bot")
async def get_decision(call: Call, tx: Tx, decision_id: str) -> DecisionView:
    """One decision with its provenance."""
    del call
    return await decisions.get_decision(tx, decision_id)


class ReplayView(BaseModel):
    """then: as recorded. now: what the bot would decide today. is_same: band and article."""

    model_config = ConfigDict(frozen=True)

    then: DecisionView
    now: DecisionView
    is_same: bool


@endpoint("POST", "/decisions/{decision_id}/replay", access=SERVE, tag="bot")
async def replay_decision(call: Call, decision_id: str) -> ReplayView:
    """Ask the same question again, with today's articles; nothing is recorded."""
    async with call.services.uow.read() as tx:
        then = await decisions.get_decision(tx, decision_id)
    decided = await answerer(call).decide(then.question, audience=then.audience)
    now = decisions.preview(decided, at=call.services.uow.clock.now())
    same = (then.band, then.article_id) == (now.band, now.article_id)
    return ReplayView(then=then, now=now, is_same=same)


class AskBody(Body):
    question: str = Field(min_length=1, max_length=1000)
    audience: str = Field("", max_length=64)


@endpoint("POST", "/bot/ask", access=SERVE, tag="bot")
async def try_question(call: Call, body: AskBody) -> DecisionView:
    """What the bot would decide on a question; nothing is recorded."""
    decided = await answerer(call).decide(body.question, audience=body.audience)
    return decisions.preview(decided, at=call.services.uow.clock.now())


class IndexView(BaseModel):
    """articles: those that the bot answers with. waiting: changed ones that it still takes in."""

    model_config = ConfigDict(frozen=True)

    articles: int
    waiting: int
    model: str


@endpoint("GET", "/bot/index", access=SERVE, tag="bot")
async def show_index(call: Call) -> IndexView:
    """How far the bot is in taking in what was published or imported."""
    base = answerer(call)
    return IndexView(articles=len(base), waiting=base.waiting, model=base.model)


class FiguresQuery(BaseModel):
    """since, until: [since, until); the last 30 days by default."""

    model_config = ConfigDict(frozen=True)

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@endpoint("GET", "/bot/figures", access=SERVE, tag="bot")
async def show_bot_figures(call: Call, tx: Tx, query: FiguresQuery) -> BotFigures:
    """Hit rate, measured precision with its interval, hand-off rate, saved work."""
    until: datetime = query.until or tx.now
    since = query.since or until - timedelta(days=30)
    handling_s = call.services.settings.get(Knowledge).handling_s
    return await answer_log.bot_figures(tx, since, until, handling_s=handling_s)
