"""Menu ids of ours as the platform takes them: 1–128 bytes of [a-zA-Z0-9_]."""

from __future__ import annotations

import re

from channels.errors import Rejected

_PLAIN = re.compile(r"[a-zA-Z0-9_]{1,128}")
_PREFIX = "z_"
_ENCODED = re.compile(r"z_(?:[0-9a-f]{2})+")


def write_menu_id(menu_id: str) -> str:
    """The id itself where the platform takes it, otherwise in hexadecimal."""
    if _PLAIN.fullmatch(menu_id) and not menu_id.startswith(_PREFIX):
        return menu_id
    encoded = _PREFIX + menu_id.encode().hex()
    if not menu_id or len(encoded) > 128:
        raise Rejected(f"menu id of {len(menu_id)} characters")
    return encoded


def read_menu_id(text: str) -> str:
    """What `write_menu_id` was given; ids of others come back as they are."""
    if not _ENCODED.fullmatch(text):
        return text
    try:
        return bytes.fromhex(text.removeprefix(_PREFIX)).decode()
    except UnicodeDecodeError:
        return text
