"""Middlewares stand around the routers: each may look, refuse, or pass on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from bot.context import Context
from channels.update import Update

Next = Callable[[Update, Context], Awaitable[None]]
Middleware = Callable[[Update, Context, Next], Awaitable[None]]


def stack(middlewares: Sequence[Middleware], innermost: Next) -> Next:
    """The first middleware is the outermost."""
    call = innermost
    for middleware in reversed(middlewares):
        call = _wrap(middleware, call)
    return call


def _wrap(middleware: Middleware, inner: Next) -> Next:
    async def call(update: Update, ctx: Context) -> None:
        await middleware(update, ctx, inner)

    return call
