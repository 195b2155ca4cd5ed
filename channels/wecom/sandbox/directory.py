"""Members, departments, single sign-on, IP lists.

Source: developer.work.weixin.qq.com/document/path/90196, 90200, 95350, 91023.
"""

from __future__ import annotations

from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.state import Member
from channels.wecom.sandbox.world import World

OAUTH_CODE_S: Final = 300.0


def get_user(world: World, call: Call) -> Json:
    asked = call.query.get("userid", "").lower()
    member = next((m for m in world.state.members.values() if m.userid.lower() == asked), None)
    if member is None:
        raise ApiError(60111, "userid not found")
    if not member.is_visible:
        raise ApiError(60011, "no privilege to access the member")
    return {
        "userid": member.userid,
        "name": member.name,
        "department": member.departments,
        "order": [0] * len(member.departments),
        "position": member.position,
        "is_leader_in_dept": [0] * len(member.departments),
        "direct_leader": [],
        "alias": "",
        "status": 1 if member.is_active else 4,
        "main_department": member.departments[0],
    }


def list_users(world: World, call: Call) -> Json:
    department_id = _department(world, call.query.get("department_id", ""))
    rows = [
        {"userid": m.userid, "name": m.name, "department": m.departments}
        for m in world.state.members.values()
        if m.is_visible and department_id in m.departments
    ]
    return {"userlist": rows}


def list_departments(world: World, call: Call) -> Json:
    text = call.query.get("id", "")
    within = _below(world, _department(world, text)) if text else None
    rows = [
        {"id": d.department_id, "parentid": d.parent_id, "order": 100_000_000 - d.department_id}
        for d in world.seed.departments
        if within is None or d.department_id in within
    ]
    return {"department_id": rows}


def get_user_info(world: World, call: Call) -> Json:
    """`auth/getuserinfo`. Raises: ApiError 40029 used, wrong or late code."""
    known = world.state.oauth_codes.pop(call.query.get("code", ""), None)
    if known is None or known[1] < world.now():
        raise ApiError(40029, "invalid code")
    userid = known[0]
    if userid in world.state.customers:
        return {"openid": f"o{userid[2:]}", "external_userid": userid}
    return {"userid": userid}


def new_oauth_code(world: World, member: Member) -> str:
    code = world.code("")
    world.state.oauth_codes[code] = (member.userid, world.now() + OAUTH_CODE_S)
    world.changes += 1
    return code


def list_ips(_world: World, _call: Call) -> Json:
    return {"ip_list": ["127.0.0.1"]}


def visible_members(world: World, department_ids: list[int]) -> list[str]:
    """Userids in some departments and below them."""
    within: set[int] = set()
    for department_id in department_ids:
        within |= _below(world, department_id)
    return [
        m.userid
        for m in world.state.members.values()
        if m.is_visible and within & set(m.departments)
    ]


def has_department(world: World, department_id: int) -> bool:
    return any(d.department_id == department_id for d in world.seed.departments)


def _department(world: World, text: str) -> int:
    if not text.isdecimal() or not has_department(world, int(text)):
        raise ApiError(60123, "department not found")
    return int(text)


def _below(world: World, department_id: int) -> set[int]:
    found = {department_id}
    for _ in world.seed.departments:
        found |= {d.department_id for d in world.seed.departments if d.parent_id in found}
    return found
