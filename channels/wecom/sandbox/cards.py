"""template_card: checks, response codes, updates.

Source: developer.work.weixin.qq.com/document/path/90236, 94888. Which code stands for which
wrong field is not written down page by page: the numbers of one family are ours to choose.
"""

from __future__ import annotations

import json
import re
from typing import Final

from channels.wecom.sandbox.api import Call
from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import ApiError
from channels.wecom.sandbox.state import AppState, CardCode, Entry
from channels.wecom.sandbox.world import World

CODE_S: Final = 72 * 3600.0
INTERACTIVE: Final = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
_CARD_TYPES: Final = INTERACTIVE | {"text_notice", "news_notice"}
_TASK_ID: Final = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_MOST: Final = {
    "horizontal_content_list": 6,
    "jump_list": 3,
    "vertical_content_list": 4,
    "button_list": 6,
    "select_list": 3,
}
#: What the screen needs beside the card itself.
UNTOUCHED: Final[Json] = {"replace_name": None, "is_done": False, "selected": {}}


def read_card(app: AppState, body: Body, *, is_update: bool = False) -> Json:
    """A checked card with its screen state. Raises: ApiError."""
    card_type = body.text("card_type")
    if card_type not in _CARD_TYPES:
        raise ApiError(42027, "invalid card_type")
    for name, most in _MOST.items():
        if len(body.children(name)) > most:
            raise ApiError(42030, f"{name} has more than {most} members")
    if card_type in INTERACTIVE and app.url is None:
        raise ApiError(43012, "the app has no callback url")
    _check_parts(card_type, body)
    if not is_update:
        _take_task_id(app, card_type, body)
    return {**body.fields, **UNTOUCHED}


def has_callback(card: Json) -> bool:
    return card["card_type"] in INTERACTIVE or "action_menu" in card


def new_card_code(world: World, app: AppState, msgid: str) -> str:
    code = world.code("RC")
    world.state.card_codes[code] = CardCode(app.agent_id, msgid, world.now() + CODE_S)
    return code


def update_card(world: World, call: Call) -> Json:
    """`message/update_template_card`. The answer's `invaliduser` is a list."""
    app = world.state.apps[call.agent_id or 0]
    if call.body.integer("agentid") != app.agent_id:
        raise ApiError(301002, "agentid is not of this token")
    code = world.state.card_codes.get(call.body.text("response_code"))
    if code is None or code.agent_id != app.agent_id or code.expires_at < world.now():
        raise ApiError(60140, "invalid response_code")
    asked = call.body.texts("userids", most=1000)
    receivers = app.receivers[code.msgid]
    if call.body.integer("atall", 0) == 1:
        asked = receivers
    if not asked:
        raise ApiError(82101, "no one to update for")
    targets = [userid for userid in asked if userid in receivers]
    if not targets:
        raise ApiError(82102, "not among the receivers")
    change = _read_change(app, call.body)
    del world.state.card_codes[call.body.text("response_code")]
    for userid in targets:
        change_card(world, app, userid, code.msgid, change)
    invalid = [userid for userid in asked if userid not in receivers]
    return {"invaliduser": invalid} if invalid else {}


def change_card(world: World, app: AppState, userid: str, msgid: str, change: Json) -> None:
    """Apply `{"replace_name": …}` or a whole card to one member's copy."""
    entry = world.state.members[userid].app_chats[app.agent_id].find(msgid)
    if entry is None:
        return
    task_id = entry.body.get("task_id")
    if "card_type" in change:
        entry.body = {**json.loads(json.dumps(change)), "task_id": task_id}
        replaced = change.get("replace_text")
        entry.body["replace_name"] = replaced
        entry.body["is_done"] = replaced is not None or not has_callback(entry.body)
    else:
        entry.body["replace_name"] = change["replace_name"]
        entry.body["is_done"] = True
    world.show_app(userid, entry)


def button_keys(card: Json) -> set[str]:
    """Keys that a member can press: buttons and the submit button."""
    keys = {str(item.get("key", "")) for item in _dicts(card.get("button_list"))}
    submit = card.get("submit_button")
    if isinstance(submit, dict):
        keys.add(str(submit.get("key", "")))
    return keys - {""}


def corner_keys(card: Json) -> set[str]:
    menu = card.get("action_menu")
    rows = _dicts(menu.get("action_list")) if isinstance(menu, dict) else []
    return {str(row.get("key", "")) for row in rows} - {""}


def options_of(card: Json) -> dict[str, set[str]]:
    """question_key → ids that may be chosen."""
    questions = _dicts(card.get("select_list"))
    questions += _dicts([card.get("checkbox"), card.get("button_selection")])
    return {
        str(q.get("question_key", "")): {str(o.get("id")) for o in _dicts(q.get("option_list"))}
        for q in questions
    }


def is_card(entry: Entry | None) -> bool:
    return entry is not None and entry.msgtype == "template_card" and not entry.is_recalled


def _dicts(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _check_parts(card_type: str, body: Body) -> None:
    title = body.child("main_title").text("title", "") if "main_title" in body else ""
    subtitle = body.text("sub_title_text", "")
    if not title and (card_type != "text_notice" or not subtitle):
        raise ApiError(42028, "main_title missing")
    if card_type in {"text_notice", "news_notice"}:
        body.child("card_action").integer("type")
    if card_type == "button_interaction":
        for button in body.children("button_list"):
            if not button.text("text", ""):
                raise ApiError(42019, "button text missing")
            if button.integer("type", 0) == 0 and not button.text("key", "", max_bytes=1024):
                raise ApiError(42017, "button key missing")
    if card_type in {"vote_interaction", "multiple_interaction"}:
        submit = body.child("submit_button")
        if not submit.text("key", ""):
            raise ApiError(42017, "submit_button key missing")


def _take_task_id(app: AppState, card_type: str, body: Body) -> None:
    task_id = body.text("task_id", "")
    if not task_id:
        if card_type in INTERACTIVE or "action_menu" in body:
            raise ApiError(42014, "task_id missing")
        return
    if not _TASK_ID.fullmatch(task_id) or task_id in app.task_ids:
        raise ApiError(42014, "task_id illegal or used before")
    app.task_ids.add(task_id)


def _read_change(app: AppState, body: Body) -> Json:
    if "button" in body:
        return {"replace_name": body.child("button").text("replace_name", min_bytes=1)}
    return read_card(app, body.child("template_card"), is_update=True)
