"""Frozen views: what leaves the core. Events carry them, the API answers with them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.content import Content


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionState(StrEnum):
    """Named after WeCom's service_state 0…4, equal to it only in NATIVE mode."""

    NEW = "new"
    BOT = "bot"
    QUEUED = "queued"
    SERVING = "serving"
    CLOSED = "closed"


class ServiceMode(StrEnum):
    """CONSOLE: people answer from our desk. NATIVE: they answer in the platform's client."""

    CONSOLE = "console"
    NATIVE = "native"


class Presence(StrEnum):
    ONLINE = "online"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


class Role(StrEnum):
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    SERVICER = "servicer"


class Sender(StrEnum):
    CUSTOMER = "customer"
    BOT = "bot"
    SERVICER = "servicer"
    SYSTEM = "system"


class Delivery(StrEnum):
    """received: from the customer. held: waits until the customer writes. failed: given up."""

    RECEIVED = "received"
    PENDING = "pending"
    SENT = "sent"
    HELD = "held"
    FAILED = "failed"


class ReplyWindowView(View):
    """What may still be sent. left: messages; until: moment; None where there is no limit.

    warn_left, warn_at: with so few left, or from then on, whoever serves is warned.
    """

    left: int | None
    until: datetime | None
    warn_left: int = 0
    warn_at: datetime | None = None


class AccountView(View):
    id: str
    channel: str
    account: str
    name: str
    mode: ServiceMode
    team_id: str | None = None
    is_active: bool
    is_manageable: bool
    version: int = 1


class CustomerView(View):
    id: str
    name: str
    avatar_url: str = ""
    is_temporary: bool = True
    institution_id: str | None = None
    institution_name: str = ""
    phone_masked: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    created_at: datetime
    version: int = 1


class ServicerView(View):
    id: str
    user_id: str
    name: str
    wecom_userid: str | None
    presence: Presence
    capacity: int
    open_sessions: int
    #: Offline, and their sessions wait for them until then.
    keeps_until: datetime | None = None
    version: int = 1


class MessageView(View):
    """One line of the transcript. seq: order within everything, for paging and resume.

    joined_to: the message of ours with which this line goes to the customer, as one.
    """

    id: str
    seq: int
    conversation_id: str
    session_id: str | None
    sender: Sender
    servicer_id: str | None
    servicer_name: str = ""
    content: Content
    sent_at: datetime
    delivery: Delivery
    failure: str = ""
    recalled_at: datetime | None = None
    client_id: str | None = None
    source: dict[str, str] = {}
    joined_to: str | None = None


class NoteView(View):
    """Said among colleagues; never reaches a customer."""

    id: str
    conversation_id: str
    session_id: str | None
    author_id: str
    author_name: str
    text: str
    created_at: datetime


class SessionView(View):
    """One episode of service, with all that a list row of the desk shows."""

    id: str
    conversation_id: str
    account_id: str
    account_name: str
    customer_id: str
    customer_name: str
    customer_avatar_url: str = ""
    institution_name: str = ""
    state: SessionState
    mode: ServiceMode
    servicer_id: str | None
    servicer_name: str = ""
    team_id: str | None = None
    opened_at: datetime
    queued_at: datetime | None
    assigned_at: datetime | None
    first_response_at: datetime | None
    closed_at: datetime | None
    close_reason: str = ""
    waiting_since: datetime | None
    last_customer_text: str = ""
    last_message_at: datetime | None = None
    topic: str = ""
    handoff_reason: str = ""
    assigned_because: str = ""
    window: ReplyWindowView
    rating_score: int | None = None
    summary: str = ""
    category_id: str | None = None
    category_name: str = ""
    tags: tuple[str, ...] = ()
    version: int


class RatingView(View):
    id: str
    session_id: str
    customer_id: str
    servicer_id: str | None
    score: int | None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    requested_at: datetime
    rated_at: datetime | None


class AttachmentView(View):
    id: str
    name: str
    mime: str
    size: int
    kind: Literal["image", "voice", "video", "file"]
    created_at: datetime


class TicketState(StrEnum):
    """Transitions, roles and whether the SLA clock runs: `core.tickets.states`."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    SUSPENDED = "suspended"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Party(StrEnum):
    """In which capacity somebody acts on a ticket."""

    CUSTOMER = "customer"
    SERVICER = "servicer"
    SUPERVISOR = "supervisor"
    SYSTEM = "system"


TicketSource = Literal["session", "console", "h5", "bot", "api", "wecom", "after_hours"]
FieldValue = str | int | float | bool | None


class TicketView(View):
    """due_at: nearest running SLA deadline. is_breached: a promise was broken."""

    id: str
    number: str
    title: str
    description: str
    state: TicketState
    priority: Priority
    source: TicketSource
    category_id: str | None
    category_name: str = ""
    customer_id: str
    customer_name: str = ""
    institution_id: str | None
    institution_name: str = ""
    team_id: str | None
    team_name: str = ""
    servicer_id: str | None
    servicer_name: str = ""
    assigned_because: str = ""
    session_id: str | None
    fields: dict[str, FieldValue] = {}
    tags: tuple[str, ...] = ()
    created_at: datetime
    created_by: str
    updated_at: datetime
    accepted_at: datetime | None
    first_response_at: datetime | None
    first_resolved_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    is_breached: bool
    escalation_level: int
    nudges: int
    nudged_at: datetime | None
    reopens: int
    merged_into_id: str | None
    rating_score: int | None
    version: int


class TicketEntryView(View):
    """One line of a ticket's history. is_public: the customer sees it."""

    id: int
    ticket_id: str
    kind: str
    at: datetime
    party: Party
    author_id: str
    author_name: str
    is_public: bool
    text: str = ""
    facts: dict[str, str] = {}
    attachment_ids: tuple[str, ...] = ()
    #: By attachment id; filled in lists.
    attachment_names: dict[str, str] = {}


class FollowUpView(View):
    """What somebody promised to do about a ticket, and when."""

    id: str
    ticket_id: str
    servicer_id: str
    servicer_name: str = ""
    due_at: datetime
    text: str
    done_at: datetime | None
    result: str = ""
