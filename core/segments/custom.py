"""A custom field of a customer in SQL: as text, and as a number where it is one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Float, Text, case, cast, func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from core.customers.models import CustomerRow


@dataclass(frozen=True, slots=True)
class CustomValue:
    """text: "" when there is none, "true" or "false" for yes and no. number: else NULL."""

    text: ColumnElement[str]
    number: ColumnElement[float]


def custom_value(key: str, dialect: str) -> CustomValue:
    if dialect == "postgresql":
        value = type_coerce(CustomerRow.custom, JSONB)[key]
        number = case((func.jsonb_typeof(value) == "number", cast(value.astext, Float)))
        return CustomValue(func.coalesce(value.astext, ""), number)
    path = f'$."{key}"'
    kind = func.json_type(CustomerRow.custom, path)
    raw = func.json_extract(CustomerRow.custom, path)
    plain = case((kind.in_(("true", "false")), kind), else_=cast(raw, Text))
    number = case((kind.in_(("integer", "real")), cast(raw, Float)))
    return CustomValue(func.coalesce(plain, ""), number)
