"""Who changed what the bot says is on record, in order and tamper-evident."""

from __future__ import annotations

from core.actor import Actor
from core.audit.queries import list_audit, verify
from core.db import UnitOfWork
from knowledge import categories, service, synonym_table
from knowledge.content import ArticleContent


async def test_every_step_of_an_article_and_the_tables_is_on_record(
    uow: UnitOfWork, author: Actor, reviewer: Actor
) -> None:
    async with uow.write() as tx:
        content = ArticleContent(
            question="怎么重置密码？", answer="点“忘记密码”。", category="帐号"
        )
        made = await service.create(tx, content, by=author)
        sent = await service.submit(tx, made.id, version=made.version, by=author)
        back = await service.reject(tx, made.id, note="少图", version=sent.version, by=reviewer)
        live = await service.publish(tx, made.id, version=back.version, by=reviewer)
        changed = await service.edit(
            tx, made.id, {"answer": "找管理员。"}, version=live.version, by=author
        )
        live = await service.publish(tx, made.id, version=changed.version, by=reviewer)
        old = await service.roll_back(tx, made.id, 1, version=live.version, by=reviewer)
        gone = await service.archive(tx, made.id, version=old.version, by=reviewer)
        await service.restore(tx, made.id, version=gone.version, by=reviewer)
        await synonym_table.put_synonym(tx, "健康证", ["从业证"], by=reviewer)
        await synonym_table.delete_synonym(tx, "健康证", by=reviewer)
        await synonym_table.replace_synonyms(tx, "报告 = 结果单", by=reviewer)
        await categories.move_category(tx, "帐号", to="账号", by=reviewer)
        await categories.delete_category(tx, "账号", by=reviewer)
    async with uow.read() as tx:
        rows = (await list_audit(tx, limit=50)).items[::-1]
        assert (await verify(tx)).is_intact
    assert [row.action for row in rows] == [
        "article.rejected",
        "article.published",
        "article.published",
        "article.rolled_back",
        "article.archived",
        "article.restored",
        "synonym.set",
        "synonym.deleted",
        "synonym.replaced",
        "category.moved",
        "category.deleted",
    ]
    assert {row.actor for row in rows} == {reviewer.key}
    published = rows[1]
    assert (published.target, published.facts["author"]) == (made.id, author.key)
    assert rows[3].facts == {"number": "3", "from": "1"}
