"""Nobody waits in the dark: places as they move, and the truth when nobody will come."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot import leaving
from bot.jobs.each import each
from core.content import Menu, MenuItem
from core.conversations.threads import get_thread
from core.db import Tx, UnitOfWork
from core.queues.words import spoken_duration
from core.sessions.moves import get_session
from core.sessions.queue import slots_for
from core.sessions.waiting import Waiting, moved_up, not_offered, offer, tell_place
from core.settings.reception import Reception

_CHOICES: Final = (
    MenuItem(id=leaving.LEAVE, label="留言"),
    MenuItem(id=leaving.STAY, label="继续等候"),
)


async def tell_waiting(uow: UnitOfWork) -> None:
    """Tell whoever waits what has changed for them; each in a transaction of its own."""
    async with uow.read() as tx:
        moved = await moved_up(tx)
        offers = [(one, await _offer_for(tx, one)) for one in await not_offered(tx)]
    for session_id in moved:
        await each(uow, tell_place, session_id)
    for waiting, menu in offers:
        for session_id in waiting.session_ids if menu else ():
            await each(uow, offer, session_id, content=menu)


async def _offer_for(tx: Tx, waiting: Waiting) -> Menu | None:
    """The first speaks for all of a route; None while there is somebody to wait for."""
    row = await get_session(tx, waiting.session_ids[0])
    thread = await get_thread(tx, row.conversation_id)
    closed = await leaving.after_hours(tx, thread)
    if closed is not None:
        back = f"，我们 {leaving.spoken_moment(closed.back_at)} 上班" if closed.back_at else ""
        head = (
            f"抱歉，人工客服已经下班，还没能接待您{back}。您可以点“留言”，我们建成工单后按时回复；"
            "也可以继续等候，上班后按顺序接待。"
        )
        return Menu(head=head, items=_CHOICES)
    waited = tx.now - waiting.since
    patience = timedelta(seconds=tx.settings.get(Reception).nobody_online_s)
    if waited < patience or (await slots_for(tx, row)).servicers_online:
        return None
    head = (
        f"抱歉，您已等候{spoken_duration(int(waited.total_seconds()))}，现在仍没有客服在线。"
        "您可以点“留言”，我们建成工单后回复；也可以继续等候，客服上线后按顺序接待。"
    )
    return Menu(head=head, items=_CHOICES)
