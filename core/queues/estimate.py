"""How long will I wait? Pure arithmetic over what was measured; nobody is promised a wish."""

from __future__ import annotations

import math
from datetime import timedelta

#: A promise is rounded up to this, so that it is honest more often than not.
GRAIN_S = 60


def expected_wait(
    position: int, *, free_slots: int, total_slots: int, service_time: timedelta
) -> timedelta | None:
    """The wait of whoever stands at `position` (from 1); None when nobody is there to serve.

    With every slot busy one becomes free each `service_time / total_slots` on average; the
    person at position p needs p - free of those.
    """
    if position <= free_slots:
        return timedelta(0)
    if total_slots <= 0:
        return None
    turns = position - free_slots
    seconds = turns * service_time.total_seconds() / total_slots
    return timedelta(seconds=math.ceil(seconds / GRAIN_S) * GRAIN_S)
