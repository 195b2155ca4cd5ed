"""Custom fields: what they are, and whether values fit. Tickets and customers use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from pydantic import Field

from core.errors import Invalid
from core.views import FieldValue, View

MAX_TEXT = 4000


class FieldSpec(View):
    """One custom field. is_public: asked of the customer in the form."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", title="键")
    title: str = Field(min_length=1, max_length=64, title="名称")
    kind: Literal["text", "long_text", "number", "choice", "date", "bool"] = Field(
        "text", title="类型"
    )
    is_required: bool = Field(False, title="必填")
    is_public: bool = Field(False, title="问客户")
    choices: tuple[str, ...] = Field((), title="选项")


def checked_fields(
    specs: Sequence[FieldSpec], values: Mapping[str, FieldValue]
) -> dict[str, FieldValue]:
    """Values that fit the fields; empty ones are left out.

    Raises: Invalid `invalid_fields` with `errors`, a list of (field, code).
    """
    known = {spec.key: spec for spec in specs}
    errors = [(f"fields.{key}", "unknown") for key in values if key not in known]
    kept: dict[str, FieldValue] = {}
    for spec in specs:
        value = values.get(spec.key)
        if value is None or value == "":
            errors += [(f"fields.{spec.key}", "required")] if spec.is_required else []
        elif fits(spec, value):
            kept[spec.key] = value
        else:
            errors.append((f"fields.{spec.key}", f"not_{spec.kind}"))
    if errors:
        raise Invalid("invalid_fields", errors=errors)
    return kept


def fits(spec: FieldSpec, value: FieldValue) -> bool:
    """Whether a value that is there has the field's kind."""
    match spec.kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "choice":
            return value in spec.choices
        case "date":
            return isinstance(value, str) and _is_date(value)
        case "text" | "long_text":
            return isinstance(value, str) and len(value) <= MAX_TEXT


def from_text(spec: FieldSpec, text: str) -> FieldValue:
    """A value as a spreadsheet or a chat line spells it; unreadable text is returned as it is."""
    plain = text.strip()
    if spec.kind == "bool":
        return {"是": True, "否": False, "true": True, "false": False}.get(plain.lower(), plain)
    if spec.kind == "number":
        try:
            number = float(plain)
        except ValueError:
            return plain
        return int(number) if number.is_integer() else number
    return plain


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
