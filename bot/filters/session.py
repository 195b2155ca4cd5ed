"""Who has the session."""

from __future__ import annotations

from bot.filters.base import Filter, When
from core.views import SessionState

#: A person has it, or is waited for: the bot keeps still.
with_people: Filter = When(lambda _, ctx: ctx.is_with_people)
queued: Filter = When(
    lambda _, ctx: ctx.situation is not None and ctx.situation.state is SessionState.QUEUED
)
in_form: Filter = When(lambda _, ctx: ctx.situation is not None and bool(ctx.situation.form))
