"""The installation's secret: configured, or made once and kept in the data directory."""

from __future__ import annotations

import secrets
from pathlib import Path

from bot.config import Settings
from core.sealing import KeyRing

_NAME = "secret.key"


def key_ring(settings: Settings) -> KeyRing:
    """Current secret first, older ones after it; from the configuration or the data directory."""
    configured = settings.secret_key.get_secret_value()
    if configured:
        return KeyRing.from_secrets([one.strip() for one in configured.split(",") if one.strip()])
    return KeyRing.from_secrets([_kept(settings.data_dir / _NAME)])


def _kept(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path.read_text(encoding="ascii").strip()
