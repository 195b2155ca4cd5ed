"""The knowledge base over HTTP."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import FormData

from core.db import UnitOfWork
from knowledge.queries import articles_by_id
from knowledge.views import FoundArticle
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer

ARTICLE = {"question": "如何重置密码？", "answer": "点击“忘记密码”。", "category": "账号/密码"}


class Answers:
    """Stands for the answerer: finds one article, notes what it was asked."""

    def __init__(self, uow: UnitOfWork, article_id: str) -> None:
        self._uow = uow
        self._article_id = article_id
        self.asked: list[str] = []

    async def search(self, text: str, limit: int = 5) -> list[FoundArticle]:
        self.asked.append(text)
        async with self._uow.read() as tx:
            found = await articles_by_id(tx, [self._article_id])
        return [FoundArticle(article=view, score=0.9) for view in found.values()][:limit]


def _file(text: str | bytes, name: str, **fields: str) -> FormData:
    form = FormData()
    form.add_field("file", text if isinstance(text, bytes) else text.encode(), filename=name)
    for key, value in fields.items():
        form.add_field(key, value)
    return form


async def _publish(author: Api, reviewer: Api, body: dict[str, Any]) -> dict[str, Any]:
    draft = await author.call("POST", "/articles", body, status=201)
    change = {"state": "published", "version": draft["version"]}
    published: dict[str, Any] = await reviewer.call("PATCH", f"/articles/{draft['id']}", change)
    return published


async def test_an_article_goes_from_draft_to_published_and_back(
    servicer: Api, supervisor: Api
) -> None:
    draft = await servicer.call("POST", "/articles", ARTICLE, status=201)
    assert draft["state"] == "draft"
    path = f"/articles/{draft['id']}"
    publish = {"state": "published", "version": draft["version"]}
    await servicer.refused("PATCH", path, publish, status=403, code="forbidden")
    live = await supervisor.call("PATCH", path, publish)
    assert (live["state"], live["is_live"]) == ("published", True)
    await supervisor.refused("PATCH", path, publish, status=409, code="conflict")

    edit = {"answer": "联系管理员。", "version": live["version"]}
    edited = await servicer.call("PATCH", path, edit)
    assert edited["answer"] == ARTICLE["answer"]  # customers see the published one
    assert edited["open"]["content"]["answer"] == "联系管理员。"
    live = await supervisor.call(
        "PATCH", path, {"state": "published", "version": edited["version"]}
    )
    assert live["answer"] == "联系管理员。"
    revisions = (await servicer.call("GET", f"{path}/revisions"))["items"]
    assert [item["number"] for item in revisions] == [2, 1]
    back = {"number": 1, "version": live["version"]}
    rolled = await supervisor.call("POST", f"{path}/roll-back", back)
    assert rolled["answer"] == ARTICLE["answer"]

    await servicer.refused("DELETE", path, status=403, code="forbidden")
    await supervisor.call("DELETE", path, status=204)
    assert (await servicer.call("GET", path))["state"] == "archived"


async def test_review_needs_a_second_person(supervisor: Api, admin: Api, servicer: Api) -> None:
    draft = await supervisor.call("POST", "/articles", ARTICLE, status=201)
    path = f"/articles/{draft['id']}"
    sent = await supervisor.call("POST", f"{path}/submit", {"version": draft["version"]})
    approve = {"version": sent["version"], "note": "好"}
    await supervisor.refused("POST", f"{path}/approve", approve, status=403, code="same_person")
    await servicer.refused("POST", f"{path}/approve", approve, status=403, code="forbidden")
    waiting = (await admin.call("GET", "/articles?in_review=true"))["items"]
    assert [item["id"] for item in waiting] == [draft["id"]]
    live = await admin.call("POST", f"{path}/approve", approve)
    assert live["is_live"] is True


async def test_bad_articles_are_refused_and_rich_text_is_made_safe(servicer: Api) -> None:
    for change in ({"question": " "}, {"tags": ["x" * 65]}, {"answer": "x" * 50_001}):
        body = ARTICLE | change
        response = await servicer.raw("POST", "/articles", json=body)
        assert response.status == 422, change
    body = ARTICLE | {"answer_html": "<p>见<b>图</b></p><script>alert(1)</script>"}
    made = await servicer.call("POST", "/articles", body, status=201)
    assert "script" not in made["answer_html"]
    assert made["answer"] == "见图"
    await servicer.refused("GET", "/articles/none", status=404, code="article_not_found")


async def test_lists_filter_and_page(supervisor: Api, servicer: Api) -> None:
    for number in range(3):
        supervisor.clock.advance(seconds=1)
        await _publish(servicer, supervisor, ARTICLE | {"question": f"问题{number}"})
    first = await supervisor.call("GET", "/articles?limit=2&state=published")
    rest = await supervisor.call("GET", f"/articles?limit=2&cursor={first['next_cursor']}")
    questions = [item["question"] for item in first["items"] + rest["items"]]
    assert questions == ["问题2", "问题1", "问题0"]
    found = (await supervisor.call("GET", "/articles?category=账号&q=问题1"))["items"]
    assert [item["question"] for item in found] == ["问题1"]
    tree = (await supervisor.call("GET", "/categories"))["items"]
    assert {item["path"]: item["articles"] for item in tree} == {"账号": 3, "账号/密码": 3}


async def test_categories_are_added_moved_and_removed(supervisor: Api, servicer: Api) -> None:
    await servicer.call("POST", "/categories", {"path": "疫苗/出入库"}, status=201)
    move = {"path": "疫苗", "to": "免疫规划"}
    await servicer.refused("POST", "/categories/move", move, status=403, code="forbidden")
    assert (await supervisor.call("POST", "/categories/move", move))["path"] == "免疫规划"
    await supervisor.call("DELETE", "/categories?path=免疫规划/出入库", status=204)
    tree = (await servicer.call("GET", "/categories"))["items"]
    assert [item["path"] for item in tree] == ["免疫规划"]
    await supervisor.refused(
        "DELETE", "/categories?path=疫苗", status=404, code="category_not_found"
    )


async def test_import_says_what_it_would_do_does_it_and_exports_the_same(
    supervisor: Api, servicer: Api
) -> None:
    lines = [
        {"id": "F1", "question": "问一", "answer": "答一", "similar": ["怎么一"]},
        {"id": "F2", "question": "=HYPERLINK(1)", "answer": "答二"},
        {"id": "F2", "question": "重复", "answer": "x"},
    ]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)

    async def send(api: Api, dry_run: str, status: int = 200) -> Any:
        form = _file(text, "faq.jsonl", dry_run=dry_run)
        return await api.call("POST", "/articles/import", data=form, status=status)

    await servicer.refused(
        "POST", "/articles/import", status=403, code="forbidden", data=_file(text, "a.jsonl")
    )
    report = await send(supervisor, "true")
    assert (report["created"], report["failed"]) == (2, 1)
    assert report["errors"][0]["row"] == 3
    assert (await supervisor.call("GET", "/articles"))["items"] == []
    assert (await send(supervisor, "false"))["created"] == 2
    assert (await send(supervisor, "false"))["unchanged"] == 2

    for kind in ("jsonl", "csv", "xlsx"):
        response = await supervisor.raw("GET", f"/articles/export?format={kind}")
        assert f'filename="articles.{kind}"' in response.headers["Content-Disposition"]
        form = _file(await response.read(), f"again.{kind}")
        again = await supervisor.call("POST", "/articles/import?dry_run=1", data=form)
        assert (again["unchanged"], again["failed"]) == (2, 0), kind
    for name, code in (("a.pdf", "unknown_format"), ("a.xlsx", "unreadable_file")):
        await supervisor.refused(
            "POST", "/articles/import", status=422, code=code, data=_file("x", name)
        )
    await supervisor.refused(
        "POST", "/articles/import", status=422, code="missing_column", data=_file("a,b", "a.csv")
    )


async def test_searching_and_suggestions_for_the_customers_last_question(
    servicer: Api, supervisor: Api
) -> None:
    body = {"text": "密码忘了"}
    await servicer.refused("POST", "/articles/search", body, status=503, code="knowledge_off")
    made = await _publish(servicer, supervisor, ARTICLE)
    answers = Answers(servicer.services.uow, made["id"])
    object.__setattr__(servicer.services, "knowledge", answers)
    found = (await servicer.call("POST", "/articles/search", body))["items"]
    assert [(item["article"]["id"], item["score"]) for item in found] == [(made["id"], 0.9)]
    await servicer.refused(
        "POST", "/articles/search", {"text": ""}, status=422, code="invalid_fields"
    )

    customer = Customer(servicer.services.uow)
    await customer.says("你好", "密码忘了", "怎么办")
    await servicer.call("GET", f"/sessions/{customer.session_id}/suggestions")
    assert answers.asked[-1] == "你好\n密码忘了\n怎么办"
    path = f"/sessions/{customer.session_id}/decisions"
    assert (await servicer.call("GET", path))["items"] == []
    await servicer.refused("GET", "/sessions/x/decisions", status=404, code="session_not_found")
    await servicer.refused(
        "POST", "/decisions/x/correction", {}, status=404, code="decision_not_found"
    )
