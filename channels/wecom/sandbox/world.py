"""The sandbox's company at work: state, time, ids, and who must hear of a change."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.callbacks import Callbacks, CallbackTiming, xml_document
from channels.wecom.sandbox.errors import ApiError, Refusal
from channels.wecom.sandbox.faults import Faults
from channels.wecom.sandbox.opening import opening_state
from channels.wecom.sandbox.seed import AppSeed, SandboxSeed
from channels.wecom.sandbox.state import (
    AppState,
    Customer,
    Entry,
    KfAccount,
    Member,
    State,
    Thread,
)
from channels.wecom.sandbox.watches import (
    Change,
    Watches,
    account_topic,
    app_topic,
    servicer_topic,
    thread_topic,
)

PULL_TOKEN_S = 600.0


@dataclass(slots=True)
class Settings:
    """is_strict_transitions: only what the platform's page writes down. 0 switches a limit off."""

    is_strict_transitions: bool = False
    empty_page_every: int = 20
    tokenless_pulls_per_minute: int = 0


@dataclass(slots=True)
class ApiCount:
    calls: int = 0
    errors: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    api: dict[str, ApiCount] = field(default_factory=dict)
    customer_messages: int = 0
    sent_messages: int = 0


class World:
    """One company. Everything runs on one event loop; methods never await."""

    def __init__(
        self, seed: SandboxSeed, clock: Callable[[], float], state: State | None = None
    ) -> None:
        self.seed = seed
        self.state = state or opening_state(seed, clock())
        self.clock = clock
        self.settings = Settings()
        self.counters = Counters()
        self.faults = Faults()
        self.watches = Watches()
        self.callbacks = Callbacks(seed.corp_id, self.faults, self.now, CallbackTiming())
        self.media_bytes: dict[str, bytes] = {}
        self.pull_tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.changes = 0

    def now(self) -> float:
        return self.clock() + self.state.offset_s

    def msgid(self) -> str:
        number = self.state.next_number
        self.state.next_number += 1
        return f"462241{number:013d}"

    def code(self, prefix: str) -> str:
        return f"{prefix}{secrets.token_urlsafe(24)}"

    # --- looking up ------------------------------------------------------------------------

    def account(self, open_kfid: str) -> KfAccount:
        """An account that exists and may be managed. Raises: ApiError 95000, 95004, 48007."""
        if not open_kfid.startswith("wk"):
            raise ApiError(95000, "invalid open_kfid")
        account = self.state.accounts.get(open_kfid)
        if account is None:
            raise ApiError(95004, "open_kfid not exist")
        if not account.is_managed:
            raise ApiError(48007, "kf account is not authorised to this app")
        return account

    def thread(self, account: KfAccount, external_userid: str) -> Thread:
        """The thread of a customer, made when first needed. Raises: ApiError 40096."""
        thread = account.threads.get(external_userid)
        if thread is None:
            if external_userid not in self.state.customers:
                raise ApiError(40096, "invalid external userid")
            thread = Thread(account.open_kfid, external_userid)
            account.threads[external_userid] = thread
        return thread

    def thread_by_key(self, key: str) -> Thread:
        open_kfid, external_userid = key.split("|", 1)
        return self.state.accounts[open_kfid].threads[external_userid]

    def customer(self, external_userid: str) -> Customer:
        customer = self.state.customers.get(external_userid)
        if customer is None:
            raise Refusal("not_found", "没有这位客户")
        return customer

    def member(self, userid: str) -> Member:
        member = self.state.members.get(userid)
        if member is None:
            raise Refusal("not_found", "没有这位成员")
        return member

    def app_seed(self, agent_id: int) -> AppSeed:
        for app in self.seed.apps:
            if app.agent_id == agent_id:
                return app
        raise ApiError(40056, "invalid agentid")

    def kf_app(self) -> AppState | None:
        """The app to which 微信客服 events go."""
        for app in self.seed.apps:
            if "kf" in app.grants:
                return self.state.apps[app.agent_id]
        return None

    # --- telling ---------------------------------------------------------------------------

    def log(self, account: KfAccount, item: Json) -> None:
        """Put an item where `sync_msg` finds it, and call back."""
        account.log.append(item, self.now())
        self.changes += 1
        self.call_back_kf(account)

    def log_event(self, account: KfAccount, event_type: str, fields: Json) -> None:
        event: Json = {"event_type": event_type, "open_kfid": account.open_kfid, **fields}
        item: Json = {
            "msgid": self.msgid(),
            "send_time": int(self.now()),
            "origin": 4,
            "msgtype": "event",
            "event": event,
        }
        self.log(account, item)

    def call_back_kf(self, account: KfAccount) -> None:
        app = self.kf_app()
        if app is None or app.url is None or not account.is_managed:
            return
        token = self.code("ENC")
        now = self.now()
        self._forget_pull_tokens(now)
        self.pull_tokens[token] = (account.open_kfid, now + PULL_TOKEN_S)
        document = xml_document(
            {
                "ToUserName": self.seed.corp_id,
                "CreateTime": int(now),
                "MsgType": "event",
                "Event": "kf_msg_or_event",
                "Token": token,
                "OpenKfId": account.open_kfid,
            }
        )
        self.callbacks.send(app, document)

    def show_entry(self, thread: Thread, entry: Entry) -> None:
        """An entry of a thread is new or changed."""
        self._publish_thread(thread, seq=entry.seq, is_session=False)

    def show_session(self, thread: Thread) -> None:
        """State, servicer or the like of a thread changed."""
        self._publish_thread(thread, seq=0, is_session=True)

    def show_servicer(self, userid: str) -> None:
        self.changes += 1
        self.watches.publish(Change(servicer_topic(userid), is_session=True))

    def show_app(self, userid: str, entry: Entry | None) -> None:
        self.changes += 1
        self.watches.publish(Change(app_topic(userid), seq=entry.seq if entry else 0))

    def _publish_thread(self, thread: Thread, *, seq: int, is_session: bool) -> None:
        self.changes += 1
        for topic in (thread_topic(thread.key), account_topic(thread.open_kfid)):
            self.watches.publish(Change(topic, thread.key, seq, is_session))

    def _forget_pull_tokens(self, now: float) -> None:
        while self.pull_tokens:
            token, (_, expires_at) = next(iter(self.pull_tokens.items()))
            if expires_at >= now:
                return
            del self.pull_tokens[token]
