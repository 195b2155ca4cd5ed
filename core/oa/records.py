"""A record of the OA, read through the mapping. Pure; nothing in it is trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.clock import LOCAL_ZONE
from core.errors import Invalid
from core.ownership.queries import ENVELOPE, OaKind

_LONGEST: Final[Mapping[str, int]] = {
    "id": 64,
    "name": 128,
    "parent": 64,
    "institution": 64,
    "kind": 32,
    "region_code": 12,
    "product": 64,
    "product_version": 32,
    "contract_level": 16,
    "engineer": 64,
    "phone": 32,
    "email": 254,
    "note": 2000,
    "username": 64,
    "wecom_userid": 64,
}
_NO: Final = frozenset({"false", "0", "no", "否", "停用", "禁用", "离职", "disabled", "inactive"})
_YES: Final = frozenset({"true", "1", "yes", "是", "启用", "正常", "在职", "active", "enabled"})
_MAX_VERSION: Final = 2**62


@dataclass(frozen=True, slots=True)
class Record:
    """fields: what the OA says, by our names; a field that it leaves out is not among them."""

    kind: OaKind
    oa_id: str
    version: int
    is_active: bool
    fields: Mapping[str, str]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return self.fields.get("name", "")

    @property
    def digest(self) -> str:
        said = [self.is_active, sorted(self.fields.items())]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def read(kind: OaKind, raw: Mapping[str, Any], mapping: Mapping[str, str]) -> Record:
    """Raises: Invalid `bad_record`, naming the OA's field that does not fit."""
    found: dict[str, str] = {}
    for ours, theirs in mapping.items():
        if theirs in raw:
            found[ours] = _text(raw[theirs], ours, theirs)
    for ours in ("id", "version"):
        if not found.get(ours):
            raise Invalid("bad_record", field=mapping[ours])
    is_active = _is_active(found.get("is_active", ""), mapping.get("is_active", ""))
    version = _version(found["version"], mapping["version"])
    told = {name: text for name, text in found.items() if name not in ENVELOPE | {"is_active"}}
    return Record(kind, found["id"], version, is_active, told, raw)


def id_of(raw: Mapping[str, Any], mapping: Mapping[str, str]) -> str:
    """As far as it can be made out, for a record that cannot be read."""
    return str(raw.get(mapping["id"], ""))[:64]


def _text(value: object, ours: str, theirs: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise Invalid("bad_record", field=theirs)
    text = str(value).strip()
    if len(text) > _LONGEST.get(ours, 64):
        raise Invalid("bad_record", field=theirs)
    return text


def _is_active(text: str, theirs: str) -> bool:
    plain = text.lower()
    if plain not in _NO | _YES | {""}:
        raise Invalid("bad_record", field=theirs)
    return plain not in _NO


def _version(text: str, theirs: str) -> int:
    """A number that grows, or the moment of the last change in microseconds."""
    try:
        number = int(text) if text.isascii() and text.isdigit() else _moment(text)
    except (ValueError, OverflowError) as error:
        raise Invalid("bad_record", field=theirs) from error
    if not 0 <= number < _MAX_VERSION:
        raise Invalid("bad_record", field=theirs)
    return number


def _moment(text: str) -> int:
    at = datetime.fromisoformat(text)
    aware = at if at.tzinfo else at.replace(tzinfo=LOCAL_ZONE)
    return int(aware.timestamp() * 1_000_000)
