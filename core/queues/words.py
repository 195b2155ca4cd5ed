"""What a waiting customer is told: their place and an honest time."""

from __future__ import annotations

from core.db import Tx
from core.settings.reception import Reception


def queue_words(tx: Tx, position: int, promise_s: int | None) -> str:
    """promise_s None: nobody is there to serve."""
    words = tx.settings.get(Reception)
    if promise_s == 0:
        return words.soon_text
    text = words.nobody_online_text if promise_s is None else words.queued_text
    wait = spoken_duration(promise_of(tx, promise_s))
    facts = {"position": position, "ahead": position - 1, "wait": wait}
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def promise_of(tx: Tx, promise_s: int | None) -> int:
    """What these words promise, in seconds: somebody serves, or a message can be left."""
    return tx.settings.get(Reception).nobody_online_s if promise_s is None else promise_s


def spoken_duration(seconds: int) -> str:
    """A duration as people say it: 0 → 马上, 300 → 约 5 分钟, 5400 → 约 1.5 小时."""
    if seconds <= 0:
        return "马上"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"约 {minutes} 分钟"
    hours = round(minutes / 30) / 2
    return f"约 {hours:g} 小时"
