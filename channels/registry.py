"""All channels, one line each. Adding one means a folder, a line here and a settings section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pydantic import BaseModel, ConfigDict, Field

from channels.base import Channel, Services
from channels.telegram.config import TelegramSettings
from channels.terminal.adapter import Terminal, TerminalSettings
from channels.wecom.config import WeComSettings
from channels.wecom_app.adapter import WeComApp
from channels.wecom_kf.adapter import WeComKf


class ChannelSettings(BaseModel):
    """The sections that channels declare. The console draws its forms from their schemas."""

    model_config = ConfigDict(frozen=True)

    wecom: WeComSettings = Field(default_factory=WeComSettings, title="企业微信")
    telegram: TelegramSettings = Field(default_factory=TelegramSettings, title="Telegram")
    terminal: TerminalSettings = Field(default_factory=TerminalSettings, title="终端")


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """How to build a channel. section: name of its settings in ChannelSettings."""

    name: str
    section: str
    is_configured: Callable[[ChannelSettings], bool]
    build: Callable[[ChannelSettings, Services], Channel]


def _telegram(settings: ChannelSettings, services: Services) -> Channel:
    """Imported when used: the library is an extra."""
    adapter = import_module("channels.telegram.adapter")
    channel: Channel = adapter.Telegram(settings.telegram, services)
    return channel


CHANNELS: dict[str, ChannelKind] = {
    kind.name: kind
    for kind in (
        ChannelKind(
            "wecom_kf", "wecom", lambda s: s.wecom.has_kf, lambda s, p: WeComKf(s.wecom, p)
        ),
        ChannelKind(
            "wecom_app", "wecom", lambda s: s.wecom.has_app, lambda s, p: WeComApp(s.wecom, p)
        ),
        ChannelKind("telegram", "telegram", lambda s: s.telegram.is_configured, _telegram),
        ChannelKind(
            "terminal",
            "terminal",
            lambda s: s.terminal.is_enabled,
            lambda s, p: Terminal(s.terminal, p),
        ),
    )
}


def build_channels(settings: ChannelSettings, services: Services) -> dict[str, Channel]:
    """The channels that are configured, by name. Nothing is called yet."""
    return {
        kind.name: kind.build(settings, services)
        for kind in CHANNELS.values()
        if kind.is_configured(settings)
    }
