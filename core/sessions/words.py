"""Durations as people say them, in the customer's language."""

from __future__ import annotations


def spoken_duration(seconds: int) -> str:
    """为客户说出的时长: 0 → 马上, 300 → 约 5 分钟, 5400 → 约 1.5 小时."""
    if seconds <= 0:
        return "马上"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"约 {minutes} 分钟"
    hours = round(minutes / 30) / 2
    return f"约 {hours:g} 小时"
