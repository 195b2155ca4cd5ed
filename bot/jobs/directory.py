"""Knowing accounts, servicers and customers: read from the platform at start and by schedule."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.channels import Channels
from channels.base import AccountInfo, Channel
from channels.errors import ChannelError
from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.conversations.threads import get_thread
from core.customers.service import take_profile
from core.db import UnitOfWork
from core.servicers.queries import servicer_of_wecom
from core.servicers.service import set_accepting
from core.timers import service as timers
from core.timers.service import Timer
from core.views import AccountView

log = logging.getLogger(__name__)


def limits_of(channel: Channel) -> AccountLimits:
    """The channel's capabilities as the data that lives with its accounts."""
    traits = channel.capabilities
    window = traits.reply_window
    return AccountLimits(
        window_messages=window.messages if window else None,
        window_s=int(window.duration.total_seconds()) if window else None,
        max_text_bytes=traits.max_text_bytes,
        max_menu_head_bytes=traits.max_menu_text_bytes,
        max_menu_clicks=traits.max_menu_clicks,
        max_file_bytes=traits.max_file_bytes if "file" in traits.kinds else 0,
        has_native_handover=traits.has_native_handover,
        can_recall=traits.can_recall,
    )


async def sync_directory(uow: UnitOfWork, channels: Channels) -> None:
    """Bring accounts and their servicers up to date; what one refuses does not stop the rest."""
    for channel in channels:
        with _noted(channel):
            for account in await channel.accounts():
                view = await _sync_account(uow, channel, account)
                if account.is_manageable:
                    with _noted(channel):
                        await _sync_servicers(uow, channel, view)


@contextmanager
def _noted(channel: Channel) -> Iterator[None]:
    """What the platform refuses is logged, and asked again by schedule."""
    try:
        yield
    except ChannelError as error:
        log.warning(
            "Accounts could not be read.",
            extra={
                "action": "directory.failed",
                "channel": channel.name,
                "code": error.vendor_code,
            },
        )


async def _sync_account(uow: UnitOfWork, channel: Channel, account: AccountInfo) -> AccountView:
    async with uow.write() as tx:
        return await register(
            tx,
            channel=channel.name,
            account=account.account,
            name=account.name,
            limits=limits_of(channel),
            is_manageable=account.is_manageable,
        )


async def _sync_servicers(uow: UnitOfWork, channel: Channel, view: AccountView) -> None:
    people = await channel.servicers(view.account)
    async with uow.write() as tx:
        for person in people:
            servicer = await servicer_of_wecom(tx, person.servicer_ref)
            if servicer is not None:
                accepting = person.is_accepting
                await set_accepting(tx, view.id, servicer.id, is_accepting=accepting)


async def read_profile(uow: UnitOfWork, channels: Channels, timer: Timer) -> None:
    """Ask the platform who the customer of conversation `timer.key` is."""
    async with uow.read() as tx:
        thread = await get_thread(tx, timer.key)
        address, customer_id = thread.address, thread.customer.id
    profile = await channels.of(address).profile(address.account, address.user)
    async with uow.write() as tx:
        await timers.finish(tx, timer)
        if profile is not None:
            await take_profile(
                tx, customer_id, nickname=profile.nickname, avatar_url=profile.avatar_url
            )
