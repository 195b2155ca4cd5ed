"""The knowledge base over HTTP: search, review, synonyms, the answer log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from aiohttp import FormData

from admin_api.services import Services
from core.db import Tx, UnitOfWork
from knowledge.answerer import Answerer
from knowledge.embedder import Embedder
from knowledge.feedback import heard_feedback
from knowledge.mining import mine
from knowledge.vector_store import DatabaseVectors
from tests.admin_api.conftest import Login
from tests.admin_api.desk import Customer
from tests.knowledge_base.conftest import GramEncoder, decided, published


@pytest.fixture
async def answerer(services: Services, uow: UnitOfWork) -> Answerer:
    """Loaded with what is there when it starts; the test starts it."""
    made = Answerer(
        uow,
        Embedder(GramEncoder(), store=DatabaseVectors(uow)),
        overrides=lambda: (0.0, 0.0),
    )
    object.__setattr__(services, "knowledge", made)
    return made


async def test_articles_are_found_page_by_page_with_highlights(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    for number in range(3):
        await published(uow, question=f"怎么重置密码{number}？", category="账号/密码")
    await published(uow, question="怎么打印报告？")
    desk = await log_in("servicer")
    first = await desk.call("GET", "/articles/find?q=重置密码&category=账号&limit=2")
    rest = await desk.call(
        "GET", f"/articles/find?q=重置密码&category=账号&limit=2&cursor={first['next_cursor']}"
    )
    assert (first["total"], len(first["items"]), len(rest["items"])) == (3, 2, 1)
    assert rest["next_cursor"] is None
    (highlight,) = first["items"][0]["highlights"][:1]
    begin, end = highlight["ranges"][0]
    assert highlight["text"][begin:end] in {"重置", "重置密码"}
    await desk.refused("GET", "/articles/find?q=a&cursor=x", status=400, code="bad_cursor")


async def test_without_a_loaded_base_the_refusal_says_so(log_in: Login) -> None:
    desk = await log_in("servicer")
    await desk.refused("GET", "/articles/find?q=a", status=503, code="knowledge_off")


async def test_a_draft_is_compared_with_what_is_live(log_in: Login, uow: UnitOfWork) -> None:
    view = await published(uow, answer="点确定")
    desk = await log_in("servicer")
    await desk.call("PATCH", f"/articles/{view.id}", {"answer": "点取消", "version": view.version})
    changes = await desk.call("GET", f"/articles/{view.id}/diff?before=1&after=2")
    (change,) = changes["items"]
    assert change["field"] == "answer"
    assert [piece["kind"] for piece in change["pieces"]] == ["same", "removed", "added"]
    await desk.refused(
        "GET",
        f"/articles/{view.id}/diff?before=1&after=9",
        status=404,
        code="revision_not_found",
    )


async def test_synonyms_are_edited_by_those_who_publish(log_in: Login) -> None:
    desk, chief = await log_in("servicer"), await log_in("supervisor")
    body = {"term": "健康证", "variants": ["健康卡片"]}
    await desk.refused("PUT", "/synonyms", body, status=403, code="forbidden")
    await chief.call("PUT", "/synonyms", body)
    lines = (await desk.call("GET", "/synonyms"))["items"]
    assert {"term": "健康证", "variants": ["健康卡片"]} in lines
    await chief.call("DELETE", "/synonyms?term=健康证", status=204)
    await chief.refused("DELETE", "/synonyms?term=健康证", status=404, code="synonym_not_found")
    left = await chief.call("PUT", "/synonyms/table", {"text": "甲 = 乙\n"})
    assert left["items"] == [{"term": "甲", "variants": ["乙"]}]
    await chief.refused(
        "PUT", "/synonyms/table", {"text": "没有等号"}, status=422, code="bad_synonyms"
    )


async def test_the_log_shows_why_and_a_replay_shows_what_changed(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    old = await published(uow, question="怎么重置密码？")
    decision_id = await decided(uow, old, question="怎么重置密码")
    async with uow.write() as tx:
        await heard_feedback(tx, decision_id, is_helpful=True)
    await answerer.start()
    desk = await log_in("servicer")
    (logged,) = (await desk.call("GET", "/decisions?verdict=solved"))["items"]
    assert (logged["id"], logged["article_id"]) == (decision_id, old.id)
    assert (await desk.call("GET", "/decisions?verdict=unsolved"))["items"] == []
    same = await desk.call("POST", f"/decisions/{decision_id}/replay")
    assert same["is_same"]
    async with uow.write() as tx:
        from core.actor import Actor
        from knowledge import service

        await service.archive(tx, old.id, version=old.version, by=Actor.system())
    await answerer.refresh([old.id])
    changed = await desk.call("POST", f"/decisions/{decision_id}/replay")
    assert not changed["is_same"]
    assert changed["now"]["band"] == "handoff"
    assert len((await desk.call("GET", "/decisions"))["items"]) == 1


async def test_a_question_can_be_tried_without_leaving_a_trace(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    view = await published(uow, question="怎么重置密码？")
    await answerer.start()
    desk = await log_in("servicer")
    said = await desk.call("POST", "/bot/ask", {"question": "怎么重置密码"})
    assert (said["band"], said["article_id"], said["id"]) == ("answer", view.id, "")
    figures = await desk.call("GET", "/bot/figures")
    assert (figures["questions"], figures["precision"]["low"]) == (0, 0)


async def test_the_author_may_publish_alone_only_where_the_setting_says_so(
    log_in: Login, services: Services
) -> None:
    chief = await log_in("supervisor")
    article = {"question": "怎么登录？", "answer": "点登录。", "state": "published"}
    await chief.refused("POST", "/articles", article, status=403, code="same_person")
    assert (await chief.call("GET", "/articles"))["items"] == []
    admin = await log_in("admin")
    body = {"value": {"second_person": False}, "version": 0}
    await admin.call("PUT", "/settings/knowledge", body)
    await services.settings.load()
    assert (await chief.call("POST", "/articles", article, status=201))["is_live"]


async def test_the_gap_queue_is_worked_off(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    async def nobody(tx: Tx, session_ids: Sequence[str]) -> Mapping[str, str]:
        return {}

    for question in ("健康证怎么补打", "健康证补打怎么弄"):
        await decided(uow, None, question=question)
    await mine(uow, Embedder(GramEncoder()), nobody)
    desk = await log_in("servicer")
    (gap,) = (await desk.call("GET", "/gaps?state=open"))["items"]
    assert (gap["size"], len(gap["samples"])) == (2, 2)
    path = f"/gaps/{gap['id']}"
    due = {"owner_id": None, "due_at": "2026-03-09T00:00:00Z", "version": gap["version"]}
    gap = await desk.call("POST", f"{path}/assign", due)
    assert gap["due_at"] == "2026-03-09T00:00:00Z"
    await desk.refused("POST", f"{path}/assign", due, status=409, code="conflict")
    gap = await desk.call("POST", f"{path}/dismiss", {"version": gap["version"]})
    gap = await desk.call("POST", f"{path}/reopen", {"version": gap["version"]})
    draft = await desk.call("POST", f"{path}/draft", {"version": gap["version"]}, status=201)
    assert draft["state"] == "draft"
    assert (await desk.call("GET", path))["article_id"] == draft["id"]
    await desk.refused("GET", "/gaps/none", status=404, code="gap_not_found")


async def test_known_questions_feed_calibration_and_the_gate(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    view = await published(uow, question="怎么重置登录密码？")
    await answerer.start()
    desk, chief = await log_in("servicer"), await log_in("supervisor")
    body = {"question": "登录密码重置", "article_id": view.id}
    known = await desk.call("PUT", "/known-questions", body)
    listed = await desk.call("GET", f"/known-questions?article_id={view.id}")
    assert [item["id"] for item in listed["items"]] == [known["id"]]

    thief = {"question": "登录密码重置", "answer": "别的"}
    draft = await desk.call("POST", "/articles", thief, status=201)
    impact = await desk.call("POST", f"/articles/{draft['id']}/impact", {})
    assert [item["kind"] for item in impact["changed"]] == ["worse"]
    gone = await desk.call("POST", f"/articles/{view.id}/impact", {"step": "archive"})
    assert {item["after"]["article_id"] for item in gone["changed"]} == {None}

    await desk.refused("POST", "/calibrations", {}, status=403, code="forbidden")
    fit = await chief.call("POST", "/calibrations", {"target": 0.95}, status=201)
    assert (fit["labels"], fit["is_own"], fit["is_active"]) == (1, False, False)
    await chief.refused("POST", f"/calibrations/{fit['id']}/activate", status=409, code="not_own")
    await chief.call("DELETE", "/calibrations/active", status=204)
    assert len((await desk.call("GET", "/calibrations"))["items"]) == 1
    await desk.call("DELETE", f"/known-questions/{known['id']}", status=204)
    assert (await desk.call("GET", "/known-questions"))["items"] == []


async def test_a_session_helps_with_the_reply_and_becomes_a_draft_in_review(
    log_in: Login, uow: UnitOfWork, answerer: Answerer
) -> None:
    article = await published(uow, question="怎么重置密码？", answer="点击“忘记密码”。")
    await answerer.start()
    customer = Customer(uow)
    await customer.says("您好", "怎么重置密码？13812345678")
    desk = await log_in("servicer")
    path = f"/sessions/{customer.session_id}"
    reply = await desk.call("POST", f"{path}/draft-reply", {})
    assert (reply["text"], reply["how"]) == ("点击“忘记密码”。", "extracted")
    assert reply["sources"][0]["article_id"] == article.id
    other = await desk.call("POST", f"{path}/draft-reply", {"question": "xyzzy"})
    assert other["sources"] == [] or other["text"]

    await desk.refused("POST", f"{path}/article-draft", status=409, code="nothing_to_draft")
    await customer.asks_for_people()
    await desk.call("PUT", "/servicers/me/presence", {"presence": "online"})
    await desk.call("POST", f"{path}/claim")
    said = {"content": {"type": "text", "text": "请在登录页点“忘记密码”。"}, "client_id": "c1"}
    await desk.call("POST", f"{path}/messages", said, status=201)
    draft = await desk.call("POST", f"{path}/article-draft", status=201)
    assert draft["question"] == "怎么重置密码？〔手机号〕"
    assert draft["answer"] == "请在登录页点“忘记密码”。"
    assert (draft["state"], draft["open"]["state"]) == ("draft", "review")
    assert draft["source"] == f"session:{customer.session_id}"


async def test_citing_an_article_teaches_what_the_bot_should_have_said(
    log_in: Login, uow: UnitOfWork
) -> None:
    article = await published(uow)
    customer = Customer(uow)
    await customer.says("密码忘了怎么办")
    await decided(uow, None, question="密码忘了怎么办", session_id=customer.session_id)
    desk = await log_in("servicer")
    path = f"/sessions/{customer.session_id}"
    await customer.asks_for_people()
    await desk.call("PUT", "/servicers/me/presence", {"presence": "online"})
    await desk.call("POST", f"{path}/claim")
    body = {
        "content": {"type": "text", "text": article.answer},
        "client_id": "c1",
        "source": {"article_id": article.id},
    }
    await desk.call("POST", f"{path}/messages", body, status=201)
    (logged,) = (await desk.call("GET", f"{path}/decisions"))["items"]
    assert logged["verdict"] == "cited"
    assert (await desk.call("GET", f"/articles/{article.id}"))["hits"] == 1


async def test_markdown_goes_out_and_in_as_an_archive(log_in: Login, uow: UnitOfWork) -> None:
    await published(uow, answer_html="<p>看<b>图</b></p>")
    chief = await log_in("supervisor")
    response = await chief.raw("GET", "/articles/export?format=zip")
    assert response.content_type == "application/zip"
    form = FormData()
    form.add_field("file", await response.read(), filename="kb.zip")
    back = await chief.call("POST", "/articles/import", data=form)
    assert (back["unchanged"], back["failed"]) == (1, 0)
