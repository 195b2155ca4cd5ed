"""The order in which handlers are asked, top to bottom."""

from __future__ import annotations

from bot.desk.router import router as desk
from bot.handlers import (
    consent,
    events,
    faq,
    forms,
    greeting,
    handoff,
    leaving,
    rating,
    redline,
    registration,
    relay,
    ticket_form,
    tickets,
)
from bot.router import Router


def root() -> Router:
    """Servicers in their app first; what people did on the platform; who has it; the bot last."""
    router = Router("root")
    router.include(
        desk,
        events.router,
        greeting.router,
        redline.router,
        rating.router,
        consent.router,
        tickets.buttons,
        relay.router,
        handoff.router,
        forms.router,
        registration.router,
        ticket_form.router,
        tickets.router,
        rating.comments,
        leaving.router,
        faq.router,
    )
    return router
