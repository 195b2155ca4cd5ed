"""Timers of the desk in the app. Each locks the desk before the timer, as those who set it do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.desk.news import DIGEST_TIMER, WINDOW_TIMER
from bot.desk.words import ago, clock, problem, who
from core.db import Tx, UnitOfWork
from core.desk import queries
from core.desk.outgoing import FLUSH_TIMER
from core.desk.service import Desk, flush_due
from core.sessions.queries import session_view
from core.sessions.queue import queue_board
from core.settings.reception import Window
from core.timers.runner import Job
from core.timers.service import Timer, finish, set_timer

_LISTED = 5
_Work = Callable[[Tx, Timer], Awaitable[None]]


def timer_jobs(uow: UnitOfWork) -> dict[str, Job]:
    """What the desk's timers do."""
    return {
        FLUSH_TIMER: _job(uow, flush_due),
        DIGEST_TIMER: _job(uow, tell_queue),
        WINDOW_TIMER: _job(uow, warn_of_window),
    }


def _job(uow: UnitOfWork, work: _Work) -> Job:
    async def run(timer: Timer) -> None:
        async with uow.write() as tx:
            await work(tx, timer)

    return run


async def tell_queue(tx: Tx, timer: Timer) -> None:
    """Several wait: one digest instead of a card for each."""
    desk = await Desk.of_servicer(tx, timer.key)
    await finish(tx, timer)
    board = await queue_board(tx)
    if desk is None or not board.items:
        return
    longest = max(item.waiting_s for item in board.items)
    rows = [
        f"{place}. {who(item.session)}，{problem(item.session, 30)}"
        for place, item in enumerate(board.items[:_LISTED], start=1)
    ]
    head = f"现在有 {len(board.items)} 位客户在排队，最久的等了{ago(timedelta(seconds=longest))}："
    await desk.notify("\n".join([head, *rows, "发「接入」接最前面的一位。"]))


async def warn_of_window(tx: Tx, timer: Timer) -> None:
    """The reply window ends soon, unless the customer wrote meanwhile."""
    now = (await queries.served(tx, [timer.key])).get(timer.key)
    desk = await Desk.of_servicer(tx, now.servicer.id) if now else None
    await finish(tx, timer)
    if now is None:
        return
    session = await session_view(tx, timer.key)
    until = session.window.until
    if until is None or until <= tx.now or not session.window.left:
        return
    before = timedelta(seconds=tx.settings.get(Window).warn_before_s)
    if until - tx.now > before:
        await set_timer(tx, timer.kind, timer.key, until - before)
        return
    number = await desk.number_of(timer.key) if desk else None
    if desk is not None and number is not None:
        await desk.notify(
            f"#{number} {who(session)} 的回复窗口 {clock(until)} 关闭，"
            f"还可发 {session.window.left} 条。有结果请尽快告诉客户。"
        )
