"""The demo company's last four weeks: sessions, ratings and tickets, so that figures have a past.

The same on every machine, but for the day on which it is loaded.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from bot.demo_stories import COMPLAINTS, GREETINGS, PLACES, PRAISE, STORIES, THANKS, Story
from channels.wecom.sandbox import demo_seed as seed
from core.accounts.limits import AccountLimits
from core.accounts.service import register
from core.clock import LOCAL_ZONE
from core.content import Address
from core.conversations.threads import Thread, ensure_thread
from core.customers.introduce import Introduction, introduce
from core.db import Tx, UnitOfWork
from core.history.index import rebuild
from core.servicers.queries import list_servicers
from core.sessions.past import PastLine, PastNote, PastRating, PastService, PastSession, record
from core.teams.queries import list_teams
from core.tickets.categories import list_categories
from core.views import Sender, ServicerView
from knowledge.queries import every_article
from knowledge.views import ArticleView

_DAYS: Final = 28
#: The sandbox's customers wrote last before this: whoever served them then is no rule any more.
_PHONES_QUIET: Final = timedelta(days=8)
_OPENS, _LUNCH, _BACK, _CLOSES = time(8, 40), time(11, 40), time(13, 30), time(17, 10)
_SERVED_ON_WORKDAY: Final = range(6, 11)
_ALONE_ON_WORKDAY: Final = range(4, 9)
_ALONE_ON_WEEKEND: Final = range(1, 4)
_WAITED: Final = (0, 0, 0, 60, 60, 120, 180, 300)
_SCORES: Final = (5,) * 34 + (4,) * 11 + (3,) * 3 + (2,) + (1,)
_REASONS: Final = ("回复太慢", "问题没有解决", "答复不专业")
_WHY: Final = ("asked", "asked", "unsure", "misses")
#: Account → who serves there, as in the sandbox.
_SERVED_BY: Final = {one.open_kfid: one.servicers for one in seed.demo_seed().accounts}


#: What was told, where people told it.
_Episode = tuple[PastSession, Story | None]


@dataclass(frozen=True, slots=True)
class Told:
    """A session that somebody served, with the story it tells."""

    session_id: str
    thread: Thread
    closed_at: datetime
    service: PastService
    story: Story


@dataclass(frozen=True, slots=True)
class _Company:
    servicers: Mapping[str, ServicerView]
    team_id: str
    categories: Mapping[str, str]
    articles: Sequence[ArticleView]
    threads: Sequence[Thread]
    phones: frozenset[str]


async def load_past(uow: UnitOfWork) -> list[Told]:
    """Write it into a demo company that is just loaded. Returns what was served, oldest first."""
    articles = [one async for one in every_article(uow)]
    chance = random.Random(2026)  # noqa: S311 - the same past for everybody
    async with uow.write() as tx:
        company = await _company(tx, articles)
        past = sorted(_past(company, tx.now, chance), key=lambda one: one[0].closed_at)
        ids = await record(tx, [session for session, _ in past])
    await rebuild(uow)
    return [
        Told(key, session.thread, session.closed_at, session.service, story)
        for key, (session, story) in zip(ids, past, strict=True)
        if story and session.service
    ]


async def _company(tx: Tx, articles: Sequence[ArticleView]) -> _Company:
    servicers = {one.wecom_userid or "": one for one in await list_servicers(tx)}
    (team,) = await list_teams(tx)
    categories = {one.name: one.id for one in await list_categories(tx)}
    for account in seed.demo_seed().accounts:
        limits = AccountLimits(window_messages=5, window_s=48 * 3600)
        name = account.name
        await register(tx, channel="wecom_kf", account=account.open_kfid, name=name, limits=limits)
    phones = [
        Address("wecom_kf", _usual_account(one.organisation), one.external_userid)
        for one in seed.demo_seed().customers[:4]
    ]
    addresses = [*phones, *await _people(tx)]
    threads = [await ensure_thread(tx, address) for address in addresses]
    known = frozenset(one.key for one in phones)
    return _Company(servicers, team.id, categories, articles, threads, known)


def _usual_account(place: str) -> str:
    return seed.CDC_ACCOUNT if "疾控" in place else seed.HOSPITAL_ACCOUNT


async def _people(tx: Tx) -> list[Address]:
    """Customers who have no phone in the sandbox."""
    found: list[Address] = []
    for place, kind, level, names in PLACES:
        account = seed.VIP_ACCOUNT if level == "VIP" else _usual_account(place)
        for name in names:
            address = Address("wecom_kf", account, f"wmPastCustomer{len(found):016d}")
            await introduce(tx, Introduction(name, place, kind, level, [address]))
            found.append(address)
    return found


def _past(company: _Company, now: datetime, chance: random.Random) -> Iterator[_Episode]:
    today = now.astimezone(LOCAL_ZONE).date()
    for ago in range(_DAYS, -1, -1):
        day = today - timedelta(days=ago)
        is_workday = day.weekday() < 5
        served = chance.choice(_SERVED_ON_WORKDAY) if is_workday else 0
        alone = chance.choice(_ALONE_ON_WORKDAY if is_workday else _ALONE_ON_WEEKEND)
        for number, thread in enumerate(chance.sample(company.threads, served + alone)):
            at = datetime.combine(day, _moment(chance), LOCAL_ZONE)
            begin = _served if number < served else _alone
            session, story = begin(company, thread, at, chance)
            is_phone = thread.address.key in company.phones
            if session.closed_at < now - (_PHONES_QUIET if is_phone else timedelta()):
                yield session, story


def _moment(chance: random.Random) -> time:
    """Within hours, a little more often in the morning."""
    begin, end = chance.choice(((_OPENS, _LUNCH), (_OPENS, _LUNCH), (_BACK, _CLOSES)))
    first, last = begin.hour * 60 + begin.minute, end.hour * 60 + end.minute
    hour, minute = divmod(chance.randint(first, last), 60)
    return time(hour, minute, chance.randint(0, 59))


def _alone(company: _Company, thread: Thread, at: datetime, chance: random.Random) -> _Episode:
    """The bot answered, and nobody was needed."""
    lines: list[PastLine] = []
    for article in chance.sample(company.articles, chance.choice((1, 1, 1, 2))):
        lines.append(PastLine(at, Sender.CUSTOMER, article.question))
        source = {"article_id": article.id, "title": article.question}
        answered = at + timedelta(seconds=1)
        lines.append(PastLine(answered, Sender.BOT, article.answer, source=source))
        at += timedelta(seconds=chance.randint(40, 200))
    return PastSession(thread, lines, at + timedelta(minutes=30), "silent"), None


def _served(company: _Company, thread: Thread, at: datetime, chance: random.Random) -> _Episode:
    """Somebody had it, sometimes two, one after the other."""
    story = chance.choice(STORIES)
    staff = _SERVED_BY[thread.address.account]
    first, second = (company.servicers[one] for one in chance.sample(list(staff), 2))
    promised = chance.choice(_WAITED)
    queued = at + timedelta(seconds=2)
    waited = promised * chance.uniform(0.3, 1.2) if promised else chance.uniform(1, 3)
    assigned = queued + timedelta(seconds=waited)
    is_passed = chance.random() < 0.08 and len(story.talk) > 3
    lines = [
        PastLine(at, Sender.CUSTOMER, chance.choice(story.asks)),
        PastLine(queued, Sender.SYSTEM, _queue_words(promised)),
    ]
    talk = _talk(story, assigned, (first, second if is_passed else first), chance)
    lines += talk
    last = second if is_passed else first
    passed_at = talk[2].at - timedelta(seconds=20) if is_passed else assigned
    because = f"由{first.name}转接" if is_passed else "空闲最久" if promised else "会话最少"
    closed = lines[-1].at + timedelta(seconds=chance.randint(30, 240))
    service = PastService(
        queued_at=queued,
        assigned_at=assigned,
        served_since=passed_at,
        servicer_id=last.id,
        team_id=company.team_id,
        because=because,
        handoff_reason=chance.choice(_WHY),
        promised_wait_s=promised,
        category_id=company.categories[story.category],
        summary=story.summary,
        tags=story.tags,
    )
    note = PastNote(passed_at, first.user_id, first.name, "我手上有上门，麻烦接着跟一下。")
    session = PastSession(
        thread, lines, closed, "resolved", service,
        rating=_rating(closed, chance), note=note if is_passed else None,
    )  # fmt: skip
    return session, story


def _queue_words(promised_s: int) -> str:
    minutes = promised_s // 60
    if not minutes:
        return "正在为您转接人工客服，马上就来。"
    return f"正在为您转接人工客服，您前面还有 {minutes} 位，预计等待约 {minutes} 分钟。"


def _talk(
    story: Story, at: datetime, by: tuple[ServicerView, ServicerView], chance: random.Random
) -> list[PastLine]:
    """by: who begins, and who has it from the third line on."""
    lines: list[PastLine] = []
    hello = chance.choice(GREETINGS).format(name=by[0].name)
    thanks = [chance.choice(THANKS)] if chance.random() < 0.5 else []
    for number, said in enumerate((*story.talk, *thanks)):
        at += timedelta(seconds=chance.lognormvariate(4.1, 0.6))
        if said.startswith("＞"):
            lines.append(PastLine(at, Sender.CUSTOMER, said[1:]))
            continue
        text = said.replace("您好，", hello) if number == 0 else said
        lines.append(PastLine(at, Sender.SERVICER, text, by[number > 1].id))
    return lines


def _rating(closed: datetime, chance: random.Random) -> PastRating:
    """Two of three answer."""
    at = closed + timedelta(seconds=chance.randint(15, 400))
    if chance.random() > 0.65:
        return PastRating(at)
    score = chance.choice(_SCORES)
    reasons = (chance.choice(_REASONS),) if score <= 2 else ()
    return PastRating(at, score, reasons, chance.choice(PRAISE if score > 3 else COMPLAINTS))
