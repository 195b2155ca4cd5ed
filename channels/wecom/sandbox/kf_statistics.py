"""`kf/get_corp_statistic`, `kf/get_servicer_statistic`.

Source: developer.work.weixin.qq.com/document/path/95489, 95490.
"""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.figures import day_start
from channels.wecom.sandbox.state import DAY_S, DayFigures, KfAccount
from channels.wecom.sandbox.world import World

_SPAN_DAYS: Final = 31
_BACK_DAYS: Final = 180


def get_corp_statistic(world: World, call: Call) -> Json:
    account, days = _asked(world, call)
    rows: list[Json] = []
    for day in days:
        row: Json = {"stat_time": day}
        figures = account.figures.get(f"{day}|")
        if figures is not None:
            row["statistic"] = {
                "session_cnt": figures.sessions,
                "customer_cnt": len(figures.customers),
                "customer_msg_cnt": figures.customer_messages,
                "upgrade_service_customer_cnt": 0,
                "ai_session_reply_cnt": 0,
                "ai_transfer_rate": 0,
                "ai_knowledge_hit_rate": 0,
                "msg_rejected_customer_cnt": len(figures.rejected),
            }
        rows.append(row)
    return {"statistic_list": rows}


def get_servicer_statistic(world: World, call: Call) -> Json:
    account, days = _asked(world, call)
    userid = call.body.text("servicer_userid", "")
    rows: list[Json] = []
    for day in days:
        row: Json = {"stat_time": day}
        figures = _of_servicers(account, day, userid)
        if figures is not None:
            row["statistic"] = {
                "session_cnt": figures.sessions,
                "customer_cnt": len(figures.customers),
                "customer_msg_cnt": figures.customer_messages,
                "satisfaction_investgate_cnt": 0,
                "upgrade_service_customer_cnt": 0,
                "upgrade_service_member_invite_cnt": 0,
                "upgrade_service_member_customer_cnt": 0,
                "upgrade_service_groupchat_invite_cnt": 0,
                "upgrade_service_groupchat_customer_cnt": 0,
                "msg_rejected_customer_cnt": len(figures.rejected),
            }
        rows.append(row)
    return {"statistic_list": rows}


def _asked(world: World, call: Call) -> tuple[KfAccount, range]:
    account = world.account(call.body.text("open_kfid"))
    start, end = call.body.integer("start_time"), call.body.integer("end_time")
    today, day = day_start(world.now()), int(DAY_S)
    first, last = day_start(start), day_start(end)
    if first > last or (last - first) // day >= _SPAN_DAYS:
        raise ApiError(40035, "invalid time range")
    if last >= today or first < today - _BACK_DAYS * day:
        raise ApiError(40035, "only yesterday and the 180 days before")
    return account, range(first, last + 1, day)


def _of_servicers(account: KfAccount, day: int, userid: str) -> DayFigures | None:
    if userid:
        return account.figures.get(f"{day}|{userid}")
    total = DayFigures()
    found = [account.figures.get(f"{day}|{name}") for name in account.servicers]
    for row in (row for row in found if row is not None):
        total.sessions += row.sessions
        total.customers |= row.customers
        total.customer_messages += row.customer_messages
        total.replies += row.replies
        total.rejected |= row.rejected
    return total if any(found) else None
