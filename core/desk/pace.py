"""How often the app may speak to one member: pure arithmetic over what was said lately.

WeCom drops, without an error, what exceeds 30 messages a minute or 1,000 an hour to one member.
Source: developer.work.weixin.qq.com/document/path/90312
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: At most so many messages within so many seconds. A burst is followed by joined lines.
NOTICES: Final = ((8, 8.0), (22, 60.0), (900, 3600.0))
#: Answers to what the servicer typed may take what notices leave.
ANSWERS: Final = ((28, 60.0), (980, 3600.0))
LONGEST_S: Final = 3600.0

Rules = tuple[tuple[int, float], ...]


def recent(sent: Sequence[float], now: float) -> list[float]:
    """Those moments that any rule still counts."""
    return [at for at in sent if at > now - LONGEST_S]


def room(sent: Sequence[float], now: float, rules: Rules) -> int:
    """How many messages may go now."""
    return max(0, min(most - sum(at > now - span for at in sent) for most, span in rules))


def wait_s(sent: Sequence[float], now: float, rules: Rules) -> float:
    """Seconds until one more may go."""
    waits = [0.0]
    for most, span in rules:
        counted = sorted(at for at in sent if at > now - span)
        if len(counted) >= most:
            waits.append(counted[len(counted) - most] + span - now)
    return max(waits)
