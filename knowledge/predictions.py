"""Many questions at once, through the very code that answers customers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from knowledge.answerer import Answerer
from knowledge.decisions import FaqDecision
from knowledge.retriever import Band

_AT_ONCE: Final = 8


async def predict(
    answerer: Answerer,
    queries: Sequence[tuple[str, str]],
    *,
    progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """`{query_id, answer_id, confidence, band}` for each (query_id, query), in their order.

    answer_id: the imported id of the article that the bot answers with or puts first in its
    menu; None when it shows none (hand-off or gate).
    """
    lines: list[dict[str, Any]] = []
    for start in range(0, len(queries), _AT_ONCE):
        part = queries[start : start + _AT_ONCE]
        decisions = await asyncio.gather(*(answerer.decide(query) for _, query in part))
        lines += [
            _line(query_id, decision)
            for (query_id, _), decision in zip(part, decisions, strict=True)
        ]
        if progress is not None:
            progress(len(lines))
    return lines


def _line(query_id: str, decision: FaqDecision) -> dict[str, Any]:
    shows = decision.band in {Band.ANSWER, Band.MENU} and bool(decision.offers)
    return {
        "query_id": query_id,
        "answer_id": decision.offers[0].external_id if shows else None,
        "confidence": round(decision.confidence if decision.gate is None else 0.0, 6),
        "band": decision.band,
    }
