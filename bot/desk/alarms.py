"""What people must look at, told in the app: to the one it concerns, else to all supervisors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from bot.desk.news import News
from bot.desk.words import clock
from core.desk.queries import reachable, supervisors
from core.events import AlarmRaised
from core.servicers.queries import servicer_of_user
from core.views import ServicerView

Facts = Mapping[str, str]


async def raised(news: News, event: AlarmRaised) -> None:
    """Alarms without a wording here are for the console alone."""
    words = _WORDS.get(event.code)
    if words is None:
        return
    for servicer in await _concerned(news, event.facts.get("owner_id", "")):
        desk = await news.desk(servicer)
        await desk.notify(words(event.facts))


async def _concerned(news: News, user_id: str) -> list[ServicerView]:
    owner = await servicer_of_user(news.tx, user_id) if user_id else None
    reached = await reachable(news.tx, owner.id) if owner else None
    return [reached] if reached else await supervisors(news.tx)


def _expiring(facts: Facts) -> str:
    until = clock(datetime.fromisoformat(facts["expires_at"]))
    return (
        f"知识条目《{facts['title']}》将于 {until} 失效，之后机器人不再使用。"
        "仍然有效请在控制台修改失效时间，已经过时请更新内容。"
    )


def _red_line(facts: Facts) -> str:
    del facts
    return "有客户的话涉及健康安全，机器人已按固定话术回复，请立即到控制台查看。"


def _surge(facts: Facts) -> str:
    minutes = max(1, int(facts["window_s"]) // 60)
    return (
        f"{minutes} 分钟内有 {facts['sessions']} 位客户问同一个问题：{facts['question']}\n"
        "可能出了故障。确认后可在“系统参数 → 机器人”设置临时公告。"
    )


_WORDS: Final[Mapping[str, Callable[[Facts], str]]] = {
    "article_expires_soon": _expiring,
    "red_line": _red_line,
    "question_surge": _surge,
}
