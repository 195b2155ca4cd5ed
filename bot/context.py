"""The one typed argument beside the update, and the write block that a handler opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from bot.pictures.reader import PictureReader
from bot.turn import Turn
from channels.update import Update
from core import inbox
from core.accounts.limits import AccountLimits
from core.clock import Clock
from core.content import Address, Content
from core.customers.queries import institution_kind
from core.db import UnitOfWork
from core.lanes import Hold
from core.ports import RateLimiter
from core.registration.sms import SmsSender
from core.sealing import KeyRing
from core.sessions.situation import Situation
from core.settings.live import LiveSettings
from knowledge.content import INTERNAL
from knowledge.decisions import FaqDecision
from knowledge.views import FoundArticle


class Answers(Protocol):
    """The knowledge base, as the bot sees it."""

    def is_urgent(self, line: str) -> bool: ...

    def is_red_line(self, line: str) -> bool: ...

    async def decide(self, question: str, *, audience: str | None = None) -> FaqDecision: ...

    async def choose(
        self, article_id: str, question: str, *, audience: str | None = None
    ) -> FaqDecision | None: ...

    async def search(self, text: str, limit: int = 5) -> list[FoundArticle]:
        """Live articles for a servicer, best first."""
        ...


class Downloads(Protocol):
    """Fetching what people sent, before the platform forgets it."""

    async def keep(self, address: Address, content: Content) -> Content:
        """The same content with its file among our attachments. Raises: Invalid."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What handlers and jobs work with. One per process.

    limits: of each channel's accounts. public_url: of customers' pages.
    pictures: reads screenshots; None when the extra `ocr` is not installed.
    """

    uow: UnitOfWork
    settings: LiveSettings
    answers: Answers
    limiter: RateLimiter
    downloads: Downloads
    keys: KeyRing
    sms: SmsSender
    limits: Mapping[str, AccountLimits]
    public_url: str
    pictures: PictureReader | None = None

    @property
    def clock(self) -> Clock:
        return self.uow.clock

    def limits_of(self, address: Address) -> AccountLimits:
        """Of a channel that is configured no more: none, nothing can be sent there anyway."""
        return self.limits.get(address.channel, AccountLimits())


def audience_of(kind: str) -> str:
    """No institution, whatever its kind is called, gets what is meant for our own people."""
    return "" if kind == INTERNAL else kind


@dataclass(frozen=True, slots=True)
class Context:
    """situation: how things stood when the update was taken up; None for a first word.

    log: ids for log lines. hold: the lane, when nothing waits behind this update: it is given back
    with the effects.
    """

    tools: Tools
    update: Update
    inbox_id: int
    situation: Situation | None
    log: Mapping[str, str]
    hold: Hold | None = None

    @property
    def is_with_people(self) -> bool:
        return self.situation is not None and self.situation.is_with_people

    async def audience(self) -> str:
        """For whom an answer would be: the kind of the customer's institution."""
        if self.situation is not None:
            return audience_of(self.situation.institution_kind)
        async with self.tools.uow.read() as tx:
            return audience_of(await institution_kind(tx, self.update.address))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Turn]:
        """The handler's one write block: its effects and "done" are one transaction."""
        async with self.tools.uow.write() as tx:
            await inbox.mark_done(tx, self.inbox_id)
            address = self.update.address
            yield await Turn.begin(tx, address, self.tools.limits_of(address))
            rest = await self.hold.release(tx) if self.hold else None
        if self.hold:
            self.hold.lane = rest
