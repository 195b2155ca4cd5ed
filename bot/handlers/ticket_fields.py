"""The category's own questions, one line each: how they are asked, and what an answer means."""

from __future__ import annotations

from typing import Final

from core.content import Content, Menu, MenuItem, Text
from core.fields import FieldSpec, fits, from_text
from core.views import FieldValue

#: Menu ids are `<prefix>f<number of the choice>`; `<prefix>skip` leaves the question out.
_CHOICE: Final = "f"
_SKIP_WORDS: Final = ("跳过", "没有", "不知道", "无")
_HINTS: Final = {
    "date": "（请写成 2026-03-01）",
    "number": "（请填数字）",
}
#: An optional question that was passed over.
SKIPPED: Final = object()


def question(spec: FieldSpec, prefix: str, quit_item: MenuItem, *, problem: str = "") -> Content:
    """A menu where there is something to click on."""
    head = f"{problem}{spec.title}{_HINTS.get(spec.kind, '')}："
    labels = ("是", "否") if spec.kind == "bool" else spec.choices
    items = [
        MenuItem(id=f"{prefix}{_CHOICE}{index}", label=label) for index, label in enumerate(labels)
    ]
    if not spec.is_required:
        items.append(MenuItem(id=f"{prefix}skip", label="跳过"))
    if not items:
        return Text(text=f"{head}发送“退出”可以取消。")
    return Menu(head=head, items=(*items, quit_item))


def value_of(spec: FieldSpec, text: str, key: str) -> FieldValue | object:
    """The value; SKIPPED; None when the answer does not fit."""
    labels = ("是", "否") if spec.kind == "bool" else spec.choices
    if not spec.is_required and (key == "skip" or text in _SKIP_WORDS):
        return SKIPPED
    if key.startswith(_CHOICE) and key[1:].isdecimal() and int(key[1:]) < len(labels):
        text = labels[int(key[1:])]
    elif text.isdecimal() and labels and 1 <= int(text) <= len(labels):
        text = labels[int(text) - 1]
    value = from_text(spec, text) if text else None
    return value if value is not None and value != "" and fits(spec, value) else None
