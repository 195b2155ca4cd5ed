"""What a waiting customer is told: their place and an honest time."""

from __future__ import annotations

from core.db import Tx
from core.settings.reception import Reception


def queue_words(tx: Tx, position: int, promise_s: int | None) -> str:
    """promise_s None: nobody is there to serve."""
    words = tx.settings.get(Reception)
    if promise_s is None:
        return words.nobody_online_text
    if promise_s == 0:
        return words.soon_text
    facts = {"position": position, "ahead": position - 1, "wait": spoken_duration(promise_s)}
    text = words.queued_text
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def spoken_duration(seconds: int) -> str:
    """A duration as people say it: 0 → 马上, 300 → 约 5 分钟, 5400 → 约 1.5 小时."""
    if seconds <= 0:
        return "马上"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"约 {minutes} 分钟"
    hours = round(minutes / 30) / 2
    return f"约 {hours:g} 小时"
