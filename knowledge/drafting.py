"""Help with a reply: sentences from articles, each with its source; never anything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from core.ports import refuse_inside_write_block
from core.views import View
from knowledge.answerer import Answerer
from knowledge.config import LlmSettings
from knowledge.encoders import PostJson
from knowledge.text import fold, words
from knowledge.views import FoundArticle

log = logging.getLogger(__name__)

_ARTICLES: Final = 3
#: A further article is drawn on when it is at least this near to the best one.
_NEAR: Final = 0.6
_LEAST: Final = 0.1
#: Answers up to this length are quoted whole.
_WHOLE: Final = 400
_SENTENCES: Final = 4
_SENTENCE: Final = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?|\n+")
#: What must stand in a source word for word: figures, codes, and names in quotation marks.
_HARD_FACTS: Final = re.compile(r"[a-z0-9][a-z0-9._:/@-]*|[“\"「『]([^”\"」』]{1,30})[”\"」』]")
_GROUNDED: Final = 0.6
_ORDER: Final = (
    "你是客服助手。只根据下面的知识条目回答客户，不得加入条目之外的任何信息；"
    "条目答不了时只回复“无法回答”。用简洁礼貌的中文。"
)


class Source(View):
    article_id: str
    title: str
    quote: str


class DraftReply(View):
    """text: for the servicer to check and send; empty when no article helps.

    how: extracted (sentences as they stand) or written (by the optional model, from the sources).
    """

    text: str
    sources: tuple[Source, ...]
    how: str


class Writer(Protocol):
    """Something that words a reply from sources."""

    async def write(self, question: str, sources: Sequence[Source]) -> str: ...


async def draft_reply(
    answerer: Answerer, question: str, *, writer: Writer | None = None
) -> DraftReply:
    """A reply to the question from the nearest live articles."""
    found = await answerer.search(question, _ARTICLES)
    sources = tuple(
        Source(
            article_id=item.article.id,
            title=item.article.question,
            quote=extract(item.article.answer, question),
        )
        for item in _near(found)
        if item.article.answer
    )
    if writer is not None and sources:
        text = await _written(writer, question, sources)
        if text:
            return DraftReply(text=text, sources=sources, how="written")
    quotes = "\n\n".join(source.quote for source in sources)
    return DraftReply(text=quotes, sources=sources, how="extracted")


def extract(answer: str, question: str) -> str:
    """The sentences of an answer that say most about the question, in their order."""
    if len(answer) <= _WHOLE:
        return answer
    pieces = _SENTENCE.findall(answer)
    asked = set(words(question))
    best = sorted(
        (at for at, piece in enumerate(pieces) if piece.strip()),
        key=lambda at: (-len(asked & set(words(pieces[at]))), at),
    )[:_SENTENCES]
    return "".join(pieces[at].strip() for at in sorted(best))


def is_grounded(text: str, sources: Sequence[Source], question: str) -> bool:
    """Every figure, code and quoted name is in a source; so are most words of every sentence."""
    said = fold(" ".join((*(s.title + " " + s.quote for s in sources), question)))
    known = set(words(said))
    for found in _HARD_FACTS.finditer(fold(text)):
        if (found.group(1) or found.group()) not in said:
            return False
    for sentence in _SENTENCE.findall(text):
        own = [word for word in words(sentence) if len(word) > 1]
        if own and sum(word in known for word in own) / len(own) < _GROUNDED:
            return False
    return True


def _near(found: Sequence[FoundArticle]) -> list[FoundArticle]:
    if not found or found[0].score < _LEAST:
        return []
    return [item for item in found if item.score >= found[0].score * _NEAR]


async def _written(writer: Writer, question: str, sources: Sequence[Source]) -> str:
    try:
        text = (await writer.write(question, sources)).strip()
    except (OSError, TimeoutError, ValueError) as error:
        log.warning(
            "The model did not word a reply; its sources are quoted instead.",
            extra={"action": "draft.fell_back", "reason": type(error).__name__},
        )
        return ""
    if not is_grounded(text, sources, question):
        log.info("A reply left its sources and was dropped.", extra={"action": "draft.dropped"})
        return ""
    return text


class ChatModel:
    """An OpenAI-compatible `/chat/completions` endpoint, over a lent HTTP call."""

    def __init__(self, post: PostJson, settings: LlmSettings) -> None:
        self._post = post
        self._url = settings.url.rstrip("/") + "/chat/completions"
        self._model = settings.model
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def write(self, question: str, sources: Sequence[Source]) -> str:
        """Raises: ValueError for an answer of unknown form; what the HTTP call raises."""
        refuse_inside_write_block("the language model")
        articles = "\n\n".join(f"【{source.title}】\n{source.quote}" for source in sources)
        body: dict[str, object] = {
            "model": self._model,
            "temperature": 0,
            "messages": [
                {"role": "system", "content": f"{_ORDER}\n\n{articles}"},
                {"role": "user", "content": question},
            ],
        }
        return _content(await self._post(self._url, body, self._headers))


def _content(answer: object) -> str:
    try:
        assert isinstance(answer, Mapping)  # noqa: S101 - narrows; judged with the rest below
        return str(answer["choices"][0]["message"]["content"])
    except (AssertionError, KeyError, IndexError, TypeError) as error:
        raise ValueError("the chat endpoint answered in an unknown form") from error
