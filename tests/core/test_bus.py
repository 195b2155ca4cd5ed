"""Listeners: each event once, whoever hears it, and nobody is asked about the others."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from core.bus import EventBus, Listener, Logged
from core.db import Tx, UnitOfWork
from core.event_log import EventRow, ListenerCursor
from core.events import AlarmRaised, SettingChanged, types_of
from core.local import LocalWakeUp


class _Ear:
    """Writes down the alarms that it hears; breaks down before it hears the first `breaks`."""

    def __init__(self, breaks: int = 0) -> None:
        self.heard: list[str] = []
        self.calls = 0
        self._breaks = breaks

    async def hear(self, tx: Tx, batch: Sequence[Logged]) -> None:
        self.calls += 1
        if self.calls <= self._breaks:
            raise OSError("broken")
        self.heard += [one.event.code for one in batch if isinstance(one.event, AlarmRaised)]

    def bus(self, uow: UnitOfWork, *, begins_now: bool = False) -> EventBus:
        wanted = types_of(AlarmRaised)
        listener = Listener("ear", self.hear, wanted, begins_now=begins_now)
        return EventBus(uow, LocalWakeUp(), listeners=[listener])


async def _happen(uow: UnitOfWork, *alarms: str, others: int = 0) -> None:
    async with uow.write() as tx:
        for number in range(others):
            tx.emit(SettingChanged(key=f"other.{number}", by="test"))
        for code in alarms:
            tx.emit(AlarmRaised(code=code))


async def test_every_event_that_is_wanted_is_heard_once_whatever_process_is_first(
    uow: UnitOfWork,
) -> None:
    await _happen(uow, "before", others=3)
    ear = _Ear()
    one, other = ear.bus(uow), ear.bus(uow)
    await one.start()
    await other.start()
    await one.turn()
    await _happen(uow, "a", "b", others=2)
    await other.turn()
    await one.turn()
    assert ear.heard == ["before", "a", "b"]
    await _happen(uow, others=5)
    await one.turn()
    await _happen(uow, "c")
    await one.turn()
    heir = ear.bus(uow)
    await heir.start()
    await heir.turn()
    assert ear.heard == ["before", "a", "b", "c"]
    assert ear.calls == 3


async def test_more_events_than_are_read_at_once_are_heard_in_order(uow: UnitOfWork) -> None:
    codes = [f"alarm{number:03}" for number in range(450)]
    await _happen(uow, *codes)
    ear = _Ear()
    bus = ear.bus(uow)
    await bus.start()
    while await bus.turn():
        pass
    assert ear.heard == codes


async def test_a_listener_that_breaks_down_hears_the_same_again(uow: UnitOfWork) -> None:
    ear = _Ear(breaks=1)
    bus = ear.bus(uow)
    await bus.start()
    await _happen(uow, "a")
    await bus.turn()
    assert ear.heard == []
    await bus.turn()
    assert ear.heard == ["a"]


async def test_a_new_listener_may_begin_with_what_happens_now(uow: UnitOfWork) -> None:
    await _happen(uow, "long ago")
    ear = _Ear()
    bus = ear.bus(uow, begins_now=True)
    await bus.start()
    await _happen(uow, "now")
    await bus.turn()
    assert ear.heard == ["now"]


async def test_the_cursor_follows_although_nothing_is_wanted(uow: UnitOfWork) -> None:
    """The log is kept for the slowest listener; one that hears nothing must not hold it."""
    ear = _Ear()
    bus = ear.bus(uow)
    await bus.start()
    await _happen(uow, others=1001)
    await bus.turn()
    async with uow.read() as tx:
        newest = await tx.db.scalar(select(EventRow.id).order_by(EventRow.id.desc()).limit(1))
        stored = await tx.db.scalar(select(ListenerCursor.event_id))
    assert stored == newest
    assert ear.heard == []
