"""The ticket's state table: which action leads where, who may take it, when the clock runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.errors import Forbidden, InvalidTransition
from core.views import Party, TicketState

_S = TicketState


class Action(StrEnum):
    ACCEPT = "accept"  # 受理
    AWAIT = "await"  # 等待客户
    SUSPEND = "suspend"  # 挂起
    RESUME = "resume"  # 继续处理
    RESOLVE = "resolve"  # 解决
    CONFIRM = "confirm"  # 确认
    CLOSE = "close"  # 关闭
    REOPEN = "reopen"  # 重开
    CANCEL = "cancel"  # 作废
    NUDGE = "nudge"  # 催单
    ESCALATE = "escalate"  # 升级


#: States in which the customer's clock runs.
CLOCK_RUNS: Final = frozenset({_S.NEW, _S.OPEN})
#: Nothing is expected of anybody any more.
FINAL: Final = frozenset({_S.CLOSED, _S.CANCELLED})
#: Work is owed: lists of open tickets, load of servicers, escalation.
UNRESOLVED: Final = frozenset({_S.NEW, _S.OPEN, _S.WAITING, _S.SUSPENDED})

_STAFF = frozenset({Party.SERVICER, Party.SUPERVISOR, Party.SYSTEM})
_BOSS = frozenset({Party.SUPERVISOR, Party.SYSTEM})
_CUSTOMER = frozenset({Party.CUSTOMER})
_ANYONE = _STAFF | _CUSTOMER

#: (from, action) → (to, who may). What is not listed does not exist.
TRANSITIONS: Final[dict[tuple[TicketState, Action], tuple[TicketState, frozenset[Party]]]] = {
    (_S.NEW, Action.ACCEPT): (_S.OPEN, _STAFF),
    (_S.NEW, Action.SUSPEND): (_S.SUSPENDED, _STAFF),
    (_S.NEW, Action.RESOLVE): (_S.RESOLVED, _STAFF),
    (_S.NEW, Action.CLOSE): (_S.CLOSED, _BOSS),
    (_S.NEW, Action.CANCEL): (_S.CANCELLED, _BOSS | _CUSTOMER),
    (_S.NEW, Action.NUDGE): (_S.NEW, _ANYONE),
    (_S.NEW, Action.ESCALATE): (_S.NEW, _STAFF),
    (_S.OPEN, Action.AWAIT): (_S.WAITING, _STAFF),
    (_S.OPEN, Action.SUSPEND): (_S.SUSPENDED, _STAFF),
    (_S.OPEN, Action.RESOLVE): (_S.RESOLVED, _STAFF),
    (_S.OPEN, Action.CLOSE): (_S.CLOSED, _BOSS),
    (_S.OPEN, Action.CANCEL): (_S.CANCELLED, _BOSS),
    (_S.OPEN, Action.NUDGE): (_S.OPEN, _ANYONE),
    (_S.OPEN, Action.ESCALATE): (_S.OPEN, _STAFF),
    (_S.WAITING, Action.RESUME): (_S.OPEN, _ANYONE),
    (_S.WAITING, Action.SUSPEND): (_S.SUSPENDED, _STAFF),
    (_S.WAITING, Action.RESOLVE): (_S.RESOLVED, _STAFF),
    (_S.WAITING, Action.CLOSE): (_S.CLOSED, _BOSS),
    (_S.WAITING, Action.CANCEL): (_S.CANCELLED, _BOSS),
    (_S.WAITING, Action.NUDGE): (_S.WAITING, _ANYONE),
    (_S.WAITING, Action.ESCALATE): (_S.WAITING, _STAFF),
    (_S.SUSPENDED, Action.RESUME): (_S.OPEN, _STAFF),
    (_S.SUSPENDED, Action.AWAIT): (_S.WAITING, _STAFF),
    (_S.SUSPENDED, Action.RESOLVE): (_S.RESOLVED, _STAFF),
    (_S.SUSPENDED, Action.CLOSE): (_S.CLOSED, _BOSS),
    (_S.SUSPENDED, Action.CANCEL): (_S.CANCELLED, _BOSS),
    (_S.SUSPENDED, Action.NUDGE): (_S.SUSPENDED, _ANYONE),
    (_S.SUSPENDED, Action.ESCALATE): (_S.SUSPENDED, _STAFF),
    (_S.RESOLVED, Action.CONFIRM): (_S.CLOSED, _ANYONE),
    (_S.RESOLVED, Action.CLOSE): (_S.CLOSED, _BOSS),
    (_S.RESOLVED, Action.REOPEN): (_S.OPEN, _ANYONE),
    (_S.CLOSED, Action.REOPEN): (_S.OPEN, _ANYONE),
}


def next_state(state: TicketState, action: Action, party: Party) -> TicketState:
    """Where `action` leads. Raises: InvalidTransition; Forbidden for this party."""
    row = TRANSITIONS.get((state, action))
    if row is None:
        raise InvalidTransition(state=state.value, action=action.value)
    target, parties = row
    if party not in parties:
        raise Forbidden(action=action.value, party=party.value)
    return target


def actions_for(state: TicketState, party: Party) -> tuple[Action, ...]:
    """What this party may do now; buttons and menus are drawn from it."""
    return tuple(
        action
        for (at, action), (_, parties) in TRANSITIONS.items()
        if at is state and party in parties
    )


def diagram() -> str:
    """The table as a Mermaid state diagram; docs/reference keeps a copy that a test compares."""
    lines = ["stateDiagram-v2", f"    [*] --> {_S.NEW}"]
    lines += [
        f"    {state} --> {target}: {action}"
        for (state, action), (target, _) in TRANSITIONS.items()
        if target is not state
    ]
    lines += [f"    {state} --> [*]" for state in TicketState if state in FINAL]
    return "\n".join(lines) + "\n"
