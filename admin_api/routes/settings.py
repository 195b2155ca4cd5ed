"""What administrators change while the system runs."""

from __future__ import annotations

from typing import Any

from admin_api.body import Body, Version
from admin_api.endpoint import Call, endpoint
from core.db import Tx
from core.permissions import Permission
from core.settings import queries, service
from core.settings.queries import SettingView


class SettingBody(Body):
    value: dict[str, Any]
    version: Version


@endpoint("GET", "/settings", access=Permission.SETTING_MANAGE, tag="settings")
async def list_settings(call: Call, tx: Tx) -> list[SettingView]:
    """All sections, each with the JSON Schema of its form."""
    del call
    return await queries.list_settings(tx)


@endpoint("PUT", "/settings/{key}", access=Permission.SETTING_MANAGE, tag="settings")
async def put_setting(call: Call, tx: Tx, key: str, body: SettingBody) -> SettingView:
    """Replace one section; in force everywhere within a second."""
    return await service.put(tx, key, body.value, version=body.version, by=call.actor)
