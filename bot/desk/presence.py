"""在线, 忙碌, 离线, and whether notices come at all."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.words import HELP, PRESENCES, clock
from core.servicers.service import Going, set_presence
from core.sessions.queue import queue_board
from core.views import Presence

#: What may follow 离线: what becomes of the sessions at hand.
KEEP: Final = "保留"
LET_GO: Final = "转出"


async def online(ctx: Context, _: str) -> None:
    await _set(ctx, Presence.ONLINE)


async def busy(ctx: Context, _: str) -> None:
    await _set(ctx, Presence.BUSY)


async def offline(ctx: Context, rest: str) -> None:
    """离线 · 离线 保留 (my sessions wait for me) · 离线 转出 (others get them)."""
    await _set(ctx, Presence.OFFLINE, keeps={KEEP: True, LET_GO: False}.get(rest))


async def _set(ctx: Context, presence: Presence, *, keeps: bool | None = None) -> None:
    """Said in the app it holds, whether a console is open or not."""
    going = Going(presence, stays=True, keeps=keeps)

    async def work(bench: Bench) -> None:
        me = bench.desk.servicer
        view = await set_presence(bench.tx, me.id, going, by=bench.actor)
        waiting = len((await queue_board(bench.tx)).items)
        held = len(await bench.desk.sessions())
        words = _words(presence, held, view.capacity, waiting)
        await bench.desk.answer(words + _kept(held, view.keeps_until, presence))

    await serve(ctx, work)


def _words(presence: Presence, held: int, capacity: int, waiting: int) -> str:
    facts = f"您有 {held} 个会话（上限 {capacity}），排队中 {waiting} 位。"
    if presence is Presence.ONLINE:
        return f"您现在是「在线」，会自动分到新会话。{facts}"
    still = "手上的会话请继续处理或转接。" if held else ""
    return f"您现在是「{PRESENCES[presence]}」，不会再分到新会话。{still}{facts}"


def _kept(held: int, until: datetime | None, presence: Presence) -> str:
    if presence is not Presence.OFFLINE or not held:
        return ""
    if until is None:
        return "有客户在等时会分给同事；想留给自己请发「离线 保留」。"
    return f"手上的会话为您保留到 {clock(until)}，期间不分给别人；不想保留请发「离线 转出」。"


async def notices(ctx: Context, rest: str) -> None:
    """通知 关 · 通知 开: for those who sit at the console."""

    async def work(bench: Bench) -> None:
        is_quiet = rest == "关"
        bench.desk.keep_quiet(is_quiet=is_quiet)
        await bench.desk.answer(
            "已关闭通知：新会话和客户消息不再发到这里，请在控制台处理。发「通知 开」恢复。"
            if is_quiet
            else "已打开通知：新会话和客户消息会发到这里。"
        )

    await serve(ctx, work)


async def manual(ctx: Context, _: str) -> None:
    """帮助."""
    await serve(ctx, lambda bench: bench.desk.answer(HELP))
