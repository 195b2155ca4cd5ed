"""The installation's secret: configured, or made once and kept in the data directory."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from bot.config import Settings
from core.sealing import KeyRing

#: In the data directory.
KEPT_SECRET: Final = "secret.key"  # noqa: S105 - a file name


def key_ring(settings: Settings) -> KeyRing:
    """Current secret first, older ones after it; from the configuration or the data directory."""
    return KeyRing.from_secrets(secrets_of(settings) or [_make(settings.data_dir / KEPT_SECRET)])


def secrets_of(settings: Settings) -> list[str]:
    """The secrets that there are; nothing is made."""
    text = settings.secret_key.get_secret_value()
    path = settings.data_dir / KEPT_SECRET
    if not text and path.exists():
        text = path.read_text(encoding="ascii")
    return [one.strip() for one in text.split(",") if one.strip()]


def _make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii")
