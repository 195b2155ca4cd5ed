"""What every channel adapter owes to the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from channels.capabilities import Capabilities
from core.content import Media
from core.ports import Files, Intake, KeyedLock, KeyValue, OutboundItem, Receipt, WakeUp


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """One door of a channel as the platform knows it."""

    account: str
    name: str
    is_manageable: bool = True
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class ServicerInfo:
    """A person who may serve on an account, as the platform knows them."""

    servicer_ref: str
    name: str = ""
    is_accepting: bool = True


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    user: str
    nickname: str = ""
    avatar_url: str = ""
    gender: int = 0
    union_id: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A customer's file and what the platform says of it; never trust either."""

    data: bytes
    name: str = ""
    mime: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """What an adapter may use of the rest: ports, nothing else."""

    intake: Intake
    files: Files
    cache: KeyValue
    lock: KeyedLock
    wake: WakeUp


class Channel(ABC):
    """A platform behind one set of credentials. Knows how to receive and to send; nothing more."""

    name: ClassVar[str]
    capabilities: Capabilities

    @abstractmethod
    async def run(self) -> None:
        """Receive until cancelled. Must survive every answer of the platform."""

    @abstractmethod
    async def send(self, item: OutboundItem) -> Receipt:
        """Hand one item to the platform; idempotent per message id.

        Raises: subclasses of `channels.errors.ChannelError`.
        """

    def routes(self) -> Sequence[web.RouteDef]:
        """HTTP routes that the platform calls."""
        return ()

    async def accounts(self) -> Sequence[AccountInfo]:
        """The accounts that these credentials may manage."""
        return ()

    async def servicers(self, account: str) -> Sequence[ServicerInfo]:
        """The people who may serve on an account."""
        del account
        return ()

    async def profile(self, account: str, user: str) -> CustomerProfile | None:
        """What the platform tells about a customer, if it tells anything."""
        del account, user
        return None

    async def fetch(self, media: Media) -> bytes:
        """Download a file that a customer sent. Raises ChannelError."""
        raise NotImplementedError(f"{self.name} has no media download")

    async def download(self, media: Media) -> Download:
        """Like `fetch`, with the name and type that the platform gives. Raises ChannelError."""
        return Download(await self.fetch(media), name=media.name, mime=media.mime)

    async def close(self) -> None:  # noqa: B027 - optional, most have nothing to release
        """Release connections. Called once, after `run` has ended."""
