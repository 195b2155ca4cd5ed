"""What happens to sessions, told in the app to those whom it concerns.

A reliable listener: the messages are owed in the transaction that moves its cursor. It looks at
how things stand now, not at how they stood when the event was made, so that being late or being
new in an old installation announces nothing that is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from bot.desk import alarms, arrivals, relayed, tickets
from bot.desk.news import News
from core.bus import Listener, Logged
from core.db import Tx
from core.desk.queries import served
from core.errors import NotFound
from core.events import (
    AlarmRaised,
    Event,
    FollowUpDue,
    MediaStored,
    MessageAdded,
    MessageDeliveryChanged,
    MessageRecalled,
    NoteAdded,
    RatingExplained,
    RatingGiven,
    SessionAssigned,
    SessionClosed,
    SessionHandedOff,
    SessionRequeued,
    SlaBreached,
    SlaWarned,
    TicketAssigned,
    TicketEntryAdded,
    TicketEscalated,
    TicketMoved,
    TicketNudged,
    TicketUpdated,
    WindowChanged,
    types_of,
)

_HANDLERS: Final[dict[type[Any], Callable[[News, Any], Awaitable[None]]]] = {
    SessionHandedOff: arrivals.handed_off,
    SessionRequeued: arrivals.requeued,
    SessionAssigned: arrivals.assigned,
    SessionClosed: arrivals.closed,
    MessageAdded: relayed.message_added,
    MediaStored: relayed.media_stored,
    MessageRecalled: relayed.recalled,
    MessageDeliveryChanged: relayed.delivery_changed,
    NoteAdded: relayed.note_added,
    WindowChanged: relayed.window_changed,
    RatingGiven: relayed.rated,
    RatingExplained: relayed.explained,
    TicketAssigned: tickets.assigned,
    TicketMoved: tickets.moved,
    TicketNudged: tickets.nudged,
    TicketEscalated: tickets.escalated,
    TicketEntryAdded: tickets.spoken,
    TicketUpdated: tickets.updated,
    SlaWarned: tickets.warned,
    SlaBreached: tickets.breached,
    FollowUpDue: tickets.follow_up_due,
    AlarmRaised: alarms.raised,
}


def announcer(account: str) -> Listener:
    """account: the app's agent id."""
    return Listener("wecom_desk", _Announcer(account).hear, types_of(*_HANDLERS), begins_now=True)


class _Announcer:
    def __init__(self, account: str) -> None:
        self._account = account

    async def hear(self, tx: Tx, batch: Sequence[Logged]) -> None:
        """The listener's handler."""
        events = [one.event for one in batch]
        session_ids = {found for event in events if (found := _session_of(event))}
        coming = {one.session.id for one in events if isinstance(one, SessionAssigned)}
        news = News(tx, self._account, await served(tx, session_ids), coming)
        for event in events:
            try:
                await _HANDLERS[type(event)](news, event)
            except NotFound:
                continue  # erased meanwhile: there is nothing to tell
        await tickets.deal(news)


def _session_of(event: Event) -> str | None:
    match event:
        case SessionAssigned():
            return event.session.id
        case MessageAdded() | MediaStored():
            return event.message.session_id
        case NoteAdded():
            return event.note.session_id
        case MessageRecalled() | MessageDeliveryChanged() | WindowChanged():
            return event.session_id
        case _:
            return None
