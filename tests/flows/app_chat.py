"""A servicer's chat with the app in WeCom, as flow tests read and write it."""

from __future__ import annotations

from channels.wecom.sandbox.client import Line, ServicerPhone
from tests.waiting import eventually


class AppChat:
    """A servicer's chat with the app; reads each line once, in order."""

    def __init__(self, phone: ServicerPhone) -> None:
        self.phone = phone
        self._read = 0

    async def types(self, text: str) -> None:
        await self.phone.tells_app(text)

    async def reads(self, part: str) -> Line:
        """Wait for the next line of the app that contains `part`."""

        async def find() -> Line | None:
            for line in await self.phone.app_lines():
                if line.seq > self._read and line.side == "app" and part in words(line):
                    return line
            return None

        line: Line = await eventually(find)
        self._read = line.seq
        return line

    async def lines(self, part: str = "") -> list[Line]:
        said = await self.phone.app_lines()
        return [line for line in said if line.side == "app" and part in words(line)]

    async def asks(self, text: str, answer: str) -> str:
        await self.types(text)
        return words(await self.reads(answer))

    async def card(self, part: str) -> Line:
        async def find() -> Line | None:
            found = [line for line in await self.lines(part) if line.msgtype == "template_card"]
            return found[-1] if found else None

        line: Line = await eventually(find)
        return line


def words(line: Line) -> str:
    """Everything that stands in a line, cards too."""
    if line.msgtype != "template_card":
        return line.text
    return str(line.content)


def buttons(card: Line) -> list[str]:
    return [str(one["text"]) for one in card.content["button_list"]]  # type: ignore[attr-defined]
