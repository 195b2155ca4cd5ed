"""The self-built app of the sandbox: messages and cards to members, what they press, replies."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import Line, PhoneRefusal, Sandbox, ServicerPhone
from tests.channels.wecom.conftest import Api, HandClock, Receiver

PAYLOADS = Path(__file__).parents[1] / "payloads"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def payload(name: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / name).read_text())


def card(name: str = "button_interaction", touser: str = "chenjing|lijun") -> dict[str, Any]:
    return payload(f"app_send_card_{name}.json") | {"touser": touser, "agentid": demo.AGENT_ID}


def text(touser: str, content: str = "今日 3 单") -> dict[str, Any]:
    return {
        "touser": touser,
        "msgtype": "text",
        "agentid": demo.AGENT_ID,
        "text": {"content": content},
    }


@pytest.fixture
def chenjing(sandbox: Sandbox) -> ServicerPhone:
    return sandbox.servicer("chenjing")


@pytest.fixture
def lijun(sandbox: Sandbox) -> ServicerPhone:
    return sandbox.servicer("lijun")


async def only_card(servicer: ServicerPhone) -> Line:
    (line,) = [line for line in await servicer.app_lines() if line.msgtype == "template_card"]
    return line


# --- sending -----------------------------------------------------------------------------------


async def test_text_reaches_the_named_members_and_invalid_ones_are_listed(
    api: Api, chenjing: ServicerPhone, lijun: ServicerPhone
) -> None:
    sent = await api.post("message/send", **text("ChenJing|Nobody"))
    assert (sent["errcode"], sent["invaliduser"]) == (0, "nobody")
    assert [line.text for line in await chenjing.app_lines()] == ["今日 3 单"]
    assert await lijun.app_lines() == []


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"touser": "nobody"}, 81013),
        ({"touser": ""}, 82001),
        ({"agentid": 7}, 301002),
        ({"msgtype": "smoke"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"touser": "@all"}, 0),
        ({"touser": "", "toparty": "3"}, 0),
        ({"touser": "", "toparty": "99"}, 81013),
    ],
)
async def test_requests_to_send_are_checked(
    api: Api, change: dict[str, object], errcode: int
) -> None:
    answer = await api.post("message/send", **(text("chenjing") | change))
    assert answer["errcode"] == errcode


@pytest.mark.parametrize("name", ["markdown", "news", "textcard"])
async def test_recorded_messages_are_taken(api: Api, chenjing: ServicerPhone, name: str) -> None:
    body = payload(f"app_send_{name}.json") | {"touser": "chenjing", "agentid": demo.AGENT_ID}
    body.pop("toparty", None)
    body.pop("totag", None)
    assert (await api.post("message/send", **body))["errcode"] == 0
    assert [line.msgtype for line in await chenjing.app_lines()] == [name]


async def test_files_and_images_are_shown_with_their_names(
    api: Api, chenjing: ServicerPhone
) -> None:
    media_id = (await api.upload("image", "日报.png", PNG))["media_id"]
    body = text("chenjing") | {"msgtype": "image", "image": {"media_id": media_id}}
    assert (await api.post("message/send", **body))["errcode"] == 0
    assert [line.content["name"] for line in await chenjing.app_lines()] == ["日报.png"]


async def test_above_thirty_a_minute_messages_vanish_without_an_error(
    api: Api, chenjing: ServicerPhone, clock: HandClock
) -> None:
    codes = [
        (await api.post("message/send", **text("chenjing", f"{n}")))["errcode"] for n in range(33)
    ]
    assert codes == [0] * 33
    assert len(await chenjing.app_lines()) == 30
    clock.now += 61
    await api.post("message/send", **text("chenjing", "又来"))
    assert (await chenjing.app_lines())[-1].text == "又来"


async def test_duplicates_are_dropped_only_where_that_is_asked_for(
    api: Api, chenjing: ServicerPhone
) -> None:
    once = text("chenjing", "一次") | {"enable_duplicate_check": 1}
    twice = text("chenjing", "两次")
    for body in (once, once, twice, twice):
        assert (await api.post("message/send", **body))["errcode"] == 0
    assert [line.text for line in await chenjing.app_lines()] == ["一次", "两次", "两次"]


async def test_a_recalled_message_disappears_from_every_screen(
    api: Api, chenjing: ServicerPhone, clock: HandClock
) -> None:
    msgid = (await api.post("message/send", **text("chenjing")))["msgid"]
    assert (await api.post("message/recall", msgid=msgid))["errcode"] == 0
    assert [line.is_recalled for line in await chenjing.app_lines()] == [True]
    clock.now += 24 * 3600 + 1
    await api.login()
    assert (await api.post("message/recall", msgid=msgid))["errcode"] == 42052


# --- cards -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "button_interaction",
        "vote_interaction",
        "multiple_interaction",
        "text_notice",
        "news_notice",
    ],
)
async def test_recorded_cards_are_taken_and_only_those_that_call_back_give_a_code(
    api: Api, name: str
) -> None:
    body = card(name)
    answer = await api.post("message/send", **body)
    assert answer["errcode"] == 0, answer
    calls_back = name.endswith("interaction") or "action_menu" in body["template_card"]
    assert ("response_code" in answer) is calls_back


async def test_a_pressed_button_calls_back_with_a_fresh_code_that_updates_all_once(
    api: Api, sandbox: Sandbox, receiver: Receiver, chenjing: ServicerPhone, lijun: ServicerPhone
) -> None:
    sent = await api.post("message/send", **card())
    await chenjing.presses(await only_card(chenjing), "take_1001")
    await sandbox.settle()
    event = receiver.last
    assert (event["Event"], event["EventKey"]) == ("template_card_event", "take_1001")
    assert (event["FromUserName"], event["TaskId"]) == ("chenjing", "ticket_1001@1")
    assert event["AgentID"] == str(demo.AGENT_ID)
    assert event["ResponseCode"] != sent["response_code"]
    update = {
        "userids": ["chenjing", "lijun", "wufang"],
        "agentid": demo.AGENT_ID,
        "response_code": event["ResponseCode"],
        "button": {"replace_name": "陈静已接待"},
    }
    assert (await api.post("message/update_template_card", **update))["invaliduser"] == ["wufang"]
    assert (await api.post("message/update_template_card", **update))["errcode"] == 60140
    for servicer in (chenjing, lijun):
        shown = (await only_card(servicer)).content
        assert (shown["replace_name"], shown["is_done"]) == ("陈静已接待", True)
    with pytest.raises(PhoneRefusal) as refusal:
        await lijun.presses(await only_card(lijun), "take_1001")
    assert refusal.value.code == "conflict"


async def test_a_whole_card_can_be_exchanged(
    api: Api, sandbox: Sandbox, chenjing: ServicerPhone
) -> None:
    sent = await api.post("message/send", **card())
    body = payload("app_update_card_whole_request.json")
    body |= {"agentid": demo.AGENT_ID, "userids": ["chenjing"]}
    body["response_code"] = sent["response_code"]
    assert (await api.post("message/update_template_card", **body))["errcode"] == 0
    shown = (await only_card(chenjing)).content
    assert (shown["replace_name"], shown["task_id"]) == ("已处理", "ticket_1001@1")


async def test_updates_need_a_receiver_and_a_living_code(
    api: Api, clock: HandClock, chenjing: ServicerPhone
) -> None:
    sent = await api.post("message/send", **card())
    update: dict[str, Any] = {
        "agentid": demo.AGENT_ID,
        "response_code": sent["response_code"],
        "button": {"replace_name": "x"},
    }
    send = api.post
    assert (await send("message/update_template_card", **update))["errcode"] == 82101
    update["userids"] = ["wufang"]
    assert (await send("message/update_template_card", **update))["errcode"] == 82102
    update["userids"] = ["chenjing"]
    clock.now += 72 * 3600 + 1
    await api.login()
    assert (await send("message/update_template_card", **update))["errcode"] == 60140
    assert (await only_card(chenjing)).content["is_done"] is False


async def test_choices_of_a_card_come_with_the_event(
    api: Api, sandbox: Sandbox, receiver: Receiver, chenjing: ServicerPhone
) -> None:
    await api.post("message/send", **card("multiple_interaction"))
    line = await only_card(chenjing)
    with pytest.raises(PhoneRefusal):
        await chenjing.presses(line, "set_1001", {"prio": ["no such option"]})
    with pytest.raises(PhoneRefusal):
        await chenjing.presses(line, "no such key")
    await chenjing.presses(line, "set_1001", {"prio": ["high"]})
    await sandbox.settle()
    item = receiver.last["SelectedItems"]["SelectedItem"]
    assert item == {"QuestionKey": "prio", "OptionIds": {"OptionId": "high"}}
    assert (await only_card(chenjing)).content["selected"] == {"prio": ["high"]}


@pytest.mark.parametrize(
    ("spoil", "errcode"),
    [
        ({"task_id": ""}, 42014),
        ({"task_id": "no spaces"}, 42014),
        ({"card_type": "carousel"}, 42027),
        ({"main_title": {}}, 42028),
        ({"button_list": [{"text": "x", "key": str(n)} for n in range(7)]}, 42030),
        ({"button_list": [{"text": "x"}]}, 42017),
        ({"button_list": [{"key": "x"}]}, 42019),
    ],
)
async def test_broken_cards_are_refused(api: Api, spoil: dict[str, object], errcode: int) -> None:
    body = card()
    body["template_card"] |= spoil
    assert (await api.post("message/send", **body))["errcode"] == errcode


async def test_a_task_id_can_be_used_once_and_cards_need_a_callback_url(
    api: Api, sandbox: Sandbox
) -> None:
    assert (await api.post("message/send", **card()))["errcode"] == 0
    assert (await api.post("message/send", **card()))["errcode"] == 42014
    await sandbox.set_callback(demo.AGENT_ID, url=None)
    assert (await api.post("message/send", **card("vote_interaction")))["errcode"] == 43012


# --- what members do, and passive replies ----------------------------------------


async def test_messages_menus_and_opening_the_app_call_back(
    api: Api, sandbox: Sandbox, receiver: Receiver, chenjing: ServicerPhone
) -> None:
    menu = payload("app_menu_create_request.json")
    url = f"{api.base_url}/cgi-bin/menu/create"
    params = {"access_token": api.token, "agentid": str(demo.AGENT_ID)}
    body = json.dumps(menu, ensure_ascii=False).encode()
    async with api.http.post(url, params=params, data=body) as answer:
        assert (await answer.json())["errcode"] == 0
    assert (await api.get("menu/get"))["button"] == menu["button"]
    await chenjing.enters_app()
    await sandbox.settle()
    line = await chenjing.tells_app("今天]]>的数据")
    await sandbox.settle()
    for key in ("today_stats", "go_online"):
        await chenjing.presses_menu(key)
        await sandbox.settle()
    view = "https://kf.example.com/mine"
    await chenjing.presses_menu(view)
    await sandbox.settle()
    rows = [(d["MsgType"], d.get("Event"), d.get("EventKey")) for d in receiver.documents]
    assert rows == [
        ("event", "enter_agent", ""),
        ("text", None, None),
        ("event", "click", "today_stats"),
        ("event", "click", "go_online"),
        ("event", "view", view),
    ]
    said = receiver.documents[1]
    assert (said["Content"], said["MsgId"]) == ("今天]]>的数据", line.msgid)
    await api.get("menu/delete")
    with pytest.raises(PhoneRefusal):
        await chenjing.presses_menu("today_stats")


async def test_a_members_image_comes_with_a_media_id_that_can_be_fetched(
    api: Api, sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.upload("servicers/chenjing/app/upload", "image", "照片.png", PNG)
    await sandbox.settle()
    media_id = receiver.last["MediaId"]
    url = f"{api.base_url}/cgi-bin/media/get"
    async with api.http.get(
        url, params={"access_token": api.token, "media_id": media_id}
    ) as answer:
        assert await answer.read() == PNG


async def test_passive_replies_become_lines_and_card_changes_of_the_one_who_pressed(
    api: Api, sandbox: Sandbox, receiver: Receiver, chenjing: ServicerPhone, lijun: ServicerPhone
) -> None:
    receiver.replies = [(PAYLOADS / "reply_text_plain.xml").read_text()]
    await chenjing.tells_app("今日")
    await sandbox.settle()
    assert [line.text for line in await chenjing.app_lines()] == ["今日", "今日已接待 35 位客户"]
    await api.post("message/send", **card())
    receiver.replies = [(PAYLOADS / "reply_update_button_plain.xml").read_text()]
    await chenjing.presses(await only_card(chenjing), "take_1001")
    await sandbox.settle()
    assert (await only_card(chenjing)).content["replace_name"] == "张三已接待"
    receiver.replies = [(PAYLOADS / "reply_update_template_card_plain.xml").read_text()]
    await lijun.presses(await only_card(lijun), "take_1001")
    await sandbox.settle()
    shown = (await only_card(lijun)).content
    assert shown["replace_name"] == "已由张三接待"
    assert shown["button_list"] == [{"text": "我来接待", "style": "1", "key": "take_1001"}]


async def test_nonsense_as_a_passive_reply_changes_nothing(
    sandbox: Sandbox, receiver: Receiver, chenjing: ServicerPhone
) -> None:
    receiver.replies = ["<xml><MsgType>image</MsgType></xml>", "not xml"]
    await asyncio.gather(chenjing.tells_app("一"), chenjing.tells_app("二"))
    await sandbox.settle()
    assert [line.side for line in await chenjing.app_lines()].count("member") == 2
    await chenjing.tells_app("三")
    await sandbox.settle()
    assert receiver.last["Content"] == "三"
