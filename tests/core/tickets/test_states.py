from __future__ import annotations

import pytest

from core.errors import Forbidden, InvalidTransition
from core.tickets.states import (
    CLOCK_RUNS,
    FINAL,
    TRANSITIONS,
    UNRESOLVED,
    Action,
    actions_for,
    diagram,
    next_state,
)
from core.views import Party, TicketState


def test_every_state_is_reached_and_only_final_ones_are_dead_ends() -> None:
    reached = {target for target, _ in TRANSITIONS.values()} | {TicketState.NEW}
    assert reached == set(TicketState)
    leaves = {state for (state, _), (target, _) in TRANSITIONS.items() if target is not state}
    assert set(TicketState) - leaves == {TicketState.CANCELLED}
    assert CLOCK_RUNS < UNRESOLVED
    assert not UNRESOLVED & FINAL


def test_a_supervisor_may_whatever_a_servicer_may() -> None:
    for _, parties in TRANSITIONS.values():
        assert Party.SERVICER not in parties or Party.SUPERVISOR in parties


@pytest.mark.parametrize(
    ("state", "action", "party", "outcome"),
    [
        (TicketState.NEW, Action.ACCEPT, Party.SERVICER, TicketState.OPEN),
        (TicketState.NEW, Action.ACCEPT, Party.CUSTOMER, Forbidden),
        (TicketState.NEW, Action.CONFIRM, Party.SUPERVISOR, InvalidTransition),
        (TicketState.RESOLVED, Action.CONFIRM, Party.CUSTOMER, TicketState.CLOSED),
        (TicketState.OPEN, Action.CLOSE, Party.SERVICER, Forbidden),
        (TicketState.OPEN, Action.CLOSE, Party.SUPERVISOR, TicketState.CLOSED),
        (TicketState.CLOSED, Action.REOPEN, Party.CUSTOMER, TicketState.OPEN),
        (TicketState.CANCELLED, Action.REOPEN, Party.SUPERVISOR, InvalidTransition),
        (TicketState.WAITING, Action.NUDGE, Party.CUSTOMER, TicketState.WAITING),
    ],
)
def test_the_table_answers(
    state: TicketState, action: Action, party: Party, outcome: TicketState | type[Exception]
) -> None:
    if isinstance(outcome, TicketState):
        assert next_state(state, action, party) is outcome
        assert action in actions_for(state, party)
    else:
        with pytest.raises(outcome):
            next_state(state, action, party)
        assert action not in actions_for(state, party)


def test_the_diagram_has_one_arrow_per_move() -> None:
    moves = [key for key, (target, _) in TRANSITIONS.items() if target is not key[0]]
    assert diagram().count(": ") == len(moves)
    assert "    resolved --> closed: confirm\n" in diagram()
