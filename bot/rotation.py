"""`wenqu secrets rotate`: everything that rests sealed, under the newest key of the ring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from core.actor import Actor
from core.api_keys import service as api_key_service
from core.audit import service as audit
from core.customers.resealing import Resealing
from core.db import Tx, UnitOfWork
from core.imports import service as imports
from core.oa import conflicts as oa_conflicts
from core.remote_assistance import vpn
from core.sealing import KeyRing

Step = Callable[[Tx, str], Awaitable[str | None]]


async def rotate(uow: UnitOfWork, keys: KeyRing) -> None:
    """May be interrupted and repeated, and run beside the service.

    Raises: SealBroken when something is sealed with a key that is not on the ring.
    """
    customers = Resealing(keys)

    async def profiles(tx: Tx, after: str) -> str | None:
        return await vpn.reseal(tx, keys, after=after)

    async def api_keys(tx: Tx, after: str) -> str | None:
        return await api_key_service.reseal(tx, keys, after=after)

    async def conflicts(tx: Tx, after: str) -> str | None:
        return await oa_conflicts.reseal(tx, keys, after=after)

    async def rows(tx: Tx, after: str) -> str | None:
        return await imports.reseal(tx, keys, after=after)

    steps: tuple[Step, ...] = (
        customers.merges,
        customers.customers,
        customers.registrations,
        profiles,
        api_keys,
        conflicts,
        rows,
    )
    for step in steps:
        after: str | None = ""
        while after is not None:
            async with uow.write() as tx:
                after = await step(tx, after)
    async with uow.write() as tx:
        facts = {"key": keys.key_ids[0]}
        await audit.append(tx, by=Actor.system("cli"), action="secrets.rotated", facts=facts)
