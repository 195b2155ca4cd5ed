"""`kf/account/*`, `kf/add_contact_way`, `kf/servicer/*`, `kf/service_state/*`, `kf/customer/*`.

Source: developer.work.weixin.qq.com/document/path/94661 to 94665, 94645 to 94647, 94669, 95159.
"""

from __future__ import annotations

import re
from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Json
from channels.wecom.sandbox.content import check_media
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.opening import add_link
from channels.wecom.sandbox.sessions import change_by_api, refresh
from channels.wecom.sandbox.state import SERVING, WINDOW_S, Customer, KfAccount
from channels.wecom.sandbox.world import World

_MAX_NAME_CHARS: Final = 16
_MAX_ACCOUNTS: Final = 5000
_MAX_SERVICERS: Final = 2000
_SCENE: Final = re.compile(r"[0-9a-zA-Z_-]{0,32}")
_STOP_TYPE: Final = {"stopped": 0, "suspended": 1}


# --- accounts --------------------


def list_accounts(world: World, call: Call) -> Json:
    offset, limit = call.body.integer("offset", 0), call.body.integer("limit", 100)
    if offset < 0 or not 1 <= limit <= 100:
        raise ApiError(40035, "invalid offset or limit")
    page = list(world.state.accounts.values())[offset : offset + limit]
    return {
        "account_list": [
            {
                "open_kfid": account.open_kfid,
                "name": account.name,
                "avatar": account.avatar,
                "manage_privilege": account.is_managed,
            }
            for account in page
        ]
    }


def add_account(world: World, call: Call) -> Json:
    name = _name(call.body.text("name"))
    avatar = check_media(world, call.body.text("media_id", max_bytes=128), "image")
    if len(world.state.accounts) >= _MAX_ACCOUNTS:
        raise ApiError(95005, "too many kf accounts")
    open_kfid = f"wk{re.sub('[^0-9A-Za-z]', '', world.code(''))[:29]}"
    world.state.accounts[open_kfid] = KfAccount(open_kfid, name, avatar)
    return {"open_kfid": open_kfid}


def update_account(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    name = _name(call.body.text("name", account.name))
    if "media_id" in call.body:
        account.avatar = check_media(world, call.body.text("media_id", max_bytes=128), "image")
    account.name = name
    return {}


def delete_account(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    del world.state.accounts[account.open_kfid]
    for enc_scene in [
        name for name, link in world.state.links.items() if link.open_kfid == account.open_kfid
    ]:
        del world.state.links[enc_scene]
    return {}


def add_contact_way(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    scene = call.body.text("scene", "")
    if not _SCENE.fullmatch(scene):
        raise ApiError(40058, "scene must be up to 32 of [0-9a-zA-Z_-]")
    base = world.seed.link_base
    link = add_link(world.state, base, account.open_kfid, scene, world.code("ENC"))
    return {"url": link.url}


# --- servicers --------------------


def list_servicers(world: World, call: Call) -> Json:
    account = world.account(call.query.get("open_kfid", ""))
    rows: list[Json] = []
    for userid, status in account.servicers.items():
        row: Json = {"userid": userid, "status": int(status != "accepting")}
        if status in _STOP_TYPE:
            row["stop_type"] = _STOP_TYPE[status]
        rows.append(row)
    rows += [{"department_id": department_id} for department_id in account.departments]
    return {"servicer_list": rows}


def add_servicers(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    userids = call.body.texts("userid_list", most=100)
    departments = call.body.integers("department_id_list", most=20)
    rows: list[Json] = []
    for userid in userids:
        row = _row(world, userid, is_known=userid in account.servicers)
        if row["errmsg"] == "success" and len(account.servicers) >= _MAX_SERVICERS:
            row = {"userid": userid, "errcode": 95020, "errmsg": "too many servicers"}
        elif row["errmsg"] == "success":
            account.servicers[userid] = "accepting"
            world.show_servicer(userid)
        rows.append(row)
    for department_id in departments:
        known = department_id in account.departments
        if not known:
            account.departments.append(department_id)
        word = "ignored" if known else "success"
        rows.append({"department_id": department_id, "errcode": 0, "errmsg": word})
    return {"result_list": rows}


def delete_servicers(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    rows: list[Json] = []
    for userid in call.body.texts("userid_list", most=100):
        known = account.servicers.pop(userid, None)
        world.show_servicer(userid)
        word = "ignored" if known is None else "success"
        rows.append({"userid": userid, "errcode": 0, "errmsg": word})
    for department_id in call.body.integers("department_id_list", most=100):
        is_known = department_id in account.departments
        if is_known:
            account.departments.remove(department_id)
        word = "success" if is_known else "ignored"
        rows.append({"department_id": department_id, "errcode": 0, "errmsg": word})
    return {"result_list": rows}


# --- session state --------------------


def get_state(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    thread = refresh(world, world.thread(account, call.body.text("external_userid")))
    answer: Json = {"service_state": thread.state}
    if thread.state == SERVING:
        answer["servicer_userid"] = thread.servicer
    return answer


def change_state(world: World, call: Call) -> Json:
    account = world.account(call.body.text("open_kfid"))
    thread = world.thread(account, call.body.text("external_userid"))
    to = call.body.integer("service_state")
    if not 0 <= to <= 4:
        raise ApiError(40035, "invalid service_state")
    servicer = call.body.text("servicer_userid", "")
    if to == SERVING and not servicer:
        raise ApiError(40058, "missing servicer_userid")
    code = change_by_api(world, account, thread, to, servicer or None)
    return {} if code is None else {"msg_code": code}


# --- customers --------------------


def batch_get_customers(world: World, call: Call) -> Json:
    userids = call.body.texts("external_userid_list", most=100)
    wants_context = call.body.integer("need_enter_session_context", 0) == 1
    since = world.now() - WINDOW_S
    rows: list[Json] = []
    unknown: list[str] = []
    for userid in userids:
        customer = world.state.customers.get(userid)
        if customer is None or customer.active_at is None or customer.active_at < since:
            unknown.append(userid)
        else:
            rows.append(_customer_row(world, customer, wants_context))
    return {"customer_list": rows, "invalid_external_userid": unknown}


def _customer_row(world: World, customer: Customer, wants_context: bool) -> Json:
    row: Json = {
        "external_userid": customer.external_userid,
        "nickname": customer.name,
        "avatar": f"{world.seed.image_base}/{customer.external_userid}.svg",
        "gender": customer.gender,
    }
    if customer.unionid:
        row["unionid"] = customer.unionid
    if wants_context and customer.context is not None:
        row["enter_session_context"] = customer.context
    return row


def _name(name: str) -> str:
    if not 1 <= len(name) <= _MAX_NAME_CHARS:
        raise ApiError(95006, "invalid kf account name")
    return name


def _row(world: World, userid: str, *, is_known: bool) -> Json:
    member = world.state.members.get(userid)
    if member is None or not member.is_visible:
        return {"userid": userid, "errcode": 60030, "errmsg": "not in the visible range"}
    return {"userid": userid, "errcode": 0, "errmsg": "ignored" if is_known else "success"}
