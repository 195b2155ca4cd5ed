"""One write block of a conversation: what was heard, what is said, where the session goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from bot import leaving
from core.accounts.limits import AccountLimits
from core.content import Address, Content, Image, Text, plain_text
from core.conversations import service as conversations
from core.conversations.media import has_file
from core.conversations.service import Heard, Speech
from core.conversations.threads import Thread, ensure_thread, hold_address, hold_thread
from core.db import Tx
from core.sessions import service as sessions
from core.sessions.models import SessionRow
from core.sessions.queries import (
    find_thread_and_session,
    latest_session_of,
    open_session_of,
)
from core.settings.sections import Bot
from core.timers import service as timers
from core.views import MessageView, Sender, SessionState

MEDIA_TIMER = "media.fetch"
READING_TIMER = "media.read"
PROFILE_TIMER = "customer.profile"


@dataclass(slots=True)
class Turn:
    """Rows of one open transaction, which holds the conversation from its beginning.

    `session` is the open one, None when there is none.
    """

    tx: Tx
    thread: Thread
    session: SessionRow | None

    @classmethod
    async def begin(cls, tx: Tx, address: Address, limits: AccountLimits) -> Self:
        """limits: of the address's channel, for an account that nobody has met yet."""
        await hold_address(tx, address)
        found = await find_thread_and_session(tx, address)
        if found is not None:
            return cls(tx, *found)
        thread = await ensure_thread(tx, address, limits)
        await timers.set_timer(tx, PROFILE_TIMER, thread.conversation.id, tx.now)
        return cls(tx, thread, None)

    @classmethod
    async def of_conversation(cls, tx: Tx, conversation_id: str) -> Self:
        """For jobs, which know the conversation and no address.

        The thread is held: what is said while the customer writes must see the window they open.
        """
        thread = await hold_thread(tx, conversation_id)
        return cls(tx, thread, await open_session_of(tx, conversation_id))

    @property
    def state(self) -> SessionState:
        return SessionState(self.session.state) if self.session else SessionState.NEW

    @property
    def is_bots(self) -> bool:
        """May the bot speak? Not once people have the session, or are waited for."""
        return self.state in {SessionState.NEW, SessionState.BOT}

    async def hear(
        self, message_id: str, content: Content, at: datetime, *, opens: bool = True
    ) -> MessageView:
        """Write down what the customer wrote.

        opens: begin a session when none is open; False leaves the line with the last one.
        """
        if self.session is None and opens:
            topic = plain_text(content)
            self.session = await sessions.open_session(self.tx, self.thread, topic=topic)
        session_id = self.session.id if self.session else await self._last_session_id()
        heard = Heard(vendor_id=message_id, content=content, sent_at=at)
        view = await conversations.hear(self.tx, self.thread, session_id, heard)
        if self.session is not None:
            sessions.note_heard(self.tx, self.session)
        await self._fetch_media(view)
        return view

    async def hear_servicer(
        self, message_id: str, content: Content, at: datetime, servicer: tuple[str, str]
    ) -> MessageView:
        """Mirror what a servicer wrote in the platform's client. servicer: (id, name)."""
        session_id = self.session.id if self.session else await self._last_session_id()
        heard = Heard(message_id, content, at, servicer_id=servicer[0], servicer_name=servicer[1])
        view = await conversations.hear(self.tx, self.thread, session_id, heard)
        if self.session is not None:
            await sessions.note_answered(self.tx, self.session, servicer[0])
        await self._fetch_media(view)
        return view

    async def say(
        self,
        *contents: Content | str,
        source: Mapping[str, str] | None = None,
        reserve: int = 0,
        event_code: str | None = None,
        code_expires_at: datetime | None = None,
    ) -> list[MessageView]:
        """Speak as the bot; held until the customer writes when the window is closed.

        reserve: slots of the window that must stay free, for what people want to say.
        """
        speech = Speech(
            [Text(text=one) if isinstance(one, str) else one for one in contents],
            Sender.BOT,
            source=source or {},
            reserve=reserve,
            hold_if_closed=True,
            event_code=event_code,
            code_expires_at=code_expires_at,
        )
        session_id = self.session.id if self.session else None
        return await conversations.say(self.tx, self.thread, session_id, speech)

    async def hand_off(self, reason: str) -> None:
        """Give the session to people, unless they have it; a message is left when nobody is in."""
        if not self.is_bots:
            return
        if self.session is None:
            self.session = await sessions.open_session(self.tx, self.thread)
        self.forget_pending()
        left = await leaving.leave_message(self.tx, self.thread, self.session)
        if left is not None:
            self.session = None
            await self.say(left)
            return
        self.leave_form()
        await sessions.hand_off(self.tx, self.thread, self.session.id, reason=reason)

    async def leave_message(self) -> None:
        """The customer would rather leave a message than wait."""
        if self.session is None or self.state is not SessionState.QUEUED:
            return
        left = await leaving.leave_message(self.tx, self.thread, self.session, is_wish=True)
        if left is not None:
            self.session = None
            await self.say(left)

    def forget_pending(self) -> None:
        self.thread.conversation.pending_lines = []

    def fill_form(self, state: str, data: Mapping[str, Any]) -> None:
        """Remember where the customer is in a form; `leave_form` ends it."""
        self.thread.conversation.form = {"state": state, "data": dict(data)}

    @property
    def form(self) -> tuple[str, dict[str, Any]]:
        """State and data of the form as it is now; ("", {}) when there is none."""
        found = self.thread.conversation.form
        return found.get("state", ""), dict(found.get("data", {}))

    def leave_form(self) -> None:
        self.thread.conversation.form = {}

    @property
    def words(self) -> Bot:
        return self.tx.settings.get(Bot)

    async def _last_session_id(self) -> str | None:
        last = await latest_session_of(self.tx, self.thread.conversation.id)
        return last.id if last else None

    async def _fetch_media(self, view: MessageView) -> None:
        if has_file(view.content):
            await timers.set_timer(self.tx, MEDIA_TIMER, view.id, self.tx.now)
        elif isinstance(view.content, Image):  # the channel took it in already
            await timers.set_timer(self.tx, READING_TIMER, view.id, self.tx.now)
