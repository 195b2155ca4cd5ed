"""What servicers write on tickets from the app: fields, follow-ups, words to the customer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.desk.bench import Bench
from bot.desk.words import clock
from core.clock import LOCAL_ZONE
from core.db import Tx
from core.fields import FieldSpec, fits, from_text
from core.tickets import categories, entries, follow_ups, service
from core.tickets.reach import Reach, reach_of
from core.tickets.states import Action
from core.views import TicketView

_UNITS: Final = {
    "分钟": timedelta(minutes=1),
    "小时": timedelta(hours=1),
    "天": timedelta(days=1),
}
_DAYS: Final = {"今天": 0, "明天": 1, "后天": 2}
_LATER: Final = re.compile(r"(\d{1,3})\s*(分钟|小时|天)后\s*(.*)", re.DOTALL)
_TIME: Final = r"\s*(\d{1,2})[:：](\d{2})\s*(.*)"
_DAY: Final = re.compile(f"(今天|明天|后天){_TIME}", re.DOTALL)
_DATE: Final = re.compile(rf"(?:(\d{{4}})-)?(\d{{1,2}})-(\d{{1,2}})\s{_TIME}", re.DOTALL)
_KINDS: Final = {"number": "数字", "date": "日期，如 2027-03-01", "bool": "是或否"}
_UNHEARD: Final[Mapping[Reach, str]] = {
    Reach.NOW: "",
    Reach.HELD: (
        "\n注意：客户现在收不到。微信规定客户说话后 48 小时内最多回复 5 条，名额已用完或已过期；"
        "这段话先存着，客户一来消息就自动发出。着急请打电话，或在控制台的工单页"
        "「复制客户进度链接」，用短信发给客户。"
    ),
    Reach.NATIVE: (
        "\n注意：这位客户正在企业微信客户端里由人接待，系统不能代发。请在企业微信的会话里告诉客户。"
    ),
    Reach.NOWHERE: "\n注意：这位客户还没有在微信里联系过我们，收不到消息。请打电话告诉客户。",
}
_HOW_TO_PLAN: Final = (
    "请写明什么时候、做什么，例如「跟进 {number} 明天 10:00 电话回访」。"
    "时间可以写「2小时后」「3天后」「后天 9:30」「11-25 14:00」。"
)


def moment_in(text: str, now: datetime) -> tuple[datetime, str] | None:
    """The moment with which a line begins, and the rest; a date without its year comes next."""
    local = now.astimezone(LOCAL_ZONE)
    try:
        if found := _LATER.fullmatch(text):
            return now + int(found[1]) * _UNITS[found[2]], found[3]
        if found := _DAY.fullmatch(text):
            then = local + timedelta(days=_DAYS[found[1]])
            at = then.replace(hour=int(found[2]), minute=int(found[3]), second=0, microsecond=0)
            return at, found[4]
        if found := _DATE.fullmatch(text):
            year, month, day, hour, minute = (int(found[n] or local.year) for n in range(1, 6))
            at = datetime(year, month, day, hour, minute, tzinfo=LOCAL_ZONE)
            return at if found[1] or at > now else at.replace(year=at.year + 1), found[6]
    except ValueError:
        return None
    return None


async def plan(bench: Bench, ticket: TicketView, text: str) -> str:
    """跟进 编号 时间 内容."""
    found = moment_in(text, bench.tx.now)
    if found is None or not found[1].strip() or found[0] <= bench.tx.now:
        return _HOW_TO_PLAN.format(number=ticket.number)
    at, what = found
    await follow_ups.add(bench.tx, ticket.id, what, at, by=bench.actor)
    return f"已安排跟进 {ticket.number}：{clock(at)} {what.strip()}。到点会提醒您。"


async def reply(bench: Bench, ticket: TicketView, text: str) -> str:
    """回单 编号 内容: the customer reads it."""
    await entries.reply(bench.tx, ticket.id, text, by=bench.actor)
    return f"已写在 {ticket.number} 上，客户可见。{await unheard(bench.tx, ticket)}"


async def wait(bench: Bench, ticket: TicketView, text: str) -> str:
    """等客户 编号 内容: what the customer shall add; the clock stands still meanwhile."""
    await service.move(bench.tx, ticket.id, Action.AWAIT, by=bench.actor, text=text)
    said = f"{ticket.number} 等待客户，时限暂停；客户一回复就继续计时，并会提醒您。"
    return said + await unheard(bench.tx, ticket)


async def unheard(tx: Tx, ticket: TicketView) -> str:
    """Why the customer does not read it in chat now, and what to do; "" when they do."""
    return _UNHEARD[await reach_of(tx, ticket)]


async def fill(bench: Bench, ticket: TicketView, text: str) -> str:
    """补充 编号 内容；内容: the required fields that are still empty, in their order."""
    specs = await missing(bench.tx, ticket)
    if not specs:
        return f"{ticket.number} 没有缺少的必填项。"
    given = [one.strip() for one in re.split(r"[;；\n]", text) if one.strip()]
    if len(given) != len(specs):
        return asking(ticket, specs)
    values = {spec.key: from_text(spec, one) for spec, one in zip(specs, given, strict=True)}
    wrong = [spec for spec in specs if not fits(spec, values[spec.key])]
    if wrong:
        return "；".join(f"「{spec.title}」应为{_expected(spec)}" for spec in wrong) + "。"
    changes = {"fields": {**ticket.fields, **values}}
    await service.change(bench.tx, ticket.id, changes, version=ticket.version, by=bench.actor)
    said = "；".join(f"{spec.title} {one}" for spec, one in zip(specs, given, strict=True))
    return f"已补充 {ticket.number}：{said}。"


async def missing(tx: Tx, ticket: TicketView) -> tuple[FieldSpec, ...]:
    """Required fields of the category that nobody has filled in."""
    if ticket.category_id is None:
        return ()
    specs = (await categories.get(tx, ticket.category_id)).fields
    empty = [spec for spec in specs if ticket.fields.get(spec.key) in (None, "")]
    return tuple(spec for spec in empty if spec.is_required)


def asking(ticket: TicketView, specs: tuple[FieldSpec, ...]) -> str:
    """What is still to be said of a ticket, and how."""
    wanted = "、".join(f"「{spec.title}」（{_expected(spec)}）" for spec in specs)
    example = "；".join(spec.title for spec in specs)
    return f"还缺 {wanted}。请发「补充 {ticket.number} {example}」，把名称换成内容。"


def _expected(spec: FieldSpec) -> str:
    return "、".join(spec.choices) if spec.kind == "choice" else _KINDS.get(spec.kind, "文字")
