"""What lies outside the core, as Protocols. A leaf module: only `core.content` is imported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from core.content import Address, Content

#: True while a write transaction is open in this task: no network and no model then.
in_write_block: ContextVar[bool] = ContextVar("in_write_block", default=False)


class WriteBlockError(RuntimeError):
    """Slow work (network, model) was started inside a write transaction."""


def refuse_inside_write_block(what: str) -> None:
    """Raise when called while a write transaction is open. Cheap; always on."""
    if in_write_block.get():
        raise WriteBlockError(f"{what} must not run inside a write transaction")


# --- inbound -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One update as the inbox stores it.

    dedupe_key: unique for ever per update (channel, account, msgid), ≤ 200 chars.
    payload: the Update as JSON text.
    """

    dedupe_key: str
    address: Address
    payload: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class CursorMove:
    """A cursor to be saved in the very transaction that stores the items."""

    name: str
    value: str


class Intake(Protocol):
    """Where adapters put what they received. Returns when it is durable."""

    async def accept(self, items: Sequence[InboxItem], *, cursor: CursorMove | None = None) -> int:
        """Store items once each; known dedupe keys are skipped. Returns how many were new."""
        ...

    async def cursor(self, name: str) -> str | None:
        """The cursor last saved with `accept`."""
        ...


# --- outbound ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message to hand to a platform.

    message_id: our own id, ≤ 32 chars of [0-9a-zA-Z_-], the platform's idempotency key.
    event_code: a single-use code (welcome, queue, end) to send with instead of a plain send.
    code_expires_at: after it the code is not tried; the message goes the ordinary way.
    is_markdown: a text is Markdown; channels that cannot show it send it as it stands.
    also: further messages of ours whose lines were joined into this one, in order.
    """

    address: Address
    message_id: str
    content: Content
    event_code: str | None = None
    code_expires_at: datetime | None = None
    is_markdown: bool = False
    also: tuple[str, ...] = ()


NativeState = Literal["assistant", "queued", "servicer", "ended"]


@dataclass(frozen=True, slots=True)
class HandoverCommand:
    """Move the platform's own session state (微信客服 service_state).

    servicer_ref: the platform's user id; required for "servicer".
    farewell: sent with the code that the change returns (rating menu on "ended").
    may_say_plainly: has the reply window room for it as an ordinary message, where the platform
    gives no code or refuses it?
    """

    address: Address
    command_id: str
    to: NativeState
    servicer_ref: str | None = None
    farewell: Content | None = None
    may_say_plainly: bool = True


@dataclass(frozen=True, slots=True)
class RecallCommand:
    """Withdraw a message that was sent before."""

    address: Address
    command_id: str
    message_id: str
    vendor_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class CardButton:
    """A button of a card; `id` comes back in CardPressed."""

    id: str
    label: str
    style: Literal["primary", "plain", "danger"] = "plain"


@dataclass(frozen=True, slots=True)
class CardMessage:
    """A card for servicers in the platform's own app.

    address: its `user` may be several, joined by "|": they can then be updated together.
    task_id: comes back in CardPressed; unique per card, ≤ 128 of [0-9A-Za-z_@-].
    lines: (name, value), at most 6 are shown. buttons: at most 6. url: what the card opens.
    """

    address: Address
    message_id: str
    task_id: str
    title: str
    subtitle: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    buttons: tuple[CardButton, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """Close a card for `user_refs` ("已由张三接待"); `response_code` works once, for 72 hours."""

    address: Address
    command_id: str
    response_code: str
    label: str
    user_refs: tuple[str, ...]


OutboundItem = OutboundMessage | HandoverCommand | RecallCommand | CardMessage | CardUpdate


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said: its id, and facts.

    parts: how many messages it took. by: "code" when one of them went by an event code.
    farewell: "sent" or "refused".
    """

    vendor_id: str | None = None
    facts: dict[str, str] = field(default_factory=dict)


class MessageSender(Protocol):
    """The adapters, seen from the outbox. Raises channels.errors.ChannelError subclasses.

    `core` cannot name those; it reads `.kind` ("retry", "rejected", "window_closed",
    "bad_credentials"), `.retry_after_s` and `.vendor_code`, declared by `SendFailure` below.
    """

    async def send(self, item: OutboundItem) -> Receipt: ...


FailureKind = Literal["retry", "rejected", "window_closed", "wrong_state", "bad_credentials"]


class SendFailure(Exception):
    """A platform did not take what we sent. Adapters raise subclasses of this.

    kind: retry (try again after `retry_after_s`), rejected (never will), window_closed (may when
    the customer writes again), wrong_state (the platform's client owns the session),
    bad_credentials (people must act).
    """

    kind: FailureKind = "rejected"

    def __init__(
        self, reason: str, *, vendor_code: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.vendor_code = vendor_code
        self.retry_after_s = retry_after_s


# --- the OA --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OaPage:
    """Changes in the OA's order. items: records, each with its `type`. cursor: for the next."""

    items: Sequence[Mapping[str, object]]
    cursor: str
    has_more: bool


class OaSource(Protocol):
    """Where the OA's changes are fetched from. Raises SendFailure subclasses."""

    async def changes(self, cursor: str) -> OaPage: ...


# --- files -------------------------------------------------------------------------------------


class Files(Protocol):
    """Stored attachments, for adapters that up- and download media."""

    async def read(self, attachment_id: str) -> bytes: ...

    async def store(self, data: bytes, *, name: str) -> str:
        """Check and keep a file; returns the attachment id (same bytes, same id).

        Raises a domain error when content, size or name are refused.
        """
        ...


# --- small shared services, one process or many -------------------------------------------------


class KeyValue(Protocol):
    """A small cache shared by processes (tokens, media ids). Never the only copy of anything."""

    async def get(self, key: str) -> str | None: ...
    async def set(self, key: str, value: str, *, ttl_s: float | None = None) -> None: ...
    async def delete(self, key: str) -> None: ...

    async def add(self, key: str, *, ttl_s: float) -> bool:
        """Remember a key that nobody else knows: False when it was there already."""
        ...


class KeyedLock(Protocol):
    """Mutual exclusion by name across processes; leases expire, so work must stay idempotent."""

    def hold(self, name: str, *, ttl_s: float = 30) -> AbstractAsyncContextManager[None]: ...


class WakeUp(Protocol):
    """Tells sleepers that there is work. May be lost; every sleeper also polls."""

    async def notify(self, topic: str, payload: str = "") -> None: ...

    def listen(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Payloads sent to `topic` from entering on."""
        ...


class RateLimiter(Protocol):
    """Counts events in a sliding window, shared by processes."""

    async def allow(self, key: str, *, limit: int, window_s: float) -> bool: ...
