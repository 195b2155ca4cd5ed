"""Query cleaning and tokens. Pure functions over strings."""

from __future__ import annotations

import operator
import re
import unicodedata
from functools import lru_cache
from importlib import resources

import rjieba

_FILLER = re.compile(r"[\s,，.。!！?？~～、;；:：…\-—]*")
_MENTION = re.compile(r"@[^\s@]{1,20}[\s\u2005]")
_REPEAT = re.compile(r"([!！?？。~～,，、…])\1+")
_SPACE = re.compile(r"\s+")
_SPACE_BY_HAN = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[a-z0-9])|(?<=[a-z0-9]) (?=[\u4e00-\u9fff])")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+|\\[[\u4e00-\u9fa5]{1,4}\\]")
_WORD = re.compile(r"[0-9a-z\u4e00-\u9fff]")
_UNIT = re.compile(r"[a-z]+|[0-9]+|[\u4e00-\u9fff]")
_ALNUM = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def _politeness() -> dict[str, str]:
    """Regular expressions for the sections of data/politeness.txt, longest word first."""
    file = resources.files("knowledge") / "data" / "politeness.txt"
    sections: dict[str, list[str]] = {}
    section: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            section += line.split()
    return {
        name: "|".join(re.escape(word) for word in sorted(found, key=len, reverse=True))
        for name, found in sections.items()
    }


_POLITE = _politeness()
_OPENING = re.compile(rf"^(?:{_POLITE['opening']})(?:{_FILLER.pattern})")
_CLOSING = re.compile(rf"[\s,，.。!！?？~～、;；…]+(?:{_POLITE['closing']})[\s,，.。!！~～…]*$")

#: What must remain after greetings are taken off; shorter remainders keep the original.
MIN_REMAINDER = 4


def fold(text: str) -> str:
    """Width, case and space folded: the form every comparison uses. `CA 证书` is `ca证书`."""
    spaced = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()
    return _SPACE_BY_HAN.sub("", spaced)


@lru_cache(maxsize=4096)
def clean_query(text: str) -> str:
    """A customer's line without greetings, politeness, mentions and emoji; errors are kept.

    Never empty for a text with words: when little remains, the folded text is returned.
    """
    whole = fold(text)
    rest = _REPEAT.sub(r"\1", _EMOJI.sub(" ", _MENTION.sub(" ", whole + " "))).strip()
    rest = _trim(rest, _OPENING, at_end=False)
    rest = _trim(rest, _CLOSING, at_end=True)
    return rest if _WORD.search(rest) else whole


def _trim(text: str, pattern: re.Pattern[str], *, at_end: bool) -> str:
    while (found := pattern.search(text)) is not None:
        rest = text[: found.start()] if at_end else text[found.end() :]
        if len(squeeze(rest)) < MIN_REMAINDER:
            return text
        text = rest
    return text


def squeeze(text: str) -> str:
    """Folded text with nothing but letters, digits and Chinese characters."""
    return _ALNUM.sub("", fold(text))


def words(text: str) -> tuple[str, ...]:
    """Jieba words of the folded text, punctuation dropped, order kept."""
    return folded_words(fold(text))


def grams(text: str) -> tuple[str, ...]:
    """Character 1- and 2-grams; a run of Latin letters or digits counts as one character."""
    return folded_grams(fold(text))


@lru_cache(maxsize=20_000)
def folded_words(text: str) -> tuple[str, ...]:
    """`words` of a text that is folded already."""
    return tuple(filter(_WORD.search, rjieba.cut(text)))


@lru_cache(maxsize=20_000)
def folded_grams(text: str) -> tuple[str, ...]:
    """`grams` of a text that is folded already."""
    units = _UNIT.findall(text)
    return (*units, *map(operator.add, units, units[1:]))
