"""Whatever may ring has words in both languages of the console."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import python_files

ROOT = Path(__file__).resolve().parents[2]


def _codes() -> set[str]:
    """Every `AlarmRaised(code="…")` of the product."""
    return {
        keyword.value.value
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "AlarmRaised"
        for keyword in node.keywords
        if keyword.arg == "code"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_alarm_has_words(language: str) -> None:
    table = (ROOT / f"console/src/locales/{language}/desk.ts").read_text(encoding="utf-8")
    block = re.search(r"alarm: \{.*?code: \{(.*?)\}", table, re.DOTALL)
    assert block is not None
    words = set(re.findall(r"^\s*(\w+): \"\S", block.group(1), re.MULTILINE))
    assert _codes() >= {"delivery_failed", "question_surge"}
    assert words == _codes()
