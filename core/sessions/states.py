"""The session's state table: which action leads from where to where."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.errors import InvalidTransition
from core.views import SessionState


class Action(StrEnum):
    GREET = "greet"  # the bot takes it
    HAND_OFF = "hand_off"  # bot → queue
    ASSIGN = "assign"  # queue → a person: by the system, by claim, or natively
    TRANSFER = "transfer"  # person → person
    REQUEUE = "requeue"  # person → queue
    TAKE_OVER = "take_over"  # a supervisor steps in, from anywhere
    CLOSE = "close"


_S = SessionState
#: (state, action) → state. What is not here is refused.
TRANSITIONS: Final[dict[tuple[SessionState, Action], SessionState]] = {
    (_S.NEW, Action.GREET): _S.BOT,
    (_S.NEW, Action.HAND_OFF): _S.QUEUED,
    (_S.BOT, Action.HAND_OFF): _S.QUEUED,
    (_S.QUEUED, Action.ASSIGN): _S.SERVING,
    # in the native client a servicer may pick or re-open what we have not queued
    (_S.NEW, Action.ASSIGN): _S.SERVING,
    (_S.BOT, Action.ASSIGN): _S.SERVING,
    (_S.SERVING, Action.TRANSFER): _S.SERVING,
    (_S.SERVING, Action.REQUEUE): _S.QUEUED,
    (_S.NEW, Action.TAKE_OVER): _S.SERVING,
    (_S.BOT, Action.TAKE_OVER): _S.SERVING,
    (_S.QUEUED, Action.TAKE_OVER): _S.SERVING,
    (_S.SERVING, Action.TAKE_OVER): _S.SERVING,
    (_S.NEW, Action.CLOSE): _S.CLOSED,
    (_S.BOT, Action.CLOSE): _S.CLOSED,
    (_S.QUEUED, Action.CLOSE): _S.CLOSED,
    (_S.SERVING, Action.CLOSE): _S.CLOSED,
}


def next_state(state: SessionState, action: Action) -> SessionState:
    """Raises: InvalidTransition when the table has no such row."""
    target = TRANSITIONS.get((state, action))
    if target is None:
        raise InvalidTransition(state=state, action=action)
    return target
