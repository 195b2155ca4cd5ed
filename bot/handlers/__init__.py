"""The order in which handlers are asked, top to bottom."""

from __future__ import annotations

from bot.handlers import events, faq, greeting, handoff, rating, relay
from bot.router import Router


def root() -> Router:
    """What people did on the platform first; then who has the session; the bot last."""
    router = Router("root")
    router.include(
        events.router,
        greeting.router,
        rating.router,
        relay.router,
        handoff.router,
        faq.router,
    )
    return router
