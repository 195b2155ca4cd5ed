"""The only writer of settings."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from sqlalchemy import update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import SettingChanged
from core.permissions import Permission
from core.settings.base import Section
from core.settings.models import SettingRow
from core.settings.queries import SettingView, parse, setting_view
from core.settings.sections import SECTIONS


async def put(tx: Tx, key: str, value: dict[str, Any], *, version: int, by: Actor) -> SettingView:
    """Replace one section. version: the one that was read (0: never stored).

    Raises: Forbidden; NotFound; Invalid with `errors` as pydantic lists them;
    Conflict when somebody changed it first. The same value again changes nothing.
    """
    by.require(Permission.SETTING_MANAGE)
    section = SECTIONS.get(key)
    if section is None:
        raise NotFound(noun="setting", id=key)
    wanted = _checked(section, value)
    row = await tx.db.get(SettingRow, key)
    if (row.version if row else 0) != version:
        raise Conflict(version=row.version if row else 0)
    before = parse(section, row.value) if row else section()
    if row is not None and before == wanted:
        return setting_view(section, row)
    await _store(tx, key, wanted.model_dump(mode="json"), version=version, by=by)
    await audit.append(
        tx, by=by, action="setting.changed", target=key, facts=_difference(before, wanted)
    )
    tx.emit(SettingChanged(key=key, by=by.key))
    return setting_view(section, await tx.db.get(SettingRow, key, populate_existing=True))


def _checked(section: type[Section], value: dict[str, Any]) -> Section:
    try:
        return section.model_validate(value)
    except ValidationError as error:
        raise Invalid(
            "invalid_setting",
            errors=error.errors(include_url=False, include_input=False, include_context=True),
        ) from error


async def _store(tx: Tx, key: str, value: dict[str, Any], *, version: int, by: Actor) -> None:
    """Compare-and-set; two first writers meet in the primary key."""
    fresh = {"value": value, "updated_at": tx.now, "updated_by": by.key, "version": version + 1}
    if version == 0:
        made = await tx.db.execute(
            tx.upsert(SettingRow)
            .values(key=key, **fresh)
            .on_conflict_do_nothing()
            .returning(SettingRow.key)
        )
    else:
        made = await tx.db.execute(
            update(SettingRow)
            .where(SettingRow.key == key, SettingRow.version == version)
            .values(fresh)
            .returning(SettingRow.key)
        )
    if made.first() is None:
        raise Conflict(version=version)


def _difference(before: Section, after: Section) -> dict[str, str]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return {field: f"{old[field]} → {new[field]}" for field in new if old[field] != new[field]}
