"""Daily figures of an account and of its servicers."""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.state import DAY_S, DayFigures, KfAccount, Thread
from channels.wecom.sandbox.world import World

_BEIJING_S: Final = 8 * 3600


def day_start(at: float) -> int:
    """0:00 Beijing time of the day that contains `at`."""
    return int((at + _BEIJING_S) // DAY_S * DAY_S) - _BEIJING_S


def of_account(world: World, account: KfAccount) -> DayFigures:
    return _figures(account, f"{day_start(world.now())}|")


def of_servicer(world: World, account: KfAccount, userid: str) -> DayFigures:
    return _figures(account, f"{day_start(world.now())}|{userid}")


def count_session(world: World, thread: Thread) -> None:
    account = world.state.accounts[thread.open_kfid]
    of_account(world, account).sessions += 1
    if thread.servicer is not None:
        of_servicer(world, account, thread.servicer).sessions += 1


def count_customer_message(world: World, thread: Thread) -> None:
    account = world.state.accounts[thread.open_kfid]
    rows = [of_account(world, account)]
    if thread.servicer is not None:
        rows.append(of_servicer(world, account, thread.servicer))
    for row in rows:
        row.customers.add(thread.external_userid)
        row.customer_messages += 1


def _figures(account: KfAccount, key: str) -> DayFigures:
    return account.figures.setdefault(key, DayFigures())
