"""结束: a session ends with its category and summary; what is not said is proposed."""

from __future__ import annotations

import re
from typing import Final

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.words import shortened, who
from core.errors import NotFound
from core.sessions import conclusion, service
from core.sessions.conclusion import Cited, Conclusion, ProposalView
from core.tickets.categories import list_categories
from knowledge.queries import articles_by_id

#: Nothing, a number, or a number with a category and a summary.
WHAT: Final = re.compile(r"(?:[#＃]?(\d{1,2})(?:\s+(\S+)\s*(.*))?)?", re.DOTALL)
_SHOWN: Final = 60


async def end(ctx: Context, rest: str) -> None:
    """结束 · 结束 4 · 结束 4 数据上报 已重新上报: the customer is asked for a rating."""
    found = WHAT.fullmatch(rest)
    number, category, summary = found.groups() if found else (None, None, None)

    async def work(bench: Bench) -> None:
        known, view = await bench.session(int(number) if number else None)
        category_id = await _category_named(bench, category) if category else None
        proposal = await _proposal(bench, view.id)
        wanted = Conclusion(summary or proposal.summary, category_id or proposal.category_id)
        closed = await service.close(
            bench.tx, view.id, reason="resolved", by=bench.actor, conclusion=wanted
        )
        await bench.desk.release(view.id)
        left = await bench.desk.sessions()
        more = f"还有 {len(left)} 个会话，发「会话」查看。" if left else ""
        said = shortened(closed.summary, _SHOWN)
        about = f"分类：{closed.category_name or '未选'}\n小结：{said}"
        await bench.desk.answer(f"已结束 #{known} {who(view)}。{more}\n{about}")

    await serve(ctx, work)


async def _category_named(bench: Bench, name: str) -> str:
    """Raises: NotFound, with the names that there are."""
    categories = await list_categories(bench.tx, only_active=True)
    for one in categories:
        if one.name == name:
            return one.id
    names = "、".join(one.name for one in categories)
    raise NotFound("no_such_category", name=name, names=names)


async def _proposal(bench: Bench, session_id: str) -> ProposalView:
    article_id = await conclusion.last_cited(bench.tx, session_id)
    found = await articles_by_id(bench.tx, [article_id]) if article_id else {}
    article = found.get(article_id or "")
    cited = Cited(article.question, article.category) if article else None
    return await conclusion.propose(bench.tx, session_id, cited)
