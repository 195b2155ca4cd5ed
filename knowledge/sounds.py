"""What Chinese text sounds like: a customer types by sound and picks the wrong character."""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin

#: Sounds that input methods and dialects do not keep apart.
_SAME = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_NASALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))
#: Syllables are written as code points of the private use area.
_FIRST = 0xE000
_CHINESE = range(0x4E00, 0xA000)


def _merged(syllable: str) -> str:
    for one, other in _SAME:
        if syllable.startswith(one):
            syllable = other + syllable[len(one) :]
    for one, other in _NASALS:
        if syllable.endswith(one):
            syllable = syllable[: -len(one)] + other
    return syllable


class _Table(dict[int, int]):
    """Code point of a character → that of its syllable, looked up at first use."""

    def __init__(self) -> None:
        super().__init__()
        self._syllables: dict[str, int] = {}

    def __missing__(self, point: int) -> int:
        if point not in _CHINESE:
            return point
        (syllable,) = lazy_pinyin(chr(point), style=Style.NORMAL)
        number = self._syllables.setdefault(_merged(syllable), len(self._syllables))
        self[point] = _FIRST + number
        return self[point]


_TABLE = _Table()


@lru_cache(maxsize=50_000)
def sound(text: str) -> str:
    """The text with each Chinese character replaced by a sign for its syllable, without tone.

    Texts of one sound give one result, for the life of the process only. As long as the text.
    """
    return text.translate(_TABLE)
