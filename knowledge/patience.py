"""Work in the background waits for a busy model; only customers may not be kept waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

T = TypeVar("T")
#: Each try waits as long as a customer would.
_TRIES: Final = 20


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again while the model is late. Raises: TimeoutError when it stays so."""
    for _ in range(_TRIES - 1):
        with suppress(TimeoutError):
            return await ask()
    return await ask()
