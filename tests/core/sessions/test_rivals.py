"""A place in the queue holds where teams share people: it is never too good to be true."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.db import UnitOfWork
from core.sessions import service as sessions
from core.sessions.models import SessionRow
from core.sessions.queue import queue_board, queue_position
from core.sessions.rivals import Queue, ahead_of
from core.teams import service as teams
from core.teams.service import TeamDraft
from tests.core.sessions.people import SYSTEM, a_servicer, a_waiting_session, an_account

TEAMS = "abcd"


@st.composite
def crowds(draw: st.DrawFn) -> tuple[dict[Queue, frozenset[str]], list[Queue], list[int]]:
    """Who may serve which queue; who waits, in order; in which order people become free."""
    members = {team: draw(st.frozensets(st.sampled_from("PQRST"), min_size=1)) for team in TEAMS}
    routes = st.lists(st.sampled_from(TEAMS), min_size=1, max_size=2, unique=True)
    waiting = [Queue(",".join(one)) for one in draw(st.lists(routes, min_size=1, max_size=9))]
    people = {one: frozenset().union(*(members[team] for team in one.teams)) for one in waiting}
    freed = draw(st.lists(st.integers(0, 4), min_size=60, max_size=60))
    return people, waiting, freed


@given(crowds())
def test_nobody_waits_for_more_freed_places_than_their_own(
    crowd: tuple[dict[Queue, frozenset[str]], list[Queue], list[int]],
) -> None:
    people, waiting, freed = crowd
    places = [
        1 + ahead_of(queue, Counter(waiting[:index]), people)
        for index, queue in enumerate(waiting)
    ]
    turns = [0] * len(waiting)  # freed places of theirs, while they waited
    left = dict(enumerate(waiting))
    for number in freed:
        person = "PQRST"[number]
        mine = [index for index, queue in left.items() if person in people[queue]]
        for index in mine:
            turns[index] += 1
        if mine:
            left.pop(mine[0])  # as the queue is drained: the first whom this person may serve
    assert all(turn <= place for turn, place in zip(turns, places, strict=True))


async def test_a_queue_of_another_team_counts_when_it_waits_for_the_same_person(
    uow: UnitOfWork,
) -> None:
    await an_account(uow)
    anna = await a_servicer(uow, "anna", capacity=0)
    bert = await a_servicer(uow, "bert", capacity=0)
    drafts = {"疾控组": [anna], "医院组": [anna, bert], "财务组": [bert]}
    async with uow.write() as tx:
        made = {
            name: (await teams.create(tx, TeamDraft(name, member_ids=ids), by=SYSTEM)).id
            for name, ids in drafts.items()
        }
    waiting = {}
    for user, name in (("甲", "医院组"), ("乙", "财务组"), ("丙", "疾控组"), ("丁", "财务组")):
        session = await a_waiting_session(uow, user)
        async with uow.write() as tx:
            row = await tx.db.get_one(SessionRow, session.id)
            row.team_id = row.route = made[name]
        waiting[user] = session.id
    async with uow.read() as tx:
        told = {
            user: await queue_position(tx, await tx.db.get_one(SessionRow, session_id))
            for user, session_id in waiting.items()
        }
        board = [one.position for one in (await queue_board(tx)).items]
    assert told == {"甲": 1, "乙": 2, "丙": 2, "丁": 3}
    assert board == list(told.values())
    async with uow.write() as tx:
        await sessions.close(tx, waiting["甲"], reason="left_queue", by=SYSTEM)
    async with uow.read() as tx:
        third = await tx.db.get_one(SessionRow, waiting["丙"])
        assert await queue_position(tx, third) == 1
