import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from channels.testing import MemoryServices
from channels.update import MenuChosen, MessageReceived
from core.content import Menu, MenuItem, Text
from core.ports import OutboundMessage
from tests.channels.terminal.harness import TerminalHarness

MENU = Menu(
    head="请选择",
    items=(
        MenuItem(id="a", label="物流"),
        MenuItem(kind="view", label="帮助", url="https://h.example"),
        MenuItem(id="b", label="人工"),
    ),
    tail="谢谢",
)


@pytest.fixture
async def terminal(memory: MemoryServices) -> AsyncIterator[TerminalHarness]:
    harness = TerminalHarness(memory)
    yield harness
    await harness.close()


async def test_a_number_chooses_a_line_of_the_last_menu(terminal: TerminalHarness) -> None:
    await terminal.someone_says("2")
    await terminal.memory.intake.received(1)
    await terminal.channel.send(OutboundMessage(terminal.address, "m1", MENU))
    await terminal.someone_says("2")
    await terminal.someone_says("3")
    words, chosen, more = await terminal.memory.intake.received(3)
    assert isinstance(words, MessageReceived)
    assert isinstance(chosen, MenuChosen)
    assert (chosen.menu_id, chosen.text) == ("b", "人工")
    assert isinstance(more, MessageReceived)


async def test_a_menu_is_shown_with_numbers(terminal: TerminalHarness) -> None:
    await terminal.channel.send(OutboundMessage(terminal.address, "m1", MENU))
    assert terminal.shown() == ["请选择\n  1. 物流\n  帮助 https://h.example\n  2. 人工\n  谢谢"]


async def test_an_empty_line_says_nothing(terminal: TerminalHarness) -> None:
    await terminal.someone_says("  \n")
    await terminal.someone_says("在吗\n")
    (update,) = await terminal.memory.intake.received(1)
    assert isinstance(update, MessageReceived)
    assert update.content == Text(text="在吗")


def test_it_reads_the_real_stdin() -> None:
    script = """
import asyncio
from channels.terminal.adapter import Terminal, TerminalSettings
from channels.testing import MemoryServices

async def main():
    memory = MemoryServices()
    task = asyncio.create_task(Terminal(TerminalSettings(), memory.services).run())
    for update in await memory.intake.received(2):
        print(update.content.text)
    task.cancel()

asyncio.run(main())
"""
    found = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script],
        input="你好\n在吗\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert found.stdout.split() == ["你好", "在吗"]
