"""The words that are commands: one table. Everything else that is typed goes to a customer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from bot.context import Context
from bot.desk import ending, library, presence, sessions, talking, ticket_notes, ticket_work
from bot.desk.ticket_work import command

Handler = Callable[[Context, str], Awaitable[None]]

_ALONE: Final = re.compile(r"")
_NUMBER: Final = re.compile(r"\d{1,2}")
_MAYBE_NUMBER: Final = re.compile(r"(\d{1,2})?")
_TEXT: Final = re.compile(r".+", re.DOTALL)
_MAYBE_TEXT: Final = re.compile(r".*", re.DOTALL)
_KEEP_OR_LET_GO: Final = re.compile(f"({presence.KEEP}|{presence.LET_GO})?")
_ON_OFF: Final = re.compile(r"[开关]")
_AIMED: Final = re.compile(r"[#＃]\s*(\d{1,2})(?!\d)[\s:：,，]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """rest: what may follow the word; with anything else the line is no command."""

    rest: re.Pattern[str]
    handle: Handler


COMMANDS: Final[dict[str, Command]] = {
    "会话": Command(_ALONE, sessions.show),
    "切换": Command(_MAYBE_NUMBER, sessions.switch),
    "接入": Command(_ALONE, sessions.claim_next),
    "结束": Command(ending.WHAT, ending.end),
    "转接": Command(_MAYBE_TEXT, sessions.transfer),
    "工单": Command(_MAYBE_TEXT, sessions.open_ticket),
    "待办": Command(_ALONE, ticket_work.show),
    "受理": Command(ticket_work.NUMBERED, command(ticket_work.accept)),
    "解决": Command(ticket_work.NUMBERED, command(ticket_work.resolve)),
    "转单": Command(ticket_work.NUMBERED, command(ticket_work.pass_on)),
    "补充": Command(ticket_work.NUMBERED, command(ticket_notes.fill)),
    "跟进": Command(ticket_work.NUMBERED, command(ticket_notes.plan)),
    "回单": Command(ticket_work.NUMBERED, command(ticket_notes.reply)),
    "等客户": Command(ticket_work.NUMBERED, command(ticket_notes.wait)),
    "催办": Command(ticket_work.NUMBERED, command(ticket_work.nudge)),
    "升级": Command(ticket_work.NUMBERED, command(ticket_work.escalate)),
    "知识": Command(_TEXT, library.search),
    "引用": Command(_NUMBER, library.cite),
    "快捷": Command(_MAYBE_TEXT, library.canned),
    "备注": Command(_TEXT, talking.note),
    "留言": Command(_TEXT, talking.leave_message),
    "记录": Command(_MAYBE_NUMBER, talking.record),
    "撤回": Command(_ALONE, talking.recall),
    "在线": Command(_ALONE, presence.online),
    "忙碌": Command(_ALONE, presence.busy),
    "离线": Command(_KEEP_OR_LET_GO, presence.offline),
    "通知": Command(_ON_OFF, presence.notices),
    "帮助": Command(_ALONE, presence.manual),
}


def command_in(line: str) -> tuple[Command, str] | None:
    """The command that a line is, with what follows the word; None for ordinary text."""
    word, *more = line.strip().split(maxsplit=1)[:2] or [""]
    rest = more[0].strip() if more else ""
    command = COMMANDS.get(word)
    if command is None:
        return None
    plain = rest.lstrip("#＃") if command.rest in {_NUMBER, _MAYBE_NUMBER} else rest
    return (command, plain) if command.rest.fullmatch(plain) else None


def aimed(line: str) -> tuple[int, str] | None:
    """#4 你好 → (4, "你好")."""
    found = _AIMED.fullmatch(line.strip())
    return (int(found[1]), found[2]) if found else None
