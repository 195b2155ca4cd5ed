"""When an update cannot be handled: a plain apology and a person, never silence."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from bot.context import Tools
from bot.desk.bench import APP_CHANNEL, apologise_to_servicer
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived, from_inbox
from core import inbox
from core.content import Address, Text
from core.errors import DomainError
from core.events import AlarmRaised
from core.inbox import PendingUpdate
from core.views import MessageView

log = logging.getLogger(__name__)


async def apologise(tools: Tools, address: Address, pending: PendingUpdate, word: str) -> None:
    """Give an update up: keep what was said, tell the customer, hand off, alarm people."""
    async with tools.uow.write() as tx:
        await inbox.mark_failed(tx, pending.inbox_id, word)
        tx.emit(
            AlarmRaised(
                code="update_failed", facts={"inbox_id": str(pending.inbox_id), "error": word}
            )
        )
    try:
        async with tools.uow.write() as tx:
            if address.channel == APP_CHANNEL:
                await apologise_to_servicer(tx, address)
                return
            turn = await Turn.begin(tx, address, tools.limits_of(address))
            heard = await _hear(turn, pending.payload)
            if heard is not None and turn.is_bots:
                await turn.say(turn.words.apology_text)
                await turn.hand_off("error")
    except DomainError:
        log.exception("The apology failed too.", extra={"action": "update.apology_failed"})


async def _hear(turn: Turn, payload: str) -> MessageView | None:
    try:
        update = from_inbox(payload)
    except ValidationError:
        return None
    match update:
        case MessageReceived(sender="customer"):
            return await turn.hear(update.message_id, update.content, update.occurred_at)
        case MenuChosen():
            text = Text(text=update.text)
            return await turn.hear(update.message_id, text, update.occurred_at)
        case _:
            return None
