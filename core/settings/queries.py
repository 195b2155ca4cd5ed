"""Reading settings: stored values over the defaults of their section."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import select

from core.db import Tx
from core.settings.base import Section
from core.settings.models import SettingRow
from core.settings.sections import SECTIONS
from core.views import View

log = logging.getLogger(__name__)
AnySection = TypeVar("AnySection", bound=Section)


class SettingView(View):
    """One section as a form: its JSON Schema, its present value and that value's version."""

    key: str
    title: str
    description: str
    json_schema: dict[str, Any]
    value: dict[str, Any]
    version: int


async def list_settings(tx: Tx) -> list[SettingView]:
    """All sections in their order; version 0 means never changed."""
    rows = {row.key: row for row in await tx.db.scalars(select(SettingRow))}
    return [setting_view(section, rows.get(key)) for key, section in SECTIONS.items()]


async def get(tx: Tx, section: type[AnySection]) -> AnySection:
    row = await tx.db.get(SettingRow, section.key)
    return section() if row is None else parse(section, row.value)


def setting_view(section: type[Section], row: SettingRow | None) -> SettingView:
    value = section() if row is None else parse(section, row.value)
    return SettingView(
        key=section.key,
        title=section.title,
        description=section.about,
        json_schema=section.model_json_schema(),
        value=value.model_dump(mode="json"),
        version=0 if row is None else row.version,
    )


def parse(section: type[AnySection], stored: dict[str, Any]) -> AnySection:
    """A stored value, read leniently: what this version no longer knows or allows is left out."""
    known = {key: value for key, value in stored.items() if key in section.model_fields}
    try:
        return section.model_validate(known)
    except ValidationError as error:
        bad = {str(item["loc"][0]) for item in error.errors()}
        log.warning(
            "Stored settings were out of bounds; defaults are used for them.",
            extra={"action": "settings.defaulted", "key": section.key, "fields": sorted(bad)},
        )
        return section.model_validate({k: v for k, v in known.items() if k not in bad})
