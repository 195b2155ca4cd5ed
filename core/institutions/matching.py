"""Finding an institution by what people type: parts of its name, gaps, pinyin, initials. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

_WORD = re.compile(r"[0-9a-z]+|[\u4e00-\u9fff]")
#: What customers leave out or shorten.
_SHORT = (("疾控中心", "疾病预防控制中心"), ("疾控", "疾病预防控制"), ("卫健委", "卫生健康委员会"))


def normal(text: str) -> str:
    """Lower case, without spaces and punctuation, short forms spelled out."""
    plain = "".join(_WORD.findall(text.lower()))
    for short, full in _SHORT:
        if short in plain:
            return plain.replace(short, full)
    return plain


def pinyin(name: str) -> str:
    """All syllables in one word: 苏州市 → suzhoushi."""
    return "".join(lazy_pinyin(normal(name), style=Style.NORMAL))


def initials(name: str) -> str:
    """First letters: 苏州市 → szs."""
    return "".join(lazy_pinyin(normal(name), style=Style.FIRST_LETTER))


@dataclass(frozen=True, slots=True)
class Keys:
    """What finds a name; stored beside it, for making them takes long."""

    normal: str
    initials: str
    pinyin: str


def keys_of(name: str) -> Keys:
    return Keys(normal(name), initials(name), pinyin(name))


def score(typed: str, name: Keys) -> float:
    """How well an institution's name fits what was typed: 0 (not at all) … 1 (the same)."""
    want, have = normal(typed), name.normal
    if not want or not have:
        return 0.0
    if want == have:
        return 1.0
    closeness = min(len(want), len(have)) / max(len(want), len(have))
    if want in have:
        return 0.8 + 0.15 * closeness + (0.04 if have.startswith(want) else 0.0)
    if _in_order(want, have):
        return 0.6 + 0.15 * closeness
    if want.isascii():
        return _latin_score(want, name)
    return 0.55 * _overlap(want, have)


def _latin_score(want: str, name: Keys) -> float:
    first, whole = name.initials, name.pinyin
    if first.startswith(want) or whole.startswith(want):
        return 0.75 if want in (first, whole) else 0.65
    return 0.5 if want in first or want in whole else 0.0


def _in_order(want: str, have: str) -> bool:
    rest = iter(have)
    return all(char in rest for char in want)


def _overlap(want: str, have: str) -> float:
    """Share of the typed pairs of neighbours that the name has too."""
    pairs = {want[i : i + 2] for i in range(len(want) - 1)} or {want}
    return sum(pair in have for pair in pairs) / len(pairs)
