"""What the base learns from use: gaps, known questions, calibrations, the gate."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing, PageQuery, listing
from admin_api.routes.knowledge import answerer
from core.db import Tx
from core.permissions import Permission
from knowledge import calibrations, gaps, known, queries, regression
from knowledge.calibrations import CalibrationView, LabelView
from knowledge.content import ArticleContent
from knowledge.gaps import GapView, MiningView
from knowledge.known import KnownImport, KnownQuestionView
from knowledge.regression import Impact
from knowledge.views import ArticleView

SERVE = Permission.SESSION_SERVE
EDIT = Permission.ARTICLE_EDIT
PUBLISH = Permission.ARTICLE_PUBLISH


class GapQuery(PageQuery):
    """owner_id: of a user. The largest gaps come first."""

    state: Literal["", "open", "drafted", "closed", "dismissed"] = ""
    owner_id: str = Field("", max_length=32)


class VersionBody(Body):
    version: Version


class GapAssignBody(Body):
    owner_id: str | None = Field(None, max_length=32)
    due_at: AwareDatetime | None = None
    version: Version


@endpoint("GET", "/gaps", access=SERVE, tag="gaps")
async def list_gaps(call: Call, tx: Tx, query: GapQuery) -> Listing[GapView]:
    """Questions that the base does not answer yet, clustered, the largest first."""
    del call
    page = await gaps.list_gaps(
        tx, state=query.state, owner_id=query.owner_id, cursor=query.cursor, limit=query.limit
    )
    return listing(page)


@endpoint("GET", "/gaps/mining", access=SERVE, tag="gaps")
async def show_mining(call: Call, tx: Tx) -> MiningView:
    """Whether questions are being sorted into gaps, and when they are next."""
    del call
    return await gaps.mining_state(tx)


@endpoint("POST", "/gaps/mining", access=EDIT, tag="gaps")
async def mine_gaps_now(call: Call, tx: Tx) -> MiningView:
    """Sort what was asked since the last time now; `GET` tells when it is done."""
    return await gaps.mine_soon(tx, by=call.actor)


@endpoint("GET", "/gaps/{gap_id}", access=SERVE, tag="gaps")
async def get_gap(call: Call, tx: Tx, gap_id: str) -> GapView:
    """One gap with its latest questions and the best human answer."""
    del call
    return await gaps.get_gap(tx, gap_id)


@endpoint("POST", "/gaps/{gap_id}/assign", access=EDIT, tag="gaps")
async def assign_gap(call: Call, tx: Tx, gap_id: str, body: GapAssignBody) -> GapView:
    """Say who closes the gap, and by when."""
    return await gaps.assign(
        tx,
        gap_id,
        owner_id=body.owner_id,
        due_at=body.due_at,
        version=body.version,
        by=call.actor,
    )


@endpoint("POST", "/gaps/{gap_id}/draft", access=EDIT, tag="gaps", status=201)
async def draft_from_gap(call: Call, tx: Tx, gap_id: str, body: VersionBody) -> ArticleView:
    """An article draft from the gap's questions and the best human answer."""
    return await gaps.draft(tx, gap_id, version=body.version, by=call.actor)


@endpoint("POST", "/gaps/{gap_id}/dismiss", access=EDIT, tag="gaps")
async def dismiss_gap(call: Call, tx: Tx, gap_id: str, body: VersionBody) -> GapView:
    """No article is wanted for these questions."""
    return await gaps.dismiss(tx, gap_id, version=body.version, by=call.actor)


@endpoint("POST", "/gaps/{gap_id}/reopen", access=EDIT, tag="gaps")
async def reopen_gap(call: Call, tx: Tx, gap_id: str, body: VersionBody) -> GapView:
    """Put a dismissed or closed gap back into the queue."""
    return await gaps.reopen(tx, gap_id, version=body.version, by=call.actor)


class KnownQuery(PageQuery):
    """q: a part of the question."""

    q: str = Field("", max_length=100)
    article_id: str = Field("", max_length=32)


class KnownBody(Body):
    """article_id null: no article answers it, and the bot must not try."""

    question: str = Field(min_length=1, max_length=500)
    article_id: str | None = Field(None, max_length=32)


@endpoint("GET", "/known-questions", access=SERVE, tag="calibration")
async def list_known_questions(
    call: Call, tx: Tx, query: KnownQuery
) -> Listing[KnownQuestionView]:
    """Questions whose right answer was written down, newest first."""
    del call
    page = await known.list_known(
        tx, q=query.q, article_id=query.article_id, cursor=query.cursor, limit=query.limit
    )
    return listing(page)


@endpoint("PUT", "/known-questions", access=EDIT, tag="calibration")
async def put_known_question(call: Call, tx: Tx, body: KnownBody) -> KnownQuestionView:
    """Write down the right answer of a question; the last word counts."""
    return await known.put_known(tx, body.question, body.article_id, by=call.actor)


class KnownImportBody(Body):
    """text: lines `question <tab> article` (its id or standard question; none: no answer)."""

    text: str = Field(max_length=2_000_000)


@endpoint("POST", "/known-questions/import", access=EDIT, tag="calibration")
async def import_known_questions(call: Call, tx: Tx, body: KnownImportBody) -> KnownImport:
    """Write down many at once, as copied from a spreadsheet; bad lines are named."""
    return await known.import_lines(tx, body.text, by=call.actor)


@endpoint("DELETE", "/known-questions/{known_id}", access=EDIT, tag="calibration")
async def delete_known_question(call: Call, tx: Tx, known_id: str) -> None:
    """Forget a question."""
    await known.delete_known(tx, known_id, by=call.actor)


class RefitBody(Body):
    """target: the precision that answers should have. activate: put the fit in force at once."""

    target: float = Field(0.98, ge=0.5, le=0.999)
    activate: bool = False


@endpoint("GET", "/calibrations", access=SERVE, tag="calibration")
async def list_calibrations(call: Call, tx: Tx) -> Listing[CalibrationView]:
    """Stored fits with their curves, newest first; none active: the shipped one is in force."""
    del call
    return Listing(items=await calibrations.list_calibrations(tx))


@endpoint("POST", "/calibrations", access=PUBLISH, tag="calibration", status=201)
async def refit(call: Call, body: RefitBody) -> CalibrationView:
    """Ask every known question, fit the calibration and store it with its data."""
    return await calibrations.refit(
        call.services.uow,
        answerer(call),
        by=call.actor,
        target=body.target,
        activate_own=body.activate,
    )


class ThresholdQuery(BaseModel):
    """threshold: the confidence from which on the bot would answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(ge=0, le=1)


@endpoint("GET", "/calibrations/{calibration_id}/changes", access=SERVE, tag="calibration")
async def list_threshold_changes(
    call: Call, tx: Tx, calibration_id: str, query: ThresholdQuery
) -> Listing[LabelView]:
    """Known questions that another threshold would answer, or no longer answer."""
    del call
    found = await calibrations.labels_between(tx, calibration_id, query.threshold)
    return Listing(items=found)


@endpoint("POST", "/calibrations/{calibration_id}/activate", access=PUBLISH, tag="calibration")
async def activate_calibration(call: Call, tx: Tx, calibration_id: str) -> CalibrationView:
    """Put a stored fit in force; an earlier one is the way back."""
    return await calibrations.activate(tx, calibration_id, by=call.actor)


@endpoint("DELETE", "/calibrations/active", access=PUBLISH, tag="calibration")
async def deactivate_calibration(call: Call, tx: Tx) -> None:
    """Back to the shipped calibration."""
    await calibrations.deactivate(tx, by=call.actor)


class ImpactBody(BaseModel):
    """step: publish the open revision, roll back to revision `number`, or archive the article."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Literal["publish", "archive", "roll_back"] = "publish"
    number: int = Field(0, ge=0, le=2**31 - 1)


@endpoint("POST", "/articles/{article_id}/impact", access=EDIT, tag="articles")
async def show_impact(call: Call, article_id: str, body: ImpactBody) -> Impact:
    """Which known questions would be answered otherwise; nothing is changed."""
    async with call.services.uow.read() as tx:
        view = await queries.get_article(tx, article_id)
        content = view.open.content if view.open is not None else _live(view)
        if body.step == "roll_back":
            content = (await queries.get_revision(tx, article_id, body.number)).content
    expires, now = content.expires_at, call.services.uow.clock.now()
    is_over = body.step == "archive" or (expires is not None and expires <= now)
    return await regression.impact(
        call.services.uow, answerer(call), article_id, None if is_over else content
    )


def _live(view: ArticleView) -> ArticleContent:
    return ArticleContent(**{name: getattr(view, name) for name in ArticleContent.model_fields})
