"""Calibration from this base's own labels: stored with its data, followed, rolled back."""

from __future__ import annotations

import pytest

from core.actor import Actor
from core.audit.queries import list_audit
from core.clock import ManualClock
from core.db import UnitOfWork
from core.errors import Conflict, Forbidden, Invalid, NotFound
from knowledge import calibrations
from knowledge.answerer import Answerer
from knowledge.feedback import correct, heard_feedback
from knowledge.known import everything_known, import_known, import_lines, list_known, put_known
from tests.knowledge_base.conftest import decided, published

TOPICS = ("密码", "账号", "报告", "打印机", "疫苗", "证书")


async def _base(uow: UnitOfWork, by: Actor) -> None:
    """Known questions: most are what the bot finds, some have no article."""
    for number, topic in enumerate(TOPICS):
        wanted = {"question": f"怎么重置{topic}？", "external_id": str(number)}
        article = await published(uow, **wanted, category="帐号" if number % 2 else "业务")
        async with uow.write() as tx:
            for wording in ("怎么重置{}呢", "{}如何重置", "{}重置", "想重置{}", "重置下{}"):
                await put_known(tx, wording.format(topic), article.id, by=by)
    async with uow.write() as tx:
        for number in range(10):
            await put_known(tx, f"食堂第{number}周菜单在哪里看", None, by=by)


async def test_a_refit_is_stored_with_its_labels_put_in_force_and_rolled_back(
    uow: UnitOfWork, answerer: Answerer, clock: ManualClock, reviewer: Actor, author: Actor
) -> None:
    await _base(uow, reviewer)
    await answerer.start()
    question = "怎么重置密码呢"
    plain = await answerer.decide(question)
    with pytest.raises(Forbidden):
        await calibrations.refit(uow, answerer, by=author)
    first = await calibrations.refit(uow, answerer, by=reviewer)
    assert (first.is_own, first.is_active, first.labels) == (True, True, 40)
    assert first.curve
    assert [p.threshold for p in first.curve] == sorted(p.threshold for p in first.curve)
    tiny = 1e-9
    assert all(-tiny <= p.precision_low <= p.precision + tiny for p in first.curve)
    assert all(p.precision - tiny <= p.precision_high <= 1 + tiny for p in first.curve)
    assert {(c.category, c.is_own) for c in first.categories} == {("帐号", False), ("业务", False)}
    assert sum(c.labels for c in first.categories) == 40
    assert {c.threshold for c in first.categories} == {first.answer}
    counts = [grown.labels for grown in first.growth]
    assert (counts[0], counts[-1]) == (4, 40)
    assert first.growth[-1].coverage == pytest.approx(first.point.coverage)
    async with uow.read() as tx:
        more = await calibrations.labels_between(tx, first.id, 0.0)
        assert await calibrations.labels_between(tx, first.id, first.answer) == []
        with pytest.raises(NotFound):
            await calibrations.labels_between(tx, "nothing", 0.5)
    assert len(more) == 40 - first.point.answers
    assert all(one.confidence < first.answer for one in more)
    await answerer.reload_engine()
    fitted = await answerer.decide(question)
    assert fitted.calibration_id == first.id
    assert fitted.confidence != plain.confidence
    assert fitted.threshold == pytest.approx(first.answer)

    clock.advance(days=1)
    second = await calibrations.refit(uow, answerer, by=reviewer)
    # fitted over the shipped scorer, not over itself: the same labels give the same fit
    assert second.slope == pytest.approx(first.slope, rel=1e-6)
    async with uow.write() as tx:
        await calibrations.activate(tx, first.id, by=reviewer)
        told = tx.emitted
        with pytest.raises(NotFound):
            await calibrations.activate(tx, "nothing", by=reviewer)
    answerer.hear(told)
    await answerer.catch_up()
    assert (await answerer.decide(question)).calibration_id == first.id
    async with uow.write() as tx:
        await calibrations.deactivate(tx, by=reviewer)
    await answerer.reload_engine()
    back = await answerer.decide(question)
    assert back.calibration_id is None
    assert back.confidence == pytest.approx(plain.confidence)
    async with uow.read() as tx:
        stored = await calibrations.list_calibrations(tx)
        kept = list((await list_audit(tx, action="calibration.")).items)
    assert [(c.id, c.is_active) for c in stored] == [(second.id, False), (first.id, False)]
    assert [(row.action, row.target, row.actor) for row in kept[::-1]] == [
        ("calibration.activated", first.id, reviewer.key),
        ("calibration.activated", second.id, reviewer.key),
        ("calibration.activated", first.id, reviewer.key),
        ("calibration.shipped_restored", "", reviewer.key),
    ]
    assert kept[-1].facts == {"answer": f"{first.answer:.4f}", "target": "0.98", "labels": "40"}


async def test_few_labels_are_said_to_be_few_and_change_nothing(
    uow: UnitOfWork, answerer: Answerer, reviewer: Actor
) -> None:
    article = await published(uow)
    async with uow.write() as tx:
        await put_known(tx, "密码忘了", article.id, by=reviewer)
    await answerer.start()
    view = await calibrations.refit(uow, answerer, by=reviewer)
    assert (view.is_own, view.is_active) == (False, False)
    async with uow.write() as tx:
        with pytest.raises(Conflict):
            await calibrations.activate(tx, view.id, by=reviewer)


async def test_feedback_teaches_and_a_colleague_outweighs_the_customer(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    one, two = await published(uow), await published(uow, question="别的")
    solved = await decided(uow, one, question="解决了的")
    doubted = await decided(uow, one, question="客户说好，同事说不对")
    unsolved = await decided(uow, one, question="没解决的")
    nothing = await decided(uow, one, question="没有条目能答的")
    async with uow.write() as tx:
        for decision_id in (solved, doubted):
            await heard_feedback(tx, decision_id, is_helpful=True)
        await correct(tx, doubted, two.id, by=reviewer)
        await heard_feedback(tx, unsolved, is_helpful=False)
        await correct(tx, nothing, None, by=reviewer)
        await put_known(tx, " 写下来的 ", two.id, by=reviewer)
        await put_known(tx, "写下来的", one.id, by=reviewer)
        known = {
            item.question: (item.article_id, item.wrong_article_id)
            for item in await everything_known(tx)
        }
    assert known == {
        "解决了的": (one.id, None),
        "客户说好，同事说不对": (two.id, None),
        "没解决的": (None, one.id),
        "没有条目能答的": (None, None),
        "写下来的": (one.id, None),
    }


async def test_a_labelled_set_is_imported_by_imported_ids(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    article = await published(uow, external_id="k1")
    async with uow.write() as tx:
        kept = await import_known(
            tx, [("甲问题", ["k1"]), ("乙问题", []), ("丙问题", ["unknown"])], by=reviewer
        )
        listed = (await list_known(tx)).items
    assert kept == 2
    assert {item.question: item.article_id for item in listed} == {
        "甲问题": article.id,
        "乙问题": None,
    }


async def test_known_questions_are_pasted_from_a_spreadsheet(
    uow: UnitOfWork, reviewer: Actor
) -> None:
    article = await published(uow, question="怎么重置密码？", external_id="K-7")
    pasted = ("密码忘了\tK-7", "忘记口令\t怎么重置密码？", f"改密\t{article.id}", "食堂在哪")
    text = "\n".join((*pasted, "", "！\tK-7", "谁\tK-9"))
    async with uow.write() as tx:
        report = await import_lines(tx, text, by=reviewer)
    assert report.kept == 4
    assert report.errors == ((6, "bad_question"), (7, "article_not_found"))
    async with uow.read() as tx:
        found = await list_known(tx, q="口令")
        everything = await list_known(tx)
    assert [(one.question, one.article_title) for one in found.items] == [
        ("忘记口令", "怎么重置密码？")
    ]
    assert {one.question: one.article_id for one in everything.items} == {
        "密码忘了": article.id,
        "忘记口令": article.id,
        "改密": article.id,
        "食堂在哪": None,
    }
    async with uow.write() as tx:
        with pytest.raises(Invalid):
            await import_lines(tx, "问\n" * 5001, by=reviewer)
