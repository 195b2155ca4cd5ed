"""What whoever chooses a session reads of it: the customer's own last words, never ours."""

from __future__ import annotations

from core.content import Address, Image, Media, Text
from core.conversations.service import Heard, hear
from core.conversations.threads import ensure_thread
from core.db import UnitOfWork
from core.sessions import service as sessions
from core.sessions.queries import open_session_of, session_view
from core.settings.sections import Bot, GreetingItem
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.teams.views import Strategy
from core.views import SessionView
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account


async def says(uow: UnitOfWork, number: int, content: Text | Image) -> SessionView:
    """A customer's line, in a session that begins with it if need be."""
    async with uow.write() as tx:
        thread = await ensure_thread(tx, Address("wecom_kf", "wk1", "wm1"))
        row = await open_session_of(tx, thread.conversation.id)
        row = row or await sessions.open_session(tx, thread, topic="您好")
        await hear(tx, thread, row.id, Heard(f"m{number}", content, tx.now))
        return await session_view(tx, row.id)


async def asks_for_people(uow: UnitOfWork) -> SessionView:
    async with uow.write() as tx:
        thread = await ensure_thread(tx, Address("wecom_kf", "wk1", "wm1"))
        row = await open_session_of(tx, thread.conversation.id)
        assert row is not None
        return await sessions.hand_off(tx, thread, row.id, reason="asked")


async def test_neither_our_notices_nor_the_call_for_people_hide_the_question(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    await says(uow, 1, Text(text="报表打不开"))
    called = await says(uow, 2, Text(text="转人工"))
    assert called.last_customer_text == "转人工"
    waiting = await asks_for_people(uow)
    assert waiting.last_customer_text == "报表打不开"  # and they were told of the queue since
    assert waiting.last_message_at is not None
    screenshot = Image(media=Media(vendor_ref="m", name="截图.png"))
    assert (await says(uow, 3, screenshot)).last_customer_text == "[图片]截图.png"
    async with uow.write() as tx:
        await sessions.close(tx, waiting.id, reason="done", by=SYSTEM)
    again = await says(uow, 4, Text(text="人工"))
    assert again.id != waiting.id
    assert (await asks_for_people(uow)).last_customer_text == "人工"  # nothing else was said


def test_a_menu_entry_that_calls_people_says_nothing_else() -> None:
    entry = GreetingItem(kind="handoff", label="找王工")
    words = Bot(greeting_menu=(entry, GreetingItem(label="开票")), handoff_words=("真人",))
    assert words.calls_for_people == {"找王工", "真人"}


async def test_skills_are_looked_for_in_the_last_words_too(uow: UnitOfWork) -> None:
    from core.accounts.models import AccountRow

    account_id = await an_account(uow)
    people = {level: await a_servicer(uow, f"p{level}", capacity=1) for level in (2, 5, 3)}
    async with uow.write() as tx:
        vpn = await teams.create_skill(tx, "VPN", by=SYSTEM)
        for level, servicer_id in people.items():
            await teams.set_skills(tx, servicer_id, {vpn.id: level}, by=SYSTEM)
        draft = TeamDraft(
            name="远程组", member_ids=tuple(people.values()), strategy=Strategy.SKILL
        )
        team = await teams.create(tx, draft, by=SYSTEM)
        (await tx.db.get_one(AccountRow, account_id)).team_id = team.id
    await says(uow, 1, Text(text="vpn 连不上"))
    expert = await asks_for_people(uow)
    assert (expert.topic, expert.servicer_id) == ("您好", people[5])
    assert "技能等级最高（5）" in expert.assigned_because
    next_best = await a_waiting_session(uow, "wm2", "VPN 也连不上")
    assert next_best.servicer_id == people[3]
