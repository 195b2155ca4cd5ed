"""Never more than the platform takes, whatever happens when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.desk import pace

_STEPS = st.lists(
    st.tuples(st.floats(0, 20), st.booleans(), st.integers(1, 40)), min_size=1, max_size=120
)


@given(_STEPS)
def test_no_minute_has_more_than_thirty_and_no_hour_more_than_a_thousand(
    steps: list[tuple[float, bool, int]],
) -> None:
    now, sent, everything = 1_000_000.0, list[float](), list[float]()
    for pause, is_answer, wanted in steps:
        now += pause
        rules = pace.ANSWERS if is_answer else pace.NOTICES
        sent = pace.recent(sent, now)
        going = min(wanted, pace.room(sent, now, rules))
        sent += [now] * going
        everything += [now] * going
    for at in everything:
        assert sum(at - 60 < other <= at for other in everything) <= 30
        assert sum(at - 3600 < other <= at for other in everything) <= 1000


@given(st.lists(st.floats(0, 100), max_size=60))
def test_after_the_wait_there_is_room(moments: list[float]) -> None:
    now = 100.0
    wait = pace.wait_s(moments, now, pace.NOTICES)
    assert wait <= pace.LONGEST_S
    assert (wait == 0) == (pace.room(moments, now, pace.NOTICES) > 0)
    assert pace.room(moments, now + wait + 0.001, pace.NOTICES) > 0
