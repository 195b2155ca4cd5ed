"""The synonym table that editors maintain: customers' words → the base's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from knowledge.text import fold

_COMMENT = "#"


class SynonymError(ValueError):
    """A line that is not `term = variant, variant`. The message names the line."""


@dataclass(frozen=True)
class Synonyms:
    """`variant → term`, both folded. Replaces whole Latin words and the longest match first."""

    terms: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Synonyms:
        """Read lines `term = variant, variant`; `#` starts a comment.

        Raises: SynonymError for the first line that cannot be read.
        """
        terms: dict[str, str] = {}
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.split(_COMMENT, 1)[0].strip()
            if not line:
                continue
            term, equals, variants = line.partition("=")
            found = [fold(v) for v in re.split(r"[,，、]", variants) if v.strip()]
            if not equals or not term.strip() or not found:
                raise SynonymError(f"line {number}: expected `term = variant, variant`")
            terms |= {variant: fold(term) for variant in found if variant != fold(term)}
        return cls(terms)

    @classmethod
    def shipped(cls) -> Synonyms:
        """The default table for public-health software."""
        file = resources.files("knowledge") / "data" / "synonyms.txt"
        return cls.parse(file.read_text(encoding="utf-8"))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        # Terms match themselves, so that a variant inside a term is left alone.
        alternatives = sorted({*self.terms, *self.terms.values()}, key=len, reverse=True)
        return re.compile("|".join(map(_whole_word, alternatives))) if alternatives else None

    def apply(self, text: str, known: Callable[[str], bool] = lambda _: True) -> str:
        """Folded text with every variant replaced by its term, where the base knows the term."""
        folded = fold(text)
        if self._pattern is None:
            return folded

        def replace(match: re.Match[str]) -> str:
            term = self.terms.get(match.group(), match.group())
            return term if known(term) else match.group()

        return self._pattern.sub(replace, folded)

    def terms_in(self, text: str) -> frozenset[str]:
        """The table's terms that occur in a folded text."""
        return frozenset(term for term in set(self.terms.values()) if term in text)


def _whole_word(variant: str) -> str:
    before = r"(?<![a-z0-9])" if variant[0].isascii() and variant[0].isalnum() else ""
    after = r"(?![a-z0-9])" if variant[-1].isascii() and variant[-1].isalnum() else ""
    return f"{before}{re.escape(variant)}{after}"
