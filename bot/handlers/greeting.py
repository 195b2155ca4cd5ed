"""A customer entered through a link: greet with the welcome code, inside its 20 seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.answering import ASK, PEOPLE
from bot.context import Context
from bot.handlers.registration import BEGIN_ITEM
from bot.router import Router
from bot.ticket_words import MINE_ITEM
from bot.turn import Turn
from channels.update import SessionEntered
from core.actor import Actor
from core.content import Menu, MenuItem
from core.customers import tags
from core.customers.queries import customer_view
from core.registration import entry as entries
from core.settings.sections import Bot, GreetingItem
from core.tickets.queries import TicketFilter, list_tickets
from core.tickets.states import UNRESOLVED
from core.views import TicketState

router = Router("greeting")
_LINK: Final = Actor.system("registration_link")
_OPEN: Final = (*UNRESOLVED, TicketState.RESOLVED)


_MAX_ITEMS: Final = 10
LINK_OVER: Final = "您使用的登记链接已停用或已过期，请向客服索取新的链接；您仍可以直接咨询。"


@router.on(SessionEntered)
async def entered(update: SessionEntered, ctx: Context) -> None:
    """Remember where they came from, follow a signed link, greet with the platform's code."""
    async with ctx.write() as turn:
        conversation, customer = turn.thread.conversation, turn.thread.customer
        is_good = True
        if update.scene:
            conversation.scene = update.scene[:64]
            conversation.scene_param = update.scene_param[:256]
            is_good = await _place(turn, ctx, update.scene_param)
        if update.welcome_code:
            institution = await _institution_of(turn)
            extra = [MINE_ITEM] if await _has_open_tickets(turn) else []
            if customer.is_temporary and not institution:
                extra.append(BEGIN_ITEM)
            await turn.say(
                greeting(
                    turn.words,
                    institution=institution,
                    extra=extra,
                    notice="" if is_good else LINK_OVER,
                ),
                event_code=update.welcome_code,
                code_expires_at=update.code_expires_at,
            )


def greeting(
    words: Bot, *, institution: str = "", extra: Sequence[MenuItem] = (), notice: str = ""
) -> Menu:
    """extra: what only this customer needs; it is never crowded out. notice: said first."""
    items = [_item(index, item) for index, item in enumerate(words.greeting_menu)]
    head = f"欢迎您，{institution}的老师！\n{words.greeting}" if institution else words.greeting
    head = f"{notice}\n{head}" if notice else head
    return Menu(head=head, items=(*items[: _MAX_ITEMS - len(extra)], *extra))


async def _place(turn: Turn, ctx: Context, scene_param: str) -> bool:
    """Bind to the institution and team of a signed link; the product becomes a tag.

    False when the link is over.
    """
    customer = turn.thread.customer
    entry = await entries.enter(turn.tx, ctx.tools.keys, customer.id, scene_param)
    if entry is None or entry == "over":
        return entry is None
    await turn.tx.db.refresh(customer)
    product = f"{entry.product} {entry.product_version}".strip()[:32]
    if product:
        await tags.change_many(turn.tx, [customer.id], add=[product], remove=[], by=_LINK)
    return True


async def _institution_of(turn: Turn) -> str:
    return (await customer_view(turn.tx, turn.thread.customer.id)).institution_name or ""


async def _has_open_tickets(turn: Turn) -> bool:
    wanted = TicketFilter(customer_id=turn.thread.customer.id, states=tuple(_OPEN))
    return bool((await list_tickets(turn.tx, wanted, limit=1)).items)


def _item(index: int, item: GreetingItem) -> MenuItem:
    if item.kind == "link":
        return MenuItem(kind="view", label=item.label, url=item.value)
    return MenuItem(
        id=PEOPLE if item.kind == "handoff" else f"{ASK}greeting_{index}", label=item.label
    )
