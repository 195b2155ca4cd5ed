"""Every channel of the registry passes the contract."""

from collections.abc import AsyncIterator, Callable

import pytest

from channels.registry import CHANNELS, ChannelSettings, build_channels
from channels.testing import ChannelContract, Harness, MemoryServices
from tests.channels.telegram.harness import FakeBotApi, TelegramHarness
from tests.channels.terminal.harness import TerminalHarness
from tests.channels.wecom_app.harness import AppHarness
from tests.channels.wecom_kf.harness import KfHarness

Make = Callable[[pytest.FixtureRequest, MemoryServices], AsyncIterator[Harness]]


async def _kf(request: pytest.FixtureRequest, memory: MemoryServices) -> AsyncIterator[Harness]:
    yield KfHarness(
        request.getfixturevalue("wecom"), request.getfixturevalue("wecom_settings"), memory
    )


async def _app(request: pytest.FixtureRequest, memory: MemoryServices) -> AsyncIterator[Harness]:
    yield AppHarness(
        request.getfixturevalue("wecom"), request.getfixturevalue("wecom_settings"), memory
    )


async def _telegram(
    request: pytest.FixtureRequest, memory: MemoryServices
) -> AsyncIterator[Harness]:
    yield TelegramHarness(request.getfixturevalue("bot_api"), memory)


async def _terminal(
    request: pytest.FixtureRequest, memory: MemoryServices
) -> AsyncIterator[Harness]:
    harness = TerminalHarness(memory)
    yield harness
    await harness.close()


MAKERS: dict[str, Make] = {
    "wecom_kf": _kf,
    "wecom_app": _app,
    "telegram": _telegram,
    "terminal": _terminal,
}


class TestContract(ChannelContract):
    @pytest.fixture(params=CHANNELS)
    async def harness(
        self,
        request: pytest.FixtureRequest,
        memory: MemoryServices,
        wecom_settings: object,
        bot_api: FakeBotApi,
    ) -> AsyncIterator[Harness]:
        async for harness in MAKERS[request.param](request, memory):
            yield harness
            await harness.channel.close()


def test_a_channel_goes_by_the_name_it_is_registered_under(memory: MemoryServices) -> None:
    settings = ChannelSettings.model_validate(
        {
            "wecom": {"corp_id": "ww1", "app": {"agent_id": 1, "secret": "s"}},
            "telegram": {"token": "1:a"},
            "terminal": {"is_enabled": True},
        }
    )
    built = build_channels(settings, memory.services)
    assert built.keys() == CHANNELS.keys()
    assert {name: channel.name for name, channel in built.items()} == {n: n for n in CHANNELS}
    assert build_channels(ChannelSettings(), memory.services) == {}


def test_every_channel_has_a_section_of_settings() -> None:
    schema = ChannelSettings.model_json_schema()
    assert {kind.section for kind in CHANNELS.values()} == set(schema["properties"])
