"""The installation's health, for the set-up wizard."""

from __future__ import annotations

from admin_api.endpoint import Call, endpoint
from core.diagnosis import Diagnosis
from core.errors import NotFound
from core.permissions import Permission


@endpoint("GET", "/doctor", access=Permission.SETTING_MANAGE, tag="system")
async def examine(call: Call) -> Diagnosis:
    """Check configuration, database and platform; takes up to half a minute."""
    if call.services.diagnose is None:
        raise NotFound("not_found")
    return await call.services.diagnose()
