"""What the deployment files and the documentation name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import Settings
from tests.architecture.sources import ROOT, relative
from tools.docs import commands, variables

_VARIABLE = re.compile(r"WENQU_[A-Z][A-Z_]*[A-Z]")
_COMMAND = re.compile(r"(?:^|`|bin/)wenqu ([a-z]+(?: (?:create|import|export|verify)\b)?)", re.M)
_PAGES = [
    *(ROOT / "deploy").iterdir(),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / name for name in ("README.md", "README.zh-CN.md")),
]


@pytest.mark.parametrize("page", sorted(_PAGES), ids=relative)
def test_named_settings_exist(page: Path) -> None:
    known = {name for name, _, _ in variables(Settings)}
    known |= {"WENQU_TEST_DATABASE_URL", "WENQU_TEST_REDIS_URL"}
    families = tuple({name.rpartition("__")[0] for name in known})
    text = page.read_text(encoding="utf-8")
    named = set(_VARIABLE.findall(text)) - known
    assert sorted(name for name in named if name not in families) == []


@pytest.mark.parametrize("page", sorted(_PAGES), ids=relative)
def test_named_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = _COMMAND.findall(text)
    assert [name for name in named if f"## wenqu {name}" not in commands()] == []
