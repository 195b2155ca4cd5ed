"""The running channels: where the outbox hands its parcels, by the channel's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from channels.base import Channel
from channels.errors import Rejected
from core.content import Address
from core.ports import OutboundItem, Receipt


class Channels:
    """The port `MessageSender` over all adapters."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._by_name = {channel.name: channel for channel in channels}

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._by_name.values())

    def of(self, address: Address) -> Channel:
        """Raises: Rejected when the channel is not configured (any more)."""
        channel = self._by_name.get(address.channel)
        if channel is None:
            raise Rejected(f"channel {address.channel} is not configured")
        return channel

    async def send(self, item: OutboundItem) -> Receipt:
        return await self.of(item.address).send(item)
