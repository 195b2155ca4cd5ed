"""Settings as they are now, read without waiting: kept in the process, refreshed by the event."""

from __future__ import annotations

from typing import cast

from core.db import UnitOfWork
from core.events import Event, SettingChanged
from core.settings.base import Section
from core.settings.queries import AnySection, get
from core.settings.sections import SECTIONS


class LiveSettings:
    """One per process. `load` at start, `apply` for every event; `get` costs a dict look-up."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._values: dict[str, Section] = {key: kind() for key, kind in SECTIONS.items()}

    async def load(self) -> None:
        async with self._uow.read() as tx:
            for key, section in SECTIONS.items():
                self._values[key] = await get(tx, section)

    async def apply(self, event: Event) -> None:
        """Listener on the bus; idempotent."""
        if isinstance(event, SettingChanged) and event.key in SECTIONS:
            async with self._uow.read() as tx:
                self._values[event.key] = await get(tx, SECTIONS[event.key])

    def get(self, section: type[AnySection]) -> AnySection:
        return cast(AnySection, self._values[section.key])
