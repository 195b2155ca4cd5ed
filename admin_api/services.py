"""What the API is given: everything it needs, and no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from admin_api.config import ApiConfig
from admin_api.socket.hub import SocketHub
from admin_api.tokens import Tokens
from core.attachments.service import AttachmentStore
from core.db import UnitOfWork
from core.diagnosis import Diagnosis
from core.ports import KeyValue, RateLimiter
from core.registration.sms import NoSms, SmsSender
from core.sealing import KeyRing
from core.settings.live import LiveSettings
from core.views import AccountView
from knowledge.answerer import Answerer
from knowledge.drafting import Writer

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
#: (account, scene, scene_param) → a link that opens a conversation, None when it has none.
Links = Callable[[AccountView, str, str], Awaitable[str | None]]

#: Examines the whole installation; may take half a minute.
Diagnose = Callable[[], Awaitable[Diagnosis]]


async def _nothing_else() -> Mapping[str, bool]:
    return {}


@dataclass(frozen=True, slots=True)
class Services:
    """One per process, built by `bot.app`.

    readiness: further checks for /readyz by name. channels: names, for /system.
    writer: the optional model that words drafts. has_oa: whether the OA's changes are fetched.
    """

    uow: UnitOfWork
    settings: LiveSettings
    files: AttachmentStore
    limiter: RateLimiter
    cache: KeyValue
    keyring: KeyRing
    hub: SocketHub
    config: ApiConfig = field(default_factory=ApiConfig)
    readiness: Readiness = _nothing_else
    channels: tuple[str, ...] = ()
    knowledge: Answerer | None = None
    writer: Writer | None = None
    links: Links | None = None
    sms: SmsSender = field(default_factory=NoSms)
    diagnose: Diagnose | None = None
    has_oa: bool = False

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.keyring)
