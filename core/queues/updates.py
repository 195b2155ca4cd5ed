"""When is a waiting customer's new place worth one of the few messages we have? Pure."""

from __future__ import annotations

#: Slots of the reply window that updates leave: for the answer, and for how it ends.
RESERVE = 2


def is_worth_telling(told: int, place: int) -> bool:
    """Half of those ahead are gone, or they are next. Places count from 1."""
    return place < told and (place == 1 or place * 2 <= told)
