"""A setting that nothing reads deceives whoever changes it."""

from __future__ import annotations

import re

import pytest

from core.settings.base import Section
from core.settings.sections import SECTIONS
from tests.architecture.sources import python_files

_READERS = "\n".join(
    path.read_text(encoding="utf-8") for path in python_files() if path.parent.name != "settings"
)


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS.keys())
def test_every_setting_is_read(section: type[Section]) -> None:
    unread = [name for name in section.model_fields if not re.search(rf"\b{name}\b", _READERS)]
    assert not unread
