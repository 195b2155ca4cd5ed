"""What people must look at, told in the app: to the one it concerns, else to all supervisors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.desk.news import News
from bot.desk.words import ago, clock
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
    if event.code == "servicer_slow":
        await _urge(news, event)


async def _urge(news: News, event: AlarmRaised) -> None:
    """Whoever keeps a customer waiting is told so themselves."""
    desk = await news.desk_of(event.facts.get("servicer_id"))
    number = await desk.number_of(event.session_id or "") if desk else None
    if desk is not None and number is not None:
        waited = ago(timedelta(seconds=int(event.facts["waited_s"])))
        left = _then(event.facts, "重新分配给同事")
        await desk.notify(
            f"#{number} {event.facts['customer']} 已经等您{waited}，请尽快回复。{left}"
        )


async def _concerned(news: News, user_id: str) -> list[ServicerView]:
    owner = await servicer_of_user(news.tx, user_id) if user_id else None
    reached = await reachable(news.tx, owner.id) if owner else None
    return [reached] if reached else await supervisors(news.tx)


def _slow(facts: Facts) -> str:
    waited = ago(timedelta(seconds=int(facts["waited_s"])))
    return (
        f"{facts['customer']} 已经等了{waited}，接待人员 {facts['servicer']} 还没有回复。"
        f"{_then(facts, '自动重新分配')}也可以在控制台旁观或接管。"
    )


def _then(facts: Facts, what: str) -> str:
    """Sessions in the platform's own client are not taken away."""
    left_s = int(facts["left_s"] or 0)
    return f"再过{ago(timedelta(seconds=left_s))}没有回复会{what}。" if left_s > 0 else ""


def _taken_away(facts: Facts) -> str:
    return f"{facts['customer']} 一直没有等到回复，会话已收回，正在重新分配。"


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
    "servicer_slow": _slow,
    "servicer_silent": _taken_away,
    "servicer_offline": _taken_away,
    "article_expires_soon": _expiring,
    "red_line": _red_line,
    "question_surge": _surge,
}
