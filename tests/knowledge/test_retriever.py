from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from knowledge.articles import ArticleText, split_list
from knowledge.embedder import Embedder
from knowledge.encoders import Role, Vectors
from knowledge.gates import GateKind
from knowledge.retriever import Band, Retriever, Thresholds
from knowledge.scorer import COLUMNS, Scorer
from knowledge.synonyms import Synonyms
from tests.knowledge.conftest import HashEncoder

ARTICLES = (
    ArticleText("1", "忘记登录密码怎么重置？", "点忘记密码，用短信重置。", "账号", ("密码",)),
    ArticleText("2", "UKey 丢了怎么补办？", "先挂失，再补办。", "证书", ("UKey", "丢失")),
    ArticleText("3", "儿童档案怎么迁出到其他门诊？", "由新门诊办理迁入。", "接种", ("迁出",)),
    ArticleText("4", "外地儿童怎么办理迁入？", None, "接种", similar=("外省的孩子转过来",)),
    ArticleText("5", "统计报表怎么导出为 Excel？", "点导出。", "报表", ("导出", "Excel")),
    ArticleText("6", "导入 Excel 提示格式错误怎么办？", "换最新模板。", "接口", ("导入",)),
)
QUESTIONS = ("密码忘了", "u盾丢了咋办", "孩子迁出", "怎么导出excel", "导入报错", "今天天气")


async def build(embedder: Embedder, articles: tuple[ArticleText, ...] = ARTICLES) -> Retriever:
    return await Retriever.build(articles, embedder)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("登录密码忘记了怎么重置", "1"),
        ("U盾丢了", "2"),
        ("报表导出excel", "5"),
        ("外省孩子转过来", "4"),
    ],
)
async def test_the_right_article_comes_first(embedder: Embedder, said: str, meant: str) -> None:
    ranking = await (await build(embedder)).rank(said)
    assert ranking.candidates[0].article_id == meant
    assert 0 <= ranking.confidence <= 1
    assert {"dense", "bm25_words"} < set(ranking.candidates[0].features) <= set(COLUMNS)
    scores = [candidate.score for candidate in ranking.candidates]
    assert scores == sorted(scores, reverse=True)


async def test_the_thresholds_make_the_bands(embedder: Embedder) -> None:
    retriever = await build(embedder)
    confidence = (await retriever.rank("UKey丢了怎么补办")).confidence
    bands = {}
    for answer, menu in ((confidence, 0.0), (1.0, confidence), (1.0, 1.0)):
        retriever.thresholds = Thresholds(answer=answer, menu=menu)
        decision = await retriever.decide("UKey丢了怎么补办")
        bands[decision.band] = decision.why
        assert decision.candidates[0].article_id == "2"
    assert bands == {Band.ANSWER: "confident", Band.MENU: "close", Band.HANDOFF: "unsure"}
    retriever.thresholds = Thresholds(answer=1.0, menu=0.0, by_category={"证书": confidence})
    assert (await retriever.decide("UKey丢了怎么补办")).band is Band.ANSWER


async def test_a_red_line_stands_whatever_the_base_holds(embedder: Embedder) -> None:
    bitten = ArticleText("9", "被狗咬了怎么办？", "请自行处理。")
    decision = await (await build(embedder, (*ARTICLES, bitten))).decide("被狗咬了怎么办？")
    assert decision.band is Band.GATE
    assert decision.gate is not None
    assert decision.gate.kind is GateKind.REDLINE
    assert decision.gate.text


async def test_a_gate_stands_aside_for_a_base_that_speaks_of_it(embedder: Embedder) -> None:
    retriever = await build(embedder)
    retriever.thresholds = Thresholds(answer=0.0, menu=0.0)
    said = "孕妇感冒能吃板蓝根吗"
    assert (await retriever.decide(said)).band is Band.GATE
    await retriever.upsert([ArticleText("9", "孕妇感冒能吃板蓝根吗？", "可以咨询医生。")])
    assert (await retriever.decide(said)).band is Band.ANSWER


async def test_an_edit_is_found_and_a_removed_article_never_again(embedder: Embedder) -> None:
    retriever = await build(embedder)
    await retriever.upsert([dataclasses.replace(ARTICLES[1], question="发票抬头写错了怎么重开？")])
    assert (await retriever.rank("发票抬头错了")).candidates[0].article_id == "2"
    retriever.remove(["2", "unknown"])
    found = (await retriever.rank("发票抬头错了")).candidates
    assert "2" not in {candidate.article_id for candidate in found}
    assert len(retriever) == len(ARTICLES) - 1


async def test_a_question_is_ranked_once_until_articles_or_scorer_change(
    embedder: Embedder,
) -> None:
    retriever, asked = await build(embedder), "发票抬头写错了"
    first = await retriever.rank(asked)
    assert await retriever.rank(f"您好，{asked}") is first
    await retriever.upsert([dataclasses.replace(ARTICLES[1], question="发票抬头写错了怎么重开？")])
    edited = await retriever.rank(asked)
    assert edited.candidates[0].article_id == "2"
    shipped = Scorer.shipped()
    retriever.use(dataclasses.replace(shipped, intercept=-30.0), retriever.gates)
    assert (await retriever.rank(asked)).confidence < edited.confidence
    retriever.use(shipped, retriever.gates)
    assert (await retriever.rank(asked)).confidence == edited.confidence


class _Slow(HashEncoder):
    """Answers its first question when it is let go; everything else at once."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    @override
    async def encode(self, texts: Sequence[str], role: Role, *, bulk: bool = False) -> Vectors:
        if not bulk and not self.is_asked.is_set():
            self.is_asked.set()
            await self.may_answer.wait()
        return await super().encode(texts, role, bulk=bulk)


async def test_a_ranking_that_an_edit_overtakes_is_not_kept() -> None:
    encoder, asked = _Slow(), "发票抬头写错了"
    retriever = await build(Embedder(encoder))
    early = asyncio.create_task(retriever.rank(asked))
    await encoder.is_asked.wait()
    await retriever.upsert([dataclasses.replace(ARTICLES[1], question="发票抬头写错了怎么重开？")])
    encoder.may_answer.set()
    overtaken = await early
    assert await retriever.rank(asked) is not overtaken


async def test_an_unchanged_article_costs_nothing(
    encoder: HashEncoder, embedder: Embedder
) -> None:
    retriever = await build(embedder)
    before = len(encoder.texts)
    await retriever.upsert(ARTICLES)
    assert len(encoder.texts) == before


@pytest.mark.parametrize("said", ["", "   ", "？？？", "\ufffd", "a" * 5000, "🙏"])
async def test_odd_lines_and_an_empty_base_do_no_harm(embedder: Embedder, said: str) -> None:
    for articles in ((), ARTICLES):
        decision = await (await build(embedder, articles)).decide(said)
        assert decision.band is not Band.ANSWER


async def test_a_synonym_is_used_where_the_base_knows_the_term(embedder: Embedder) -> None:
    table = Synonyms.parse("ukey = 小钥匙\n维保 = 服务费")
    retriever = await Retriever.build(ARTICLES, embedder, synonyms=table)
    assert (await retriever.rank("小钥匙丢了")).cleaned == "ukey丢了"
    assert (await retriever.rank("服务费怎么交")).cleaned == "服务费怎么交"


edits = st.lists(
    st.tuples(st.integers(0, len(ARTICLES) - 1), st.sampled_from(["add", "edit", "remove"])),
    max_size=25,
)


@given(edits)
@settings(max_examples=25, deadline=None)
async def test_a_retriever_equals_a_rebuilt_one_after_any_history(
    steps: list[tuple[int, str]],
) -> None:
    embedder = Embedder(HashEncoder())
    retriever, live = await Retriever.build((), embedder), dict[str, ArticleText]()
    for at, step in steps:
        article = ARTICLES[at]
        if step == "remove":
            retriever.remove([article.article_id])
            live.pop(article.article_id, None)
            continue
        if step == "edit":
            article = dataclasses.replace(article, question=ARTICLES[at - 1].question, tags=())
        await retriever.upsert([article])
        live[article.article_id] = article
    rebuilt = await Retriever.build(live.values(), embedder)
    for question in QUESTIONS:
        one, other = await retriever.measure(question), await rebuilt.measure(question)
        assert sorted(one.article_ids) == sorted(other.article_ids)
        mine, theirs = np.argsort(one.article_ids), np.argsort(other.article_ids)
        assert one.cleaned == other.cleaned
        assert np.allclose(
            one.found.rows[mine], other.found.rows[theirs], atol=1e-5, equal_nan=True
        )


def test_list_fields_read_from_lists_and_from_text() -> None:
    assert split_list(["a ", "", "b"]) == split_list("a | b|") == ("a", "b")
    assert split_list(None) == ()
