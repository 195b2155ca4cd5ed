"""Every gate of the bot has words in both languages of the console."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_gate_has_words(language: str) -> None:
    table = tomllib.loads((ROOT / "knowledge/data/gates.toml").read_text(encoding="utf-8"))
    rows = next(value for value in table.values() if isinstance(value, list))
    words = (ROOT / f"console/src/locales/{language}/desk.ts").read_text(encoding="utf-8")
    block = re.search(r"gates: \{(.*?)\}", words)
    assert block is not None
    assert rows
    for row in rows:
        assert f"{row['name']}: " in block.group(1)
