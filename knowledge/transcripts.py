"""A finished session or ticket as an article draft: question and answer, no personal data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from knowledge.content import ArticleContent
from knowledge.redaction import redacted
from knowledge.text import clean_query, squeeze

_FEWEST: Final = 4
_MOST_WORDINGS: Final = 5
_ASKING: Final = ("?", "？", "吗", "呢", "么")
#: What servicers say without answering anything.
_COURTESY: Final = re.compile(
    r"(?:您好|你好|在的|好的?|嗯+|稍等|请稍等|稍等一下|请稍候|我看一下|我看看|帮您看一下|不客气|不用谢|"
    r"请问还有(?:其他)?(?:什么)?(?:问题|可以帮您的?)吗|有什么可以帮您的?吗?|谢谢|感谢(?:您的)?(?:咨询|理解)?|再见|"
    r"祝您(?:生活|工作)愉快|收到)+"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a session, in its order."""

    sender: Literal["customer", "servicer", "bot"]
    text: str


def content_of_session(
    lines: Sequence[Line], *, names: Sequence[str] = ()
) -> ArticleContent | None:
    """Question, other wordings and answer; None when nobody asked or nobody answered.

    names: of the people who took part; they and other personal data are taken out.
    """
    asked = [_question(line.text, names) for line in lines if line.sender == "customer"]
    asked = [text for text in dict.fromkeys(asked) if _asks(text)]
    said = [line.text.strip() for line in lines if line.sender == "servicer"]
    answer = "\n".join(redacted(text, names=names) for text in said if not is_courtesy(text))
    if not asked or not answer:
        return None
    first = _main_question(lines, names) or asked[0]
    others = [text for text in asked if text != first and text.endswith(_ASKING)]
    return ArticleContent(
        question=first[:500],
        answer=answer[:50_000],
        similar=tuple(text[:500] for text in others[:_MOST_WORDINGS]),
    )


def content_of_ticket(
    title: str, lines: Sequence[Line], *, names: Sequence[str] = ()
) -> ArticleContent | None:
    """The title as the question, the customer's own questions as wordings, what we did as answer.

    None when nobody of us has written anything of use yet.
    """
    asked = [_question(line.text, names) for line in lines if line.sender == "customer"]
    wordings = [text for text in dict.fromkeys(asked) if _asks(text) and text.endswith(_ASKING)]
    said = dict.fromkeys(line.text.strip() for line in lines if line.sender == "servicer")
    answer = "\n".join(redacted(text, names=names) for text in said if not is_courtesy(text))
    if not answer:
        return None
    return ArticleContent(
        question=_question(title, names)[:500],
        answer=answer[:50_000],
        similar=tuple(text[:500] for text in wordings[:_MOST_WORDINGS]),
    )


def is_courtesy(text: str) -> bool:
    return _COURTESY.fullmatch(squeeze(text)) is not None


def _main_question(lines: Sequence[Line], names: Sequence[str]) -> str:
    """The customer's longest line before the first real answer."""
    before: list[str] = []
    for line in lines:
        if line.sender == "servicer" and not is_courtesy(line.text):
            break
        if line.sender == "customer":
            before.append(_question(line.text, names))
    return max(filter(_asks, before), key=len, default="")


def _asks(text: str) -> bool:
    return len(squeeze(clean_query(text))) >= _FEWEST


def _question(text: str, names: Sequence[str]) -> str:
    return redacted(text.strip(), names=names)
