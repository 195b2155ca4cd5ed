"""A category's own questions in chat."""

from __future__ import annotations

import pytest

from bot.handlers.ticket_fields import SKIPPED, question, value_of
from core.content import Menu, MenuItem, Text
from core.fields import FieldSpec

QUIT = MenuItem(id="quit", label="退出")
CHOICE = FieldSpec(key="system", title="系统", kind="choice", choices=("直报", "体检"))


@pytest.mark.parametrize(
    ("spec", "text", "key", "expected"),
    [
        (CHOICE, "体检", "", "体检"),
        (CHOICE, "2", "", "体检"),
        (CHOICE, "", "f0", "直报"),
        (CHOICE, "别的", "", None),
        (CHOICE, "", "f9", None),
        (CHOICE, "跳过", "", SKIPPED),
        (CHOICE, "", "skip", SKIPPED),
        (FieldSpec(key="n", title="台数", kind="number"), "3", "", 3),
        (FieldSpec(key="n", title="台数", kind="number"), "三", "", None),
        (FieldSpec(key="d", title="日期", kind="date"), "2026-03-01", "", "2026-03-01"),
        (FieldSpec(key="d", title="日期", kind="date"), "昨天", "", None),
        (FieldSpec(key="b", title="影响业务", kind="bool"), "", "f1", False),
        (FieldSpec(key="t", title="版本", is_required=True), "没有", "", "没有"),
        (FieldSpec(key="t", title="版本", is_required=True), "", "", None),
    ],
)
def test_an_answer_is_read_as_its_kind(
    spec: FieldSpec, text: str, key: str, expected: object
) -> None:
    assert value_of(spec, text, key) == expected


def test_what_may_be_left_out_says_so() -> None:
    menu = question(CHOICE, "tform_", QUIT)
    assert isinstance(menu, Menu)
    assert [item.label for item in menu.items] == ["直报", "体检", "跳过", "退出"]
    must = question(FieldSpec(key="t", title="版本", is_required=True), "tform_", QUIT)
    assert isinstance(must, Text)
