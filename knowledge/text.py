"""Query cleaning and tokens. Pure functions over strings."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

import rjieba

#: Opening words that carry no question; removed only in front, and only when enough remains.
_OPENINGS = tuple(
    (
        "尊敬的 各位 老师们 老师 客服 亲 你好 您好 hello hi 哈喽 嗨 早上好 上午好 中午好 下午好 晚上好 早 在吗 在不在 在么 有人吗 打扰了 "
        "打扰一下 打扰下 不好意思 请教一下 请教下 请教 请问一下 请问下 请问 想问一下 想问下 我想问一下 我想问下 我想咨询一下 咨询一下 咨询下 问一下 问下 "
        "麻烦问一下 麻烦问下 麻烦帮忙看一下 麻烦帮忙看看 麻烦看一下 麻烦 那个 就是说"
    ).split()
)
_CLOSINGS = tuple(
    (
        "谢谢啦 谢谢了 谢谢您 谢谢你 谢谢老师 谢谢 多谢 感谢 辛苦了 麻烦了 麻烦您了 麻烦老师 麻烦帮忙看看 麻烦帮忙看一下 麻烦看一下 麻烦快点看下 麻烦快点 "
        "帮忙看看 帮忙看一下 帮忙看下 帮我看看 帮我看下 急急急 急用啊 急用 急死了 很急 急 在线等 求助 拜托了 拜托 老师 呀老师 亲"
    ).split()
)
_FILLER = re.compile(r"[\s,，.。!！?？~～、;；:：…\-—]*")
_MENTION = re.compile(r"@[^\s@]{1,20}[\s\u2005]")
_REPEAT = re.compile(r"([!！?？。~～,，、…])\1+")
_SPACE = re.compile(r"\s+")
_SPACE_BY_HAN = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[a-z0-9])|(?<=[a-z0-9]) (?=[\u4e00-\u9fff])")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+|\\[[\u4e00-\u9fa5]{1,4}\\]")
_WORD = re.compile(r"[0-9a-z\u4e00-\u9fff]")
_ALNUM = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_OPENING = re.compile(rf"^(?:{_alternatives(_OPENINGS)})(?:{_FILLER.pattern})")
_CLOSING = re.compile(
    rf"[\s,，.。!！?？~～、;；…]+(?:{_alternatives(_CLOSINGS)})[\s,，.。!！~～…]*$"
)

#: What must remain after greetings are taken off; shorter remainders keep the original.
MIN_REMAINDER = 4


def fold(text: str) -> str:
    """Width, case and space folded: the form every comparison uses. `CA 证书` is `ca证书`."""
    spaced = _SPACE.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()
    return _SPACE_BY_HAN.sub("", spaced)


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


@lru_cache(maxsize=20_000)
def words(text: str) -> tuple[str, ...]:
    """Jieba words of folded text, punctuation dropped, order kept."""
    return tuple(word for word in rjieba.cut(fold(text)) if _WORD.search(word))


@lru_cache(maxsize=20_000)
def grams(text: str) -> tuple[str, ...]:
    """Character 1- and 2-grams; a run of Latin letters or digits counts as one character."""
    units = re.findall(r"[a-z]+|[0-9]+|[\u4e00-\u9fff]", fold(text))
    return (*units, *(a + b for a, b in itertools.pairwise(units)))
