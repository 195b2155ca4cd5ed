"""A conversation on stdin and stdout: the tutorial's channel, and a quick way to try handlers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import ClassVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from channels.base import Channel, Services
from channels.capabilities import Capabilities
from channels.degrade import fit
from channels.errors import Rejected
from channels.update import MenuChosen, MessageReceived, Update, to_inbox
from core.content import Address, Content, Menu, MenuItem, Text, plain_text
from core.ports import OutboundItem, OutboundMessage, Receipt

_MAX_LINE = 64 * 1024


class TerminalSettings(BaseModel):
    """Section `terminal`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_enabled: bool = Field(False, title="启用", description="在启动系统的终端里与机器人对话")
    user: str = Field("you", description="对话者的标识", min_length=1, max_length=64)


class Terminal(Channel):
    """One customer at one keyboard. A typed number chooses a line of the last menu."""

    name: ClassVar[str] = "terminal"
    capabilities = Capabilities(
        kinds=frozenset({"text", "menu"}), max_text_bytes=4096, max_menu_clicks=50
    )

    def __init__(
        self,
        settings: TerminalSettings,
        services: Services,
        *,
        lines: AsyncIterator[str] | None = None,
        write: Callable[[str], object] = sys.stdout.write,
    ) -> None:
        self._address = Address(self.name, "local", settings.user)
        self._services = services
        self._lines = lines
        self._write = write
        self._clickable: list[MenuItem] = []
        self._shown: set[str] = set()

    @override
    async def run(self) -> None:
        """Read until the input ends, then wait to be cancelled."""
        async for line in self._lines or _stdin_lines():
            if text := line.strip():
                await self._services.intake.accept([to_inbox(self._to_update(text))])
        await asyncio.Event().wait()

    def _to_update(self, text: str) -> Update:
        update_id, now = uuid4().hex, datetime.now(UTC)
        if text.isdecimal() and 1 <= int(text) <= len(self._clickable):
            chosen = self._clickable[int(text) - 1]
            return MenuChosen(
                update_id=update_id,
                address=self._address,
                occurred_at=now,
                message_id=update_id,
                menu_id=chosen.id,
                text=chosen.label,
            )
        return MessageReceived(
            update_id=update_id,
            address=self._address,
            occurred_at=now,
            message_id=update_id,
            content=Text(text=text),
        )

    @override
    async def send(self, item: OutboundItem) -> Receipt:
        if not isinstance(item, OutboundMessage):
            raise Rejected("a terminal shows messages only")
        if item.message_id not in self._shown:
            self._shown.add(item.message_id)
            for content in fit(item.content, self.capabilities):
                self._write(f"« {self._in_words(content)}\n")
        return Receipt(item.message_id)

    def _in_words(self, content: Content) -> str:
        if not isinstance(content, Menu):
            return plain_text(content)
        self._clickable = [item for item in content.items if item.kind == "click"]
        numbers = {id(item): f"{n}. " for n, item in enumerate(self._clickable, 1)}
        lines = [
            f"{numbers.get(id(item), '')}{item.label} {item.url}".rstrip()
            for item in content.items
        ]
        return "\n  ".join(line for line in (content.head, *lines, content.tail) if line)


async def _stdin_lines() -> AsyncIterator[str]:
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    try:
        while line := await reader.readline():
            yield line.decode(errors="replace")
    finally:
        transport.close()
