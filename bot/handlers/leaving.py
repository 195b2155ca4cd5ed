"""After a message was left: what the customer adds goes to that ticket, until we are back."""

from __future__ import annotations

from bot.context import Context
from bot.filters.base import Filter, When
from bot.handlers.ticket_form import customer_of
from bot.leaving import FORM, is_running
from bot.router import Router
from channels.update import MessageReceived, Update
from core.content import media_of, plain_text
from core.errors import DomainError, Invalid
from core.tickets import entries

router = Router("leaving")


def _is_leaving(update: Update, ctx: Context) -> bool:
    del update
    form = ctx.situation.form if ctx.situation else {}
    return form.get("state") == FORM and is_running(form["data"], ctx.tools.clock.now())


_left_message: Filter = When(_is_leaving)


@router.on(MessageReceived, _left_message)
async def added(update: MessageReceived, ctx: Context) -> None:
    """Told once that it was noted; afterwards quietly."""
    content = update.content
    if media_of(content) is not None:
        try:
            content = await ctx.tools.downloads.keep(update.address, content)
        except Invalid:
            content = update.content
    media = media_of(content)
    files = [media.attachment_id] if media and media.attachment_id else []
    async with ctx.write() as turn:
        await turn.hear(update.message_id, content, update.occurred_at, opens=False)
        _, data = turn.form
        by, text = customer_of(turn), plain_text(content)
        try:
            await entries.reply(turn.tx, data["ticket_id"], text, by=by, attachment_ids=files)
        except DomainError:
            turn.leave_form()
            await turn.say(
                f"工单 {data['number']} 已经处理完了。请再说一遍您的问题，我来为您解答。"
            )
            return
        if not data.get("is_told"):
            turn.fill_form(FORM, data | {"is_told": True})
            await turn.say(f"已补充到工单 {data['number']}，上班后会一并处理。")
