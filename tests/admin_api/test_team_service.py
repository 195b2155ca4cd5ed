"""Figures of a team over HTTP, reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import mean

from core.sessions.models import SessionRow
from core.statistics.team_service import Served, days_of, figures_of
from tests.admin_api.conftest import Api, Login
from tests.admin_api.desk import Customer

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def _served(first_response_s: float | None, score: int | None = None, **more: bool) -> Served:
    facts = {"is_closed": True, "is_asked": score is not None} | more
    asked = facts["is_asked"]
    return Served("s", "s", None, facts["is_closed"], first_response_s, asked, score, NOON)


def test_shares_and_percentiles_leave_out_what_has_no_value() -> None:
    waits = [10.0, 20.0, 30.0, 40.0, 100.0]
    served = [_served(wait, score) for wait, score in zip(waits, (5, 4, 2, 5, 1), strict=True)]
    found = figures_of([*served, _served(None, is_closed=False), _served(5, is_asked=True)])
    assert (found.sessions, found.closed, found.unanswered) == (7, 6, 1)
    assert found.first_response_mean_s == round(mean([*waits, 5]))
    assert (found.first_response_median_s, found.first_response_p90_s) == (25, 70)
    assert (found.rated, found.participation, found.satisfied) == (5, round(5 / 6, 4), 0.6)
    assert found.satisfaction_mean == 3.4
    passed_on = figures_of(served[:1], answered=served[1:3])  # others gave its first response
    assert (passed_on.sessions, passed_on.unanswered) == (1, 0)
    assert passed_on.first_response_mean_s == 25
    nothing = figures_of([])
    assert (nothing.participation, nothing.first_response_p90_s) == (None, None)


def test_days_are_days_in_shanghai_and_empty_ones_are_left_out() -> None:
    late = NOON.replace(hour=15, minute=59)  # a minute before midnight there
    served = [
        replace(_served(10, 5), given_at=late),
        replace(_served(30), given_at=late),
        replace(_served(None), given_at=late + timedelta(minutes=1)),
        replace(_served(7, 3), given_at=late + timedelta(days=5)),
    ]
    found = [(one.day, one.sessions, one.first_response_mean_s) for one in days_of(served)]
    assert found == [
        (date(2026, 3, 2), 2, 20),
        (date(2026, 3, 3), 1, None),
        (date(2026, 3, 7), 1, 7),
    ]
    assert days_of(served)[0].satisfaction_mean == 5.0


async def test_a_team_is_measured_and_its_rows_are_behind_the_figures(
    supervisor: Api, servicer: Api, log_in: Login
) -> None:
    clock, uow = supervisor.clock, supervisor.services.uow
    mine = (await servicer.call("GET", "/auth/me"))["servicer"]["id"]
    other: Api = await log_in("servicer", "other")
    others = (await other.call("GET", "/auth/me"))["servicer"]["id"]
    team = {"name": "疾控组", "member_ids": [mine, others]}
    team_id = (await supervisor.call("POST", "/teams", team, status=201))["id"]
    began = clock.now()
    for name, wait in (("wang", 30), ("liu", 90)):
        customer = Customer(uow, name)
        await customer.says("上报失败")
        await customer.asks_for_people()
        await servicer.call("POST", f"/sessions/{customer.session_id}/claim")
        async with uow.write() as tx:
            (await tx.db.get_one(SessionRow, customer.session_id)).team_id = team_id
        clock.advance(seconds=wait)
        body = {"content": {"type": "text", "text": "您好"}, "client_id": name}
        await servicer.call("POST", f"/sessions/{customer.session_id}/messages", body, status=201)
    await servicer.call("POST", f"/sessions/{customer.session_id}/close", {"summary": "好了"})
    clock.advance(seconds=1)
    span = {"since": began.isoformat(), "until": clock.now().isoformat()}
    found = await supervisor.call("GET", f"/teams/{team_id}/service", params=span)
    assert (found["open"], found["waiting"], found["queued"]) == (1, 0, 0)
    figures = found["figures"]
    assert (figures["sessions"], figures["closed"], figures["rated"]) == (2, 1, 0)
    assert (figures["first_response_mean_s"], figures["participation"]) == (60, 0.0)
    assert [one["sessions"] for one in found["days"]] == [2]
    assert (found["waits"]["told"], found["waits"]["kept"]) == (2, 2)
    assert found["categories"] == [{"category_id": None, "name": "", "sessions": 1}]
    waits = {
        one["servicer_id"]: one["figures"]["first_response_mean_s"] for one in found["members"]
    }
    assert waits == {mine: 60, others: None}
    by_member = {one["servicer_id"]: one["figures"]["sessions"] for one in found["members"]}
    assert by_member == {mine: 2, others: 0}
    rows = await supervisor.call("GET", "/sessions", params={"team_id": team_id, **span})
    assert len(rows["items"]) == figures["sessions"]
    await servicer.refused(
        "GET", f"/teams/{team_id}/service", params=span, status=403, code="forbidden"
    )
