"""The words spoken on `/api/v1/ws`.

client → hello, pong, typing, presence; server → ready, event, ping. Exported into OpenAPI.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.events import Event
from core.views import Presence

SUBPROTOCOL: Final = "wenqu"
TOKEN_PREFIX: Final = "bearer."  # noqa: S105 - the word before a token
PING_EVERY_S: Final = 20.0
SILENT_FOR_S: Final = 60.0
HELLO_WITHIN_S: Final = 10.0
MAX_MESSAGE_BYTES: Final = 16 * 1024

#: Close codes: the token is no longer good · too slow, resume · going away, resume.
CLOSE_UNAUTHENTICATED: Final = 4401
CLOSE_PROTOCOL: Final = 4400
CLOSE_SLOW: Final = 4408
CLOSE_GOING_AWAY: Final = 1001


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Hello(_Frozen):
    """last_event_id: the newest event that the client has applied; null for a new client."""

    op: Literal["hello"] = "hello"
    last_event_id: int | None = Field(None, ge=0, le=2**63 - 1)


class Pong(_Frozen):
    op: Literal["pong"] = "pong"


class Typing(_Frozen):
    op: Literal["typing"] = "typing"
    session_id: str = Field(max_length=32)


class SetPresence(_Frozen):
    op: Literal["presence"] = "presence"
    presence: Presence


class Ready(_Frozen):
    """Events after `event_id` follow. resumed false: fetch the lists again."""

    op: Literal["ready"] = "ready"
    event_id: int
    resumed: bool


class EventMessage(_Frozen):
    op: Literal["event"] = "event"
    id: int
    event: Event


class Ping(_Frozen):
    op: Literal["ping"] = "ping"


class Refused(_Frozen):
    """An operation of the client was refused; the socket lives."""

    op: Literal["refused"] = "refused"
    code: str


ClientMessage = Annotated[Hello | Pong | Typing | SetPresence, Field(discriminator="op")]
ServerMessage = Annotated[Ready | EventMessage | Ping | Refused, Field(discriminator="op")]
CLIENT: Final[TypeAdapter[ClientMessage]] = TypeAdapter(ClientMessage)
