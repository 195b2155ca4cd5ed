"""在线, 忙碌, 离线, and whether notices come at all."""

from __future__ import annotations

from bot.context import Context
from bot.desk.bench import Bench, serve
from bot.desk.words import HELP, PRESENCES
from core.servicers.service import set_presence
from core.sessions.queries import queue_board
from core.views import Presence


async def online(ctx: Context, _: str) -> None:
    await _set(ctx, Presence.ONLINE)


async def busy(ctx: Context, _: str) -> None:
    await _set(ctx, Presence.BUSY)


async def offline(ctx: Context, _: str) -> None:
    await _set(ctx, Presence.OFFLINE)


async def _set(ctx: Context, presence: Presence) -> None:
    """Said in the app it holds, whether a console is open or not."""

    async def work(bench: Bench) -> None:
        me = bench.desk.servicer
        view = await set_presence(bench.tx, me.id, presence, by=bench.actor, stays=True)
        waiting = len((await queue_board(bench.tx)).items)
        held = len(await bench.desk.sessions())
        await bench.desk.answer(_words(presence, held, view.capacity, waiting))

    await serve(ctx, work)


def _words(presence: Presence, held: int, capacity: int, waiting: int) -> str:
    facts = f"您有 {held} 个会话（上限 {capacity}），排队中 {waiting} 位。"
    if presence is Presence.ONLINE:
        return f"您现在是「在线」，会自动分到新会话。{facts}"
    still = "手上的会话请继续处理或转接。" if held else ""
    return f"您现在是「{PRESENCES[presence]}」，不会再分到新会话。{still}{facts}"


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
