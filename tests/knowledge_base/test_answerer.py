"""The answerer over the database: in step, never embedding twice, alive without its model."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.actor import Actor
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid
from core.event_log import EventRow
from knowledge import decisions, queries, service, synonym_table
from knowledge.answerer import Answerer
from knowledge.content import INTERNAL
from knowledge.decisions import FaqDecision
from knowledge.embedder import Embedder
from knowledge.retriever import Band
from knowledge.vector_store import DatabaseVectors
from tests.knowledge_base.conftest import GramEncoder, published

SURE = (0.0, 0.0)  # every first candidate is good enough: these tests are not about quality


def sure(uow: UnitOfWork, encoder: GramEncoder) -> Answerer:
    embedder = Embedder(encoder, store=DatabaseVectors(uow))
    return Answerer(uow, embedder, overrides=lambda: SURE)


async def test_a_restart_embeds_nothing_again(uow: UnitOfWork, encoder: GramEncoder) -> None:
    await published(uow, question="怎么重置密码？", similar=["密码忘了", "怎么重置密码？"])
    first = sure(uow, encoder)
    await first.start()
    assert sorted(set(encoder.encoded)) == sorted(encoder.encoded)
    encoder.encoded.clear()
    second = sure(uow, encoder)
    await second.start()
    assert (len(second), encoder.encoded) == (1, [])
    await published(uow, question="怎么打印报告？", answer="点击忘记密码。")
    await second.sync()
    assert len(second) == 2
    assert len(encoder.encoded) == 1  # the answer is known already


async def test_two_processes_are_in_step_after_publish_edit_archive_and_restore(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    one, two = sure(uow, GramEncoder()), sure(uow, GramEncoder())
    await one.start()
    await two.start()
    view = await published(uow, question="怎么重置密码？", answer="旧")

    async def both_say(question: str) -> list[str | None]:
        for answerer in (one, two):
            await answerer.refresh([view.id])
        decided = [await answerer.decide(question) for answerer in (one, two)]
        return [decision.answer.text if decision.answer else None for decision in decided]

    assert await both_say("怎么重置密码") == ["旧", "旧"]
    async with uow.write() as tx:
        edited = await service.edit(
            tx, view.id, {"answer": "新"}, version=view.version, by=Actor.system()
        )
        edited = await service.publish(
            tx, view.id, version=edited.version, by=reviewer, second_person=False
        )
    assert await both_say("怎么重置密码") == ["新", "新"]
    async with uow.write() as tx:
        gone = await service.archive(tx, view.id, version=edited.version, by=reviewer)
    assert await both_say("怎么重置密码") == [None, None]
    async with uow.write() as tx:
        await service.restore(tx, view.id, version=gone.version, by=reviewer)
    assert await both_say("怎么重置密码") == ["新", "新"]


async def test_sync_finds_what_was_missed_also_the_passing_of_time(
    uow: UnitOfWork, encoder: GramEncoder, clock: ManualClock
) -> None:
    now = clock.now()
    answerer = sure(uow, encoder)
    await published(uow, question="限时活动怎么参加？", expires_at=now + timedelta(days=1))
    later = await published(uow, question="新版何时上线？", effective_at=now + timedelta(days=1))
    await answerer.start()
    assert (await answerer.decide("新版何时上线")).offers[0].title == "限时活动怎么参加？"
    clock.advance(days=1)
    await answerer.sync()
    decision = await answerer.decide("限时活动怎么参加")
    assert [offer.article_id for offer in decision.offers] == [later.id]


async def test_drafts_and_pending_edits_are_never_answered_with(
    uow: UnitOfWork, encoder: GramEncoder, author: Actor
) -> None:
    view = await published(uow, question="怎么打印报告？", answer="点打印。")
    async with uow.write() as tx:
        content = service.checked_content({"question": "怎么导出报告？", "answer": "草稿"})
        await service.create(tx, content, by=author)
        await service.edit(tx, view.id, {"answer": "没审过"}, version=view.version, by=author)
    answerer = sure(uow, encoder)
    await answerer.start()
    decision = await answerer.decide("怎么导出报告？")
    assert [offer.text for offer in decision.offers] == ["点打印。"]


async def test_articles_are_shown_to_their_audience_only(
    uow: UnitOfWork, encoder: GramEncoder
) -> None:
    await published(uow, question="怎么打印报告？", external_id="all")
    await published(uow, question="疾控怎么打印报告？", audience=["cdc"], external_id="cdc")
    await published(uow, question="内部怎么打印报告？", audience=[INTERNAL], external_id="own")
    answerer = sure(uow, encoder)
    await answerer.start()

    async def shown_to(audience: str | None) -> set[str]:
        decision = await answerer.decide("怎么打印报告", audience=audience)
        return {offer.external_id for offer in decision.offers}

    assert await shown_to(None) == {"all"}
    assert await shown_to("hospital") == {"all"}
    assert await shown_to("cdc") == {"all", "cdc"}
    assert await shown_to(INTERNAL) == {"all", "cdc", "own"}
    found = await answerer.search("怎么打印报告", 2)
    assert len(found) == 2
    assert 1 >= found[0].score >= found[1].score >= 0


async def test_an_article_whose_audience_narrows_leaves_the_public(
    uow: UnitOfWork, encoder: GramEncoder, reviewer: Actor
) -> None:
    view = await published(uow, question="怎么打印报告？")
    answerer = sure(uow, encoder)
    await answerer.start()
    async with uow.write() as tx:
        view = await service.edit(
            tx, view.id, {"audience": [INTERNAL]}, version=view.version, by=Actor.system()
        )
        await service.publish(tx, view.id, version=view.version, by=reviewer, second_person=False)
    await answerer.refresh([view.id])
    assert (await answerer.decide("怎么打印报告")).offers == ()
    assert (await answerer.decide("怎么打印报告", audience=INTERNAL)).offers != ()


async def test_without_its_model_the_bot_hands_off_and_keeps_its_gates(
    uow: UnitOfWork, encoder: GramEncoder
) -> None:
    await published(uow, question="怎么重置密码？")
    answerer = sure(uow, encoder)
    await answerer.start()
    encoder.is_broken = True
    alike = await answerer.decide("请问密码怎么重置")
    assert (alike.band, alike.why, alike.answer) == (Band.MENU, "model_late", None)
    assert [offer.title for offer in alike.menu] == ["怎么重置密码？"]
    lost = await answerer.decide("报销流程是什么")
    assert (lost.band, lost.why, lost.answer) == (Band.HANDOFF, "model_late", None)
    person = await answerer.decide("转人工")
    assert person.band is Band.GATE
    assert person.gate is not None
    assert [found.article.question for found in await answerer.search("重置密码呢")] == [
        "怎么重置密码？"
    ]


@pytest.mark.parametrize(
    ("patience_s", "answers"), [(60, ["点忘记密码。", "按住电源键。"]), (0, [None, None])]
)
async def test_a_question_during_the_start_waits_for_all_articles_or_is_not_answered(
    uow: UnitOfWork,
    encoder: GramEncoder,
    monkeypatch: pytest.MonkeyPatch,
    patience_s: float,
    answers: list[str | None],
) -> None:
    await published(uow, question="怎么重置密码？", answer="点忘记密码。")
    await published(uow, question="怎么重置打印机？", answer="按住电源键。")
    monkeypatch.setattr("knowledge.answerer.ARTICLES_AT_ONCE", 1)
    monkeypatch.setattr("knowledge.answerer._LOADING_S", patience_s)
    answerer = sure(uow, encoder)
    asked: list[asyncio.Task[FaqDecision]] = []

    def ask(done: int, _total: int) -> None:
        if done == 1:
            asks = ("怎么重置密码", "怎么重置打印机", "转人工")
            asked.extend(asyncio.ensure_future(answerer.decide(one)) for one in asks)

    await answerer.start(progress=ask)
    *found, gated = await asyncio.gather(*asked)
    assert [one.answer and one.answer.text for one in found] == answers
    assert gated.band is Band.GATE


async def test_a_decision_is_kept_with_its_provenance_and_counted(
    uow: UnitOfWork, encoder: GramEncoder
) -> None:
    view = await published(uow, question="怎么重置密码？", external_id="pw")
    answerer = sure(uow, encoder)
    await answerer.start()
    decision = await answerer.decide("您好，怎么重置密码？")
    assert decision.answer is not None
    async with uow.write() as tx:
        decision_id = await decisions.record(
            tx, decision, session_id="s1", message_ids=["m1", "m2"]
        )
    async with uow.read() as tx:
        kept = await decisions.get_decision(tx, decision_id)
        listed = await decisions.decisions_of_session(tx, "s1")
        hits = (await queries.get_article(tx, view.id)).hits
        event = (
            await tx.db.scalars(select(EventRow).where(EventRow.type == "question.decided"))
        ).one()
    assert [kept] == listed
    assert (kept.article_id, kept.article_number, hits) == (view.id, 1, 1)
    assert kept.question == "您好，怎么重置密码？"
    assert kept.cleaned == "怎么重置密码?"
    assert (kept.message_ids, kept.model) == (("m1", "m2"), "test/grams")
    (candidate,) = kept.candidates
    assert (candidate.external_id, candidate.title) == ("pw", "怎么重置密码？")
    assert candidate.features
    assert event.payload["decision_id"] == decision_id


async def test_an_edited_synonym_table_is_in_force_at_once_and_answers_throughout(
    uow: UnitOfWork, encoder: GramEncoder, reviewer: Actor, author: Actor
) -> None:
    await published(uow, question="怎么重置密码？", external_id="pw")
    await published(uow, question="怎么打印报告？", external_id="print")
    answerer = sure(uow, encoder)
    await answerer.start()
    async with uow.write() as tx:
        with pytest.raises(Forbidden):
            await synonym_table.put_synonym(tx, "重置密码", ["洗钥匙"], by=author)
        await synonym_table.put_synonym(tx, "重置密码", ["洗钥匙", "洗钥匙"], by=reviewer)
        with pytest.raises(Conflict):
            await synonym_table.put_synonym(tx, "打印", ["洗钥匙"], by=reviewer)
        told = tx.emitted
    answerer.hear(told)
    swap = asyncio.create_task(answerer.catch_up())
    during = await answerer.decide("怎么打印报告")
    await swap
    assert during.offers[0].external_id == "print"
    assert (await answerer.decide("怎么洗钥匙")).offers[0].external_id == "pw"
    async with uow.read() as tx:
        lines = await synonym_table.list_synonyms(tx)
    shipped = {line.term for line in synonym_table._shipped()}
    assert {line.term for line in lines} == shipped | {"重置密码"}


async def test_the_whole_synonym_table_is_replaced_or_refused_by_line(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    async with uow.write() as tx:
        with pytest.raises(Invalid):
            await synonym_table.replace_synonyms(tx, "甲 = 乙\n没有等号", by=reviewer)
        lines = await synonym_table.replace_synonyms(tx, "甲 = 乙, 丙\n", by=reviewer)
        await synonym_table.put_synonym(tx, "丁", ["戊"], by=reviewer)
        await synonym_table.delete_synonym(tx, "甲", by=reviewer)
        left = await synonym_table.list_synonyms(tx)
    assert synonym_table.as_text(lines) == "甲 = 乙, 丙\n"
    assert [line.term for line in left] == ["丁"]


async def test_an_article_chosen_from_a_menu_is_the_answer_while_it_is_live(
    uow: UnitOfWork, encoder: GramEncoder
) -> None:
    view = await published(uow, question="怎么重置密码？", answer="点链接。")
    answerer = sure(uow, encoder)
    await answerer.start()
    decision = await answerer.choose(view.id, "第一个")
    assert decision is not None
    assert decision.answer is not None
    assert (decision.answer.text, decision.why) == ("点链接。", "chosen")
    assert await answerer.choose("gone", "第二个") is None
