"""Everything that a sandbox remembers. Plain data, so that it can be stored as one document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from channels.wecom.sandbox.body import Json

DAY_S = 86_400.0
WINDOW_S = 2 * DAY_S
KEPT_S = 3 * DAY_S
RECALL_S = 120.0
NEW, ASSISTANT, QUEUED, SERVING, ENDED = range(5)


@dataclass(slots=True)
class Entry:
    """One line of a chat. side: customer, account, servicer; app, member in chats with the app."""

    seq: int
    msgid: str
    at: float
    side: str
    msgtype: str
    body: Json
    servicer: str | None = None
    is_recalled: bool = False
    is_rejected: bool = False
    fail_type: int | None = None


@dataclass(slots=True)
class Chat:
    """Entries in order; `seq` is the position, counted from 1."""

    entries: list[Entry] = field(default_factory=list)
    seq_of: dict[str, int] = field(default_factory=dict)

    def add(self, entry: Entry) -> Entry:
        entry.seq = len(self.entries) + 1
        self.entries.append(entry)
        self.seq_of[entry.msgid] = entry.seq
        return entry

    def find(self, msgid: str) -> Entry | None:
        seq = self.seq_of.get(msgid)
        return self.entries[seq - 1] if seq else None

    def at(self, seq: int) -> Entry | None:
        return self.entries[seq - 1] if 1 <= seq <= len(self.entries) else None


@dataclass(slots=True)
class Thread:
    """One customer on one account.

    started_at: when the session in progress began. sent_since: API messages since the customer's
    last one. coded: states for which this session has given a code. served_by: in order.
    """

    open_kfid: str
    external_userid: str
    chat: Chat = field(default_factory=Chat)
    state: int = ENDED
    servicer: str | None = None
    started_at: float | None = None
    last_customer_at: float | None = None
    welcomed_at: float | None = None
    sent_since: int = 0
    coded: set[int] = field(default_factory=set)
    served_by: list[str] = field(default_factory=list)
    muted_by: str | None = None
    is_refusing: bool = False

    @property
    def key(self) -> str:
        return f"{self.open_kfid}|{self.external_userid}"


@dataclass(slots=True)
class Log:
    """What `sync_msg` hands out for one account. Positions only grow; old items fall off."""

    positions: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    items: list[Json] = field(default_factory=list)
    next_position: int = 1

    def append(self, item: Json, at: float) -> None:
        self.positions.append(self.next_position)
        self.times.append(at)
        self.items.append(item)
        self.next_position += 1

    def index_after(self, position: int) -> int:
        return bisect_right(self.positions, position)

    def drop_before(self, at: float) -> None:
        """Forget what is older. Done in large steps, so that it costs nothing per call."""
        old = bisect_left(self.times, at)
        if old >= 1000 or (old and old == len(self.times)):
            del self.positions[:old], self.times[:old], self.items[:old]

    def first_since(self, at: float) -> int:
        return bisect_left(self.times, at)


@dataclass(slots=True)
class DayFigures:
    """What happened on one account (or with one servicer of it) on one day."""

    sessions: int = 0
    customers: set[str] = field(default_factory=set)
    customer_messages: int = 0
    replies: int = 0
    rejected: set[str] = field(default_factory=set)


@dataclass(slots=True)
class KfAccount:
    """A 微信客服 account. servicers: userid → accepting, stopped or suspended."""

    open_kfid: str
    name: str
    avatar: str
    is_managed: bool = True
    servicers: dict[str, str] = field(default_factory=dict)
    departments: list[int] = field(default_factory=list)
    threads: dict[str, Thread] = field(default_factory=dict)
    pool: dict[str, float] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    owner_of_msgid: dict[str, str] = field(default_factory=dict)
    figures: dict[str, DayFigures] = field(default_factory=dict)


@dataclass(slots=True)
class Customer:
    external_userid: str
    name: str
    organisation: str = ""
    gender: int = 0
    unionid: str = ""
    active_at: float | None = None
    context: Json | None = None


@dataclass(slots=True)
class Member:
    """A person of the company. threads: keys of the threads that they ever served, in order."""

    userid: str
    name: str
    position: str
    departments: list[int]
    is_active: bool = True
    is_visible: bool = True
    app_chats: dict[int, Chat] = field(default_factory=dict)
    threads: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class AppState:
    """What can change about an app. url: None switches its callbacks off."""

    agent_id: int
    url: str | None
    token: str
    aes_key: str
    menu: Json | None = None
    task_ids: set[str] = field(default_factory=set)
    receivers: dict[str, list[str]] = field(default_factory=dict)
    sent_at: dict[str, float] = field(default_factory=dict)
    duplicates: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class MediaInfo:
    media_id: str
    kind: str
    name: str
    mime: str
    size: int
    created_at: float


@dataclass(slots=True)
class EventCode:
    """A single-use code. kind: welcome, queued, accepted, ended."""

    kind: str
    thread: str
    expires_at: float


@dataclass(slots=True)
class CardCode:
    """A single-use right to change one card."""

    agent_id: int
    msgid: str
    expires_at: float


@dataclass(slots=True)
class Link:
    """A way in, made by `kf/add_contact_way`."""

    open_kfid: str
    scene: str
    url: str


@dataclass(slots=True)
class State:
    accounts: dict[str, KfAccount] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    apps: dict[int, AppState] = field(default_factory=dict)
    media: dict[str, MediaInfo] = field(default_factory=dict)
    event_codes: dict[str, EventCode] = field(default_factory=dict)
    card_codes: dict[str, CardCode] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    oauth_codes: dict[str, tuple[str, float]] = field(default_factory=dict)
    next_number: int = 1
    offset_s: float = 0.0
