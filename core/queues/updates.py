"""When is a waiting customer's new place worth one of the few messages we have? Pure."""

from __future__ import annotations

#: Slots of the reply window that updates leave: for the answer, and for how it ends.
RESERVE = 2


def is_worth_telling(told: int | None, place: int) -> bool:
    """Half of those ahead are gone, or they are next, or were told nothing. Places from 1."""
    if told is None:
        return True
    return place < told and (place == 1 or place * 2 <= told)
