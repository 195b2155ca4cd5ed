"""One rule over many sessions: each in a transaction of its own, and none stops the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.db import UnitOfWork
from core.errors import DomainError


async def each(
    uow: UnitOfWork, work: Callable[..., Awaitable[object]], session_id: str, **more: object
) -> None:
    """Do it, unless the session moved meanwhile: then the rule no longer holds."""
    try:
        async with uow.write() as tx:
            await work(tx, session_id, **more)
    except DomainError:
        return
