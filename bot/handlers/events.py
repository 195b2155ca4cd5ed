"""What happened on the platform besides speech: recalls, failures, native sessions, presence."""

from __future__ import annotations

import logging

from bot.context import Context
from bot.filters.content import from_servicer
from bot.router import Router
from bot.turn import Turn
from channels.update import (
    AccountsChanged,
    CustomerMuted,
    DeliveryFailed,
    HandoverChanged,
    MessageRecalled,
    MessageReceived,
    ServicerStatusChanged,
    UnknownEvent,
)
from core import inbox
from core.accounts.queries import find_account
from core.conversations import deliveries
from core.conversations import service as conversations
from core.conversations.receipts import mark_recalled
from core.servicers.queries import servicer_of_wecom
from core.servicers.service import set_accepting
from core.sessions import native
from core.views import ServicerView

log = logging.getLogger(__name__)
router = Router("events")


@router.on(MessageReceived, from_servicer)
async def servicer_wrote(update: MessageReceived, ctx: Context) -> None:
    """A person answered in the platform's client: mirror it, credited to them."""
    async with ctx.write() as turn:
        servicer = await _servicer(turn, update.servicer_ref)
        if servicer is not None:
            await native.follow_writer(turn.tx, turn.thread, turn.session, servicer.id)
            turn.session = await native.current(turn.tx, turn.thread)
        who = (servicer.id, servicer.name) if servicer else ("", update.servicer_ref or "")
        await turn.hear_servicer(update.message_id, update.content, update.occurred_at, who)


@router.on(MessageRecalled)
async def message_recalled(update: MessageRecalled, ctx: Context) -> None:
    async with ctx.write() as turn:
        row = await conversations.find_heard(turn.tx, turn.thread.account.id, update.message_id)
        if row is not None:
            await mark_recalled(turn.tx, row, update.occurred_at)
            lines = turn.thread.conversation.pending_lines
            turn.thread.conversation.pending_lines = [one for one in lines if one != row.id]


@router.on(DeliveryFailed)
async def delivery_failed(update: DeliveryFailed, ctx: Context) -> None:
    async with ctx.write() as turn:
        await deliveries.bounced(turn.tx, update.message_id, update.reason)


@router.on(HandoverChanged)
async def handover_changed(update: HandoverChanged, ctx: Context) -> None:
    """Somebody picked, transferred, ended or re-opened a session in the platform's client."""
    async with ctx.write() as turn:
        servicer = await _servicer(turn, update.new_servicer_ref)
        if update.change == "ended":
            code = (update.reply_code, update.code_expires_at)
            await native.ended(turn.tx, turn.thread, turn.session, code)
        elif servicer is None:
            log.warning(
                "A native session is with someone we do not know.",
                extra={"action": "native.unknown_servicer", **ctx.log},
            )
        else:
            await native.taken(turn.tx, turn.thread, turn.session, servicer.id, update.change)


@router.on(ServicerStatusChanged)
async def servicer_status(update: ServicerStatusChanged, ctx: Context) -> None:
    """`stopped` in the client means: no native sessions; presence on the desk is their own."""
    async with ctx.tools.uow.write() as tx:
        await inbox.mark_done(tx, ctx.inbox_id)
        account = await find_account(tx, update.address.channel, update.address.account)
        servicer = await servicer_of_wecom(tx, update.servicer_ref)
        if account is not None and servicer is not None:
            accepting = update.is_accepting
            await set_accepting(tx, account.id, servicer.id, is_accepting=accepting)


@router.on(CustomerMuted)
async def customer_muted(update: CustomerMuted, ctx: Context) -> None:
    async with ctx.write() as turn:
        turn.thread.conversation.is_muted = update.is_muted


@router.on(AccountsChanged)
async def accounts_changed(update: AccountsChanged, ctx: Context) -> None:
    """The list itself is read again by the account job; here it only leaves the inbox."""
    log.info(
        "Managed accounts changed.",
        extra={"action": "accounts.changed", "added": len(update.added)},
    )
    async with ctx.tools.uow.write() as tx:
        await inbox.mark_done(tx, ctx.inbox_id)


@router.on(UnknownEvent)
async def unknown_event(update: UnknownEvent, ctx: Context) -> None:
    log.warning("An unknown event.", extra={"action": "update.unknown", "kind": update.kind})
    async with ctx.tools.uow.write() as tx:
        await inbox.mark_done(tx, ctx.inbox_id)


async def _servicer(turn: Turn, ref: str | None) -> ServicerView | None:
    return await servicer_of_wecom(turn.tx, ref) if ref else None
