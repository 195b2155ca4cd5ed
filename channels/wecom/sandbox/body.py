"""Typed reading of JSON objects that come from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from channels.wecom.sandbox.errors import ApiError

Json = dict[str, object]

#: Control characters have no other form in JSON; every other escape should be raw UTF-8.
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u(?!00[01])")


class Body:
    """A JSON object. Readers raise ApiError 40058 (absent, too long) or 40035 (wrong type)."""

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields = fields

    @classmethod
    def parse(cls, raw: bytes) -> Body:
        """Raises: ApiError 40033 where an escape stands for a printable character, 40035."""
        if _ESCAPED.search(raw):
            raise ApiError(40033, "invalid charset: use raw UTF-8 instead of \\uXXXX")
        try:
            fields = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as error:
            raise ApiError(40035, "invalid parameter: not JSON") from error
        if not isinstance(fields, dict):
            raise ApiError(40035, "invalid parameter: not an object")
        return cls(fields)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def text(
        self,
        name: str,
        default: str | None = None,
        *,
        max_bytes: int = 1 << 20,
        min_bytes: int = 0,
    ) -> str:
        value = self.fields.get(name, default)
        if value is None:
            raise ApiError(40058, f"missing {name}")
        if not isinstance(value, str):
            raise ApiError(40035, f"{name} must be a string")
        if not min_bytes <= len(value.encode("utf-8", "replace")) <= max_bytes:
            raise ApiError(40058, f"{name} must have {min_bytes} to {max_bytes} bytes")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        value = self.fields.get(name, default)
        if value is None:
            raise ApiError(40058, f"missing {name}")
        if not isinstance(value, int) or isinstance(value, bool):
            raise ApiError(40035, f"{name} must be an integer")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.fields.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ApiError(40035 if name in self.fields else 40058, f"{name} must be a number")
        return float(value)

    def flag(self, name: str) -> bool:
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise ApiError(
                40035 if name in self.fields else 40058, f"{name} must be true or false"
            )
        return value

    def texts(self, name: str, *, most: int) -> list[str]:
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ApiError(40031, f"{name} must be a list of strings")
        if len(value) > most:
            raise ApiError(40032, f"{name} has more than {most} members")
        return value

    def integers(self, name: str, *, most: int) -> list[int]:
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise ApiError(40031, f"{name} must be a list of integers")
        if len(value) > most:
            raise ApiError(40032, f"{name} has more than {most} members")
        return value

    def child(self, name: str) -> Body:
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise ApiError(40058 if value is None else 40035, f"{name} must be an object")
        return Body(value)

    def children(self, name: str) -> list[Body]:
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ApiError(40035, f"{name} must be a list of objects")
        return [Body(item) for item in value]
