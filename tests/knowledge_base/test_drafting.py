"""Drafts never leave their sources, and sessions become articles without personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from pydantic import SecretStr

from core.actor import Actor
from core.db import UnitOfWork
from knowledge.answerer import Answerer
from knowledge.config import LlmSettings
from knowledge.drafting import ChatModel, Source, draft_reply, extract, is_grounded
from knowledge.transcripts import Line, content_of_session, is_courtesy
from tests.knowledge_base.conftest import drafted, published

SOURCES = (Source(article_id="1", title="怎么重置密码", quote="点击“忘记密码”，30 分钟内有效。"),)


class Parrot:
    """Says what it was given."""

    def __init__(self, text: str | Exception) -> None:
        self.text = text

    async def write(self, question: str, sources: Sequence[Source]) -> str:
        if isinstance(self.text, Exception):
            raise self.text
        return self.text


async def test_a_draft_quotes_the_article_and_names_it(
    uow: UnitOfWork, answerer: Answerer
) -> None:
    article = await published(uow, question="怎么重置密码？", answer="点击“忘记密码”。")
    await drafted(uow, by_system(), question="怎么重置密码呢？", answer="未审核的草稿")
    await answerer.start()
    reply = await draft_reply(answerer, "请问怎么重置密码")
    assert (reply.text, reply.how) == ("点击“忘记密码”。", "extracted")
    assert [(s.article_id, s.quote) for s in reply.sources] == [(article.id, "点击“忘记密码”。")]


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("请点击“忘记密码”。", "written"),
        ("请拨打 400 电话。", "extracted"),
        ("请点击“找回账号”。", "extracted"),
        ("月球表面重力较小，适合种植土豆。", "extracted"),
        (TimeoutError(), "extracted"),
        (ValueError(), "extracted"),
    ],
)
async def test_a_model_that_leaves_its_sources_is_not_heard(
    uow: UnitOfWork, answerer: Answerer, said: str | Exception, how: str
) -> None:
    await published(uow, question="怎么重置密码？", answer="点击“忘记密码”。")
    await answerer.start()
    reply = await draft_reply(answerer, "请问怎么重置密码", writer=Parrot(said))
    assert reply.how == how
    assert reply.text == (said if how == "written" else "点击“忘记密码”。")


async def test_without_an_article_there_is_no_draft(uow: UnitOfWork, answerer: Answerer) -> None:
    await answerer.start()
    assert (await draft_reply(answerer, "请问怎么重置密码")).text == ""


def test_grounding_looks_at_figures_names_and_words() -> None:
    assert is_grounded("点击“忘记密码”，30 分钟内有效。", SOURCES, "密码忘了")
    assert not is_grounded("点击“忘记密码”，60 分钟内有效。", SOURCES, "密码忘了")
    assert not is_grounded("点击“注册”，30 分钟内有效。", SOURCES, "密码忘了")


def test_long_answers_are_cut_to_the_sentences_that_matter() -> None:
    long = (
        "".join(f"第{n}条与本题无关的说明文字占位。" for n in range(40))
        + "打印机脱机时请重启打印机。"
    )
    cut = extract(long, "打印机脱机怎么办")
    assert "打印机脱机时请重启打印机。" in cut
    assert len(cut) < 120


async def test_the_endpoint_gets_the_articles_only_and_bad_answers_are_refused() -> None:
    sent: list[tuple[str, Mapping[str, object], Mapping[str, str]]] = []

    async def post(url: str, body: Mapping[str, object], headers: Mapping[str, str]) -> object:
        sent.append((url, body, headers))
        return {"choices": [{"message": {"content": "好"}}]} if len(sent) == 1 else {"x": 1}

    settings = LlmSettings(url="http://llm/v1/", model="m", api_key=SecretStr("k"))
    model = ChatModel(post, settings)
    assert await model.write("密码忘了", SOURCES) == "好"
    url, body, headers = sent[0]
    assert (url, headers) == ("http://llm/v1/chat/completions", {"Authorization": "Bearer k"})
    assert "怎么重置密码" in str(body["messages"])
    with pytest.raises(ValueError):
        await model.write("密码忘了", SOURCES)


def test_a_session_becomes_a_draft_without_courtesies_and_personal_data() -> None:
    lines = [
        Line("customer", "您好"),
        Line("customer", "我是王医生，接种记录上传失败提示 E403 怎么处理？"),
        Line("bot", "抱歉，没有找到答案。"),
        Line("servicer", "您好，请稍等"),
        Line("customer", "我电话13812345678"),
        Line("servicer", "请在“数据上报”里点重新上传，证书过期会报 E403。刘洋留"),
        Line("customer", "那历史的也要重传吗"),
        Line("servicer", "历史数据不用重传。不客气"),
        Line("servicer", "不客气，再见！"),
    ]
    content = content_of_session(lines, names=["刘洋"])
    assert content is not None
    assert content.question == "我是〔姓名〕医生，接种记录上传失败提示 E403 怎么处理？"
    assert "重新上传" in content.answer
    assert "历史数据不用重传" in content.answer
    assert "请稍等" not in content.answer
    assert "再见" not in content.answer
    assert content.similar == ("那历史的也要重传吗",)
    whole = content.question + content.answer + "".join(content.similar)
    assert "刘洋" not in whole
    assert "138" not in whole


def test_a_session_without_question_or_answer_gives_nothing() -> None:
    assert content_of_session([Line("customer", "接种证明怎么打印")]) is None
    assert content_of_session([Line("servicer", "在“证明”里打印。")]) is None
    assert is_courtesy("您好，请稍等！")
    assert not is_courtesy("请重启打印机")


def by_system() -> Actor:
    return Actor.system("editor")
