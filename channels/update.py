"""What a platform can tell us, as frozen models: the only thing the bot knows of a channel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.content import Address, Content
from core.ports import InboxItem


class _Update(BaseModel):
    """`update_id` is unique per channel account (the platform's msgid); `occurred_at` is UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    update_id: str
    address: Address
    occurred_at: datetime


class MessageReceived(_Update):
    """Somebody wrote. `sender` is "servicer" when a person answered in the platform's client."""

    type: Literal["message_received"] = "message_received"
    message_id: str
    content: Content
    sender: Literal["customer", "servicer"] = "customer"
    servicer_ref: str | None = None


class MenuChosen(_Update):
    """The customer clicked a menu line: an ordinary message whose meaning we know."""

    type: Literal["menu_chosen"] = "menu_chosen"
    message_id: str
    menu_id: str
    text: str


class SessionEntered(_Update):
    """The customer opened the chat through a link; `welcome_code` dies at `code_expires_at`."""

    type: Literal["session_entered"] = "session_entered"
    scene: str = ""
    scene_param: str = ""
    welcome_code: str | None = None
    code_expires_at: datetime | None = None
    origin: str = ""


class MessageRecalled(_Update):
    type: Literal["message_recalled"] = "message_recalled"
    message_id: str
    by: Literal["customer", "servicer"] = "customer"
    servicer_ref: str | None = None


class DeliveryFailed(_Update):
    """A message that the platform had accepted did not arrive. `reason` is a word of ours."""

    type: Literal["delivery_failed"] = "delivery_failed"
    message_id: str
    reason: str
    vendor_code: str = ""


class HandoverChanged(_Update):
    """A person changed the session in the platform's own client."""

    type: Literal["handover_changed"] = "handover_changed"
    change: Literal["accepted", "transferred", "ended", "reopened"]
    old_servicer_ref: str | None = None
    new_servicer_ref: str | None = None
    reply_code: str | None = None
    code_expires_at: datetime | None = None


class ServicerStatusChanged(_Update):
    """A servicer began or stopped taking sessions; `address.user` is their platform id."""

    type: Literal["servicer_status_changed"] = "servicer_status_changed"
    servicer_ref: str
    is_accepting: bool
    is_suspended: bool = False


class CustomerMuted(_Update):
    """A servicer switched a customer's messages off or on again (拒收客户消息)."""

    type: Literal["customer_muted"] = "customer_muted"
    servicer_ref: str
    is_muted: bool


class CardPressed(_Update):
    """A servicer pressed a button of a card in the platform's app.

    response_code: single-use code with which the card may be changed.
    """

    type: Literal["card_pressed"] = "card_pressed"
    task_id: str
    button: str
    response_code: str = ""
    selected: dict[str, str] = Field(default_factory=dict)


class AppMenuPressed(_Update):
    """A servicer pressed a line of the app's own menu, or opened the app (key "enter")."""

    type: Literal["app_menu_pressed"] = "app_menu_pressed"
    key: str


class AccountsChanged(_Update):
    """Accounts were added to or taken from those that we may manage."""

    type: Literal["accounts_changed"] = "accounts_changed"
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class UnknownEvent(_Update):
    """An event that we keep and do not understand. `raw`: the platform's JSON, cut to 4 KB."""

    type: Literal["unknown_event"] = "unknown_event"
    kind: str
    raw: str = ""


Update = Annotated[
    MessageReceived
    | MenuChosen
    | SessionEntered
    | MessageRecalled
    | DeliveryFailed
    | HandoverChanged
    | ServicerStatusChanged
    | CustomerMuted
    | CardPressed
    | AppMenuPressed
    | AccountsChanged
    | UnknownEvent,
    Field(discriminator="type"),
]

UPDATE: TypeAdapter[Update] = TypeAdapter(Update)


def to_inbox(update: Update) -> InboxItem:
    """The update as the inbox stores it."""
    address = update.address
    return InboxItem(
        dedupe_key=f"{address.channel}|{address.account}|{update.update_id}",
        address=address,
        payload=update.model_dump_json(),
        occurred_at=update.occurred_at,
    )


def from_inbox(payload: str) -> Update:
    return UPDATE.validate_json(payload)
