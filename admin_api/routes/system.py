"""The start page's figures, and what this system is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from pydantic import BaseModel, ConfigDict

from admin_api.endpoint import Call, endpoint
from core.db import Tx
from core.permissions import Permission
from core.statistics.board import DashboardView
from core.statistics.board import dashboard as read_dashboard


class SystemView(BaseModel):
    """demo: the sandbox's phone page is served at /phone/."""

    model_config = ConfigDict(frozen=True)

    version: str
    demo: bool
    channels: tuple[str, ...]


@endpoint("GET", "/dashboard", access=Permission.SESSION_SERVE, tag="system")
async def get_dashboard(call: Call, tx: Tx) -> DashboardView:
    """What is open now, and today so far."""
    del call
    return await read_dashboard(tx)


@endpoint("GET", "/system", access="public", tag="system")
async def get_system(call: Call) -> SystemView:
    """Version and mode, for the log-in page."""
    services = call.services
    return SystemView(version=_version(), demo=services.config.is_demo, channels=services.channels)


def _version() -> str:
    try:
        return version("wenqu")
    except PackageNotFoundError:
        return "0"
