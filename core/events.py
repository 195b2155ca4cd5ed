"""Every domain event, on one page. Frozen, past tense, values and no rows.

`visible_to` says who may see an event; it is decided here, not where events are sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.views import (
    CustomerView,
    Delivery,
    FollowUpView,
    MessageView,
    NoteView,
    Party,
    RatingView,
    ReplyWindowView,
    ServicerView,
    SessionState,
    SessionView,
    TicketEntryView,
    TicketState,
    TicketView,
)


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionOpened(_Event):
    """A customer spoke (or entered) and an episode of service began."""

    type: Literal["session.opened"] = "session.opened"
    session: SessionView


class SessionHandedOff(_Event):
    """Bot → people: the session is in the queue. `position` counts from 1."""

    type: Literal["session.handed_off"] = "session.handed_off"
    session: SessionView
    position: int
    promised_wait_s: int | None


class SessionAssigned(_Event):
    """A person has it. how: assigned (by the system), claimed, transferred, native, takeover."""

    type: Literal["session.assigned"] = "session.assigned"
    session: SessionView
    how: Literal["assigned", "claimed", "transferred", "native", "takeover"]
    previous_servicer_id: str | None = None
    by: str | None = None


class SessionRequeued(_Event):
    """A person gave it back, or lost it; it waits again."""

    type: Literal["session.requeued"] = "session.requeued"
    session: SessionView
    previous_servicer_id: str | None
    reason: str


class SessionClosed(_Event):
    type: Literal["session.closed"] = "session.closed"
    session: SessionView
    reason: str
    previous_state: SessionState


class SessionUpdated(_Event):
    """Facts beside the state changed (topic, summary, tags, waiting)."""

    type: Literal["session.updated"] = "session.updated"
    session: SessionView


class MessageAdded(_Event):
    """A line of the transcript, from anyone."""

    type: Literal["message.added"] = "message.added"
    message: MessageView


class MessageDeliveryChanged(_Event):
    type: Literal["message.delivery_changed"] = "message.delivery_changed"
    message_id: str
    conversation_id: str
    session_id: str | None
    delivery: Delivery
    failure: str = ""
    joined_to: str | None = None


class MessageRecalled(_Event):
    type: Literal["message.recalled"] = "message.recalled"
    message_id: str
    conversation_id: str
    session_id: str | None
    recalled_at: datetime


class MediaStored(_Event):
    """The file of a message was fetched: the message now carries an attachment id."""

    type: Literal["message.media_stored"] = "message.media_stored"
    message: MessageView


class WindowChanged(_Event):
    """What may still be sent to the customer changed."""

    type: Literal["window.changed"] = "window.changed"
    conversation_id: str
    session_id: str | None
    window: ReplyWindowView


class NoteAdded(_Event):
    type: Literal["note.added"] = "note.added"
    note: NoteView


class RatingRequested(_Event):
    type: Literal["rating.requested"] = "rating.requested"
    rating: RatingView


class RatingGiven(_Event):
    type: Literal["rating.given"] = "rating.given"
    rating: RatingView


class RatingExplained(_Event):
    """The customer said why: a reason, or a comment in their own words."""

    type: Literal["rating.explained"] = "rating.explained"
    rating: RatingView


class ServicerChanged(_Event):
    """Presence, capacity, load or name."""

    type: Literal["servicer.changed"] = "servicer.changed"
    servicer: ServicerView


class CustomerChanged(_Event):
    type: Literal["customer.changed"] = "customer.changed"
    customer: CustomerView


class ArticleChanged(_Event):
    """Answers changed: every process refreshes its index. is_live False: out of the index."""

    type: Literal["article.changed"] = "article.changed"
    article_id: str
    is_live: bool


class QuestionDecided(_Event):
    """The bot decided on a question: answer, menu, handoff or a gate; kept for replay."""

    type: Literal["question.decided"] = "question.decided"
    decision_id: str
    session_id: str | None
    band: str
    article_id: str | None
    confidence: float


class AlarmRaised(_Event):
    """People must look: a dead letter, a red line, a broken channel; worded at the edge."""

    type: Literal["alarm.raised"] = "alarm.raised"
    code: str
    session_id: str | None = None
    facts: dict[str, str] = {}


class TicketOpened(_Event):
    type: Literal["ticket.opened"] = "ticket.opened"
    ticket: TicketView


class TicketMoved(_Event):
    """Along its state table. action: a member of core.tickets.states.Action."""

    type: Literal["ticket.moved"] = "ticket.moved"
    ticket: TicketView
    action: str
    before: TicketState
    party: Party
    by: str
    text: str = ""


class TicketAssigned(_Event):
    """A team or person has it. how: assigned (by the system), manual, claimed, transferred."""

    type: Literal["ticket.assigned"] = "ticket.assigned"
    ticket: TicketView
    how: Literal["assigned", "manual", "claimed", "transferred"]
    previous_servicer_id: str | None
    previous_team_id: str | None
    by: str
    note: str = ""


class TicketUpdated(_Event):
    """Something beside state and assignee changed; `changed` names the fields."""

    type: Literal["ticket.updated"] = "ticket.updated"
    ticket: TicketView
    changed: tuple[str, ...]
    by: str


class TicketEntryAdded(_Event):
    """A note (internal) or a reply (public), from anyone."""

    type: Literal["ticket.entry_added"] = "ticket.entry_added"
    ticket: TicketView
    entry: TicketEntryView


class TicketNudged(_Event):
    """催单: somebody asked to hurry. has_effect: priority was raised (at most once an hour)."""

    type: Literal["ticket.nudged"] = "ticket.nudged"
    ticket: TicketView
    party: Party
    has_effect: bool


class TicketEscalated(_Event):
    """to: servicer, leader or supervisor; `recipients` are the servicers concerned."""

    type: Literal["ticket.escalated"] = "ticket.escalated"
    ticket: TicketView
    level: int
    to: Literal["servicer", "leader", "supervisor"]
    recipients: tuple[str, ...]
    reason: str


class SlaWarned(_Event):
    """A promise is about to be broken at `due_at`."""

    type: Literal["sla.warned"] = "sla.warned"
    ticket: TicketView
    measure: str
    due_at: datetime


class SlaBreached(_Event):
    """A promise was broken at `breached_at`, whenever it was noticed."""

    type: Literal["sla.breached"] = "sla.breached"
    ticket: TicketView
    measure: str
    breached_at: datetime


class FollowUpDue(_Event):
    type: Literal["follow_up.due"] = "follow_up.due"
    ticket: TicketView
    follow_up: FollowUpView


class SettingChanged(_Event):
    type: Literal["setting.changed"] = "setting.changed"
    key: str
    by: str


class AuditRecorded(_Event):
    """An administrative act, or a look at personal data."""

    type: Literal["audit.recorded"] = "audit.recorded"
    actor: str
    action: str
    target: str
    facts: dict[str, str] = {}


Event = Annotated[
    SessionOpened
    | SessionHandedOff
    | SessionAssigned
    | SessionRequeued
    | SessionClosed
    | SessionUpdated
    | MessageAdded
    | MessageDeliveryChanged
    | MessageRecalled
    | MediaStored
    | WindowChanged
    | NoteAdded
    | RatingRequested
    | RatingGiven
    | RatingExplained
    | ServicerChanged
    | CustomerChanged
    | ArticleChanged
    | QuestionDecided
    | AlarmRaised
    | TicketOpened
    | TicketMoved
    | TicketAssigned
    | TicketUpdated
    | TicketEntryAdded
    | TicketNudged
    | TicketEscalated
    | SlaWarned
    | SlaBreached
    | FollowUpDue
    | SettingChanged
    | AuditRecorded,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def types_of(*kinds: type[_Event]) -> frozenset[str]:
    """What the events of these classes call themselves in the log."""
    return frozenset(kind.model_fields["type"].default for kind in kinds)


#: Who receives an event on the console's socket. "desk": everyone who serves or supervises.
Audience = Literal["desk", "supervisors", "nobody"]

_AUDIENCES: dict[str, Audience] = {
    "audit.recorded": "nobody",
    "setting.changed": "supervisors",
}


def visible_to(event: Event) -> Audience:
    return _AUDIENCES.get(event.type, "desk")
