"""知识, 引用 and 快捷: answers that need not be typed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.talking import post
from bot.desk.words import shortened, who
from core.clock import LOCAL_ZONE
from core.content import Text
from core.errors import NotFound
from core.replies.queries import ReplyView, list_replies
from core.views import SessionView
from knowledge.chat_parts import chat_parts
from knowledge.queries import live_articles
from knowledge.richtext import derived

_FOUND: Final = 5
_LISTED: Final = 20
ARTICLE: Final = "article"
REPLY: Final = "reply"


async def search(ctx: Context, rest: str) -> None:
    """知识 关键词: numbered articles."""
    found = await ctx.tools.answers.search(rest, _FOUND)

    async def work(bench: Bench) -> None:
        if not found:
            await bench.desk.answer(
                f"没有找到和「{shortened(rest, 30)}」有关的知识，换个说法试试。"
            )
            return
        bench.desk.remember(ARTICLE, [one.article.id for one in found])
        rows = [
            f"{place}. {one.article.question}\n　{shortened(one.article.answer, 60)}"
            for place, one in enumerate(found, start=1)
        ]
        await bench.desk.answer("\n".join([*rows, "发「引用 编号」把答案发给当前客户。"]))

    await serve(ctx, work)


async def cite(ctx: Context, rest: str) -> None:
    """引用 2: the second of the list that was shown last."""

    async def work(bench: Bench) -> None:
        kind, chosen = bench.desk.chosen(int(rest))
        if kind == ARTICLE:
            await _cite_article(bench, chosen)
        else:
            replies = await list_replies(bench.tx, by=bench.actor)
            found = next((one for one in replies if one.id == chosen), None)
            if found is None:
                raise NotFound("nothing_shown", count=0)
            await _send_reply(bench, found)

    await serve(ctx, work)


async def _cite_article(bench: Bench, article_id: str) -> None:
    found = await live_articles(bench.tx, [article_id])
    if not found:
        raise NotFound("article_not_live")
    article = found[0]
    attachments = derived(article.answer_html).attachments
    source = {"article_id": article.id, "title": article.question}
    await post(bench, [*chat_parts(article.answer, attachments)], source=source)
    number, session = await bench.session()
    title = shortened(article.question, 30)
    await bench.desk.answer(f"已把《{title}》发给 #{number} {who(session)}。")


async def canned(ctx: Context, rest: str) -> None:
    """快捷: the list · 快捷 nh: sends it when only one fits."""

    async def work(bench: Bench) -> None:
        replies = await list_replies(bench.tx, by=bench.actor)
        found = _matching(replies, rest)
        if not found:
            raise NotFound("reply_not_found", name=rest)
        if rest and len(found) == 1:
            await _send_reply(bench, found[0])
            return
        bench.desk.remember(REPLY, [one.id for one in found])
        rows = [
            f"{place}. {one.title}{f'（{one.shortcut}）' if one.shortcut else ''}："
            f"{shortened(one.text, 40)}"
            for place, one in enumerate(found, start=1)
        ]
        await bench.desk.answer("\n".join([*rows, "发「引用 编号」或「快捷 简码」发送。"]))

    await serve(ctx, work)


def _matching(replies: list[ReplyView], words: str) -> list[ReplyView]:
    """Whole shortcut or title first; else a part of title or text."""
    if not words:
        return replies[:_LISTED]
    wanted = words.lower()
    whole = [one for one in replies if wanted in {one.shortcut.lower(), one.title.lower()}]
    part = [one for one in replies if wanted in f"{one.shortcut} {one.title} {one.text}".lower()]
    return (whole or part)[:_LISTED]


async def _send_reply(bench: Bench, reply: ReplyView) -> None:
    number, session = await bench.session()
    text = filled(reply.text, session, bench.desk.servicer.name, bench.tx.now)
    await post(bench, [Text(text=text)])
    await bench.desk.answer(f"已发给 #{number} {who(session)}：{shortened(text, 60)}")


def filled(text: str, session: SessionView, servicer: str, now: datetime) -> str:
    """{客户姓名} {机构} {客服姓名} {帐号} {日期} {时间} become what they are in this session."""
    local = now.astimezone(LOCAL_ZONE)
    facts = {
        "客户姓名": session.customer_name,
        "机构": session.institution_name,
        "客服姓名": servicer,
        "帐号": session.account_name,
        "账号": session.account_name,
        "日期": f"{local:%Y/%m/%d}",
        "时间": f"{local:%H:%M}",
    }
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text
