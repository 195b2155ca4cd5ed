"""The phone API: lists, chats, uploads, waiting, sockets."""

import json
from typing import Any

import aiohttp
import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, PhoneRefusal, Sandbox
from tests.channels.wecom.conftest import Api
from tests.waiting import PATIENCE_S

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


class Screen:
    """One open socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self, kind: str) -> dict[str, Any]:
        while True:
            message = json.loads(await self._socket.receive_str(timeout=PATIENCE_S))
            if message["type"] == kind:
                return message


async def open_screen(api: Api, who: str) -> Screen:
    url = f"{api.base_url}/phone/api/ws"
    socket = await api.http.ws_connect(url, params={"as": who})
    return Screen(socket)


async def test_the_start_page_lists_everybody_with_links_that_work(
    sandbox: Sandbox, customer: CustomerPhone
) -> None:
    people: Any = await sandbox.people()
    assert [a["name"] for a in people["accounts"]] == ["疾控产品支持", "医院产品支持", "VIP服务台"]
    assert len(people["customers"]) == 8
    assert len(people["servicers"]) == 6
    assert people["app"] == {"agent_id": demo.AGENT_ID, "name": "问渠客服"}
    link = people["accounts"][1]["links"][0]
    assert link["scene"] == "hospital_his"
    assert await customer.follows(link["url"])
    assert customer.open_kfid == demo.HOSPITAL_ACCOUNT
    shown: Any = await sandbox.people()
    threads = shown["customers"][0]["threads"]
    assert [(t["open_kfid"], t["state_hint"]) for t in threads] == [
        (demo.HOSPITAL_ACCOUNT, "会话未开始")
    ]


async def test_a_chat_is_read_in_pages_in_both_directions(
    sandbox: Sandbox, customer: CustomerPhone
) -> None:
    for n in range(1, 8):
        await customer.says(f"{n}")
    path = f"customers/{customer.external_userid}/threads/{customer.open_kfid}"

    async def page(**query: int) -> tuple[list[int], bool]:
        chat: Any = await sandbox.get(path, **query)
        return [entry["seq"] for entry in chat["entries"]], chat["has_more"]

    assert await page(limit=3) == ([5, 6, 7], True)
    assert await page(limit=3, before=5) == ([2, 3, 4], True)
    assert await page(limit=3, before=2) == ([1], False)
    assert await page(limit=2, after=4) == ([5, 6], True)
    assert await page(after=7, wait=0) == ([], False)
    with pytest.raises(PhoneRefusal):
        await page(limit=-1)


async def test_waiting_for_a_line_ends_when_it_comes(api: Api, customer: CustomerPhone) -> None:
    await customer.says("你好")
    await api.say(customer, "第一")
    await api.say(customer, "第二")
    assert (await customer.hears("第二")).side == "account"
    with pytest.raises(TimeoutError):
        await customer.hears("第一", timeout_s=0.05)


async def test_refusals_are_chinese_words_with_a_stable_code(
    sandbox: Sandbox, customer: CustomerPhone
) -> None:
    calls = [
        (sandbox.customer("wmNobody", demo.CDC_ACCOUNT).says("x"), "not_found"),
        (sandbox.customer(customer.external_userid, "wkNone").says("x"), "not_found"),
        (customer.says("  "), "bad_request"),
        (customer.sends("teleport"), "bad_request"),
        (customer.enters("website", "x" * 129), "bad_request"),
        (sandbox.post("customers", name=""), "bad_request"),
        (
            sandbox.post("customers", name="x", external_userid=customer.external_userid),
            "conflict",
        ),
        (sandbox.post("clock/advance", seconds=-1), "bad_request"),
        (sandbox.get("avatars/nobody.svg"), "not_found"),
        (sandbox.get("media/none"), "not_found"),
    ]
    for call, code in calls:
        with pytest.raises(PhoneRefusal) as refusal:
            await call
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("msgtype", "content"),
    [
        ("location", {"latitude": 25.04, "longitude": 102.71, "name": "疾控", "address": "路1号"}),
        ("link", {"title": "t", "desc": "d", "url": "https://x.cn", "pic_url": ""}),
        (
            "miniprogram",
            {"title": "t", "appid": "wx1", "pagepath": "p.html", "thumb_media_id": "3"},
        ),
        ("business_card", {"userid": "chenjing"}),
        ("merged_msg", {"title": "记录", "item": []}),
        ("channels", {"sub_type": 1, "nickname": "n", "title": "t"}),
    ],
)
async def test_every_inbound_type_can_be_sent_from_the_phone(
    api: Api, customer: CustomerPhone, msgtype: str, content: dict[str, object]
) -> None:
    await customer.sends(msgtype, **content)
    item = (await api.pull(demo.CDC_ACCOUNT))[0]
    assert (item["msgtype"], item[msgtype]) == (msgtype, content)


async def test_files_are_shown_with_a_url_that_gives_the_bytes(
    api: Api, customer: CustomerPhone
) -> None:
    line = await customer.uploads("file", "报表 1月.xlsx", b"PK0000000")
    assert line.content["size"] == 9
    url = f"{api.base_url}/phone/api/{line.content['url']}"
    async with api.http.get(url) as answer:
        assert await answer.read() == b"PK0000000"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    avatar = f"{api.base_url}/phone/api/avatars/{customer.external_userid}.svg"
    async with api.http.get(avatar) as answer:
        assert answer.content_type == "image/svg+xml"
        assert ">王<" in await answer.text()


async def test_the_customers_socket_tells_new_and_changed_lines_and_states(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("旧的")
    screen = await open_screen(api, f"customer:{customer.external_userid}:{customer.open_kfid}")
    view = (await screen.next("snapshot"))["view"]
    assert [entry["text"]["content"] for entry in view["entries"]] == ["旧的"]
    await api.say(customer, "您好", msgid="m1")
    told = await screen.next("thread")
    assert (told["thread"]["state"], told["thread"]["state_hint"]) == (1, "智能助手接待中")
    assert [entry["msgid"] for entry in told["entries"]] == ["m1"]
    await api.post("kf/recall_msg", open_kfid=customer.open_kfid, msgid="m1")
    told = await screen.next("thread")
    assert [(e["seq"], e["is_recalled"], "text" in e) for e in told["entries"]] == [
        (2, True, False)
    ]


async def test_the_servicers_socket_tells_sessions_lines_and_the_app(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    screen = await open_screen(api, "servicer:chenjing")
    assert (await screen.next("snapshot"))["view"]["pool"] == []
    await customer.says("转人工")
    await api.move(customer, 2)
    while not (told := await screen.next("sessions"))["view"]["pool"]:
        pass
    assert told["view"]["pool"][0]["customer"] == "王建国"
    chenjing = sandbox.servicer("chenjing")
    await chenjing.picks(customer)
    while not (told := await screen.next("sessions"))["view"]["mine"]:
        pass
    await customer.says("在吗")
    while not (told := await screen.next("thread"))["entries"]:
        pass
    assert told["entries"][-1]["text"]["content"] == "在吗"
    await api.post(
        "message/send",
        touser="chenjing",
        agentid=demo.AGENT_ID,
        msgtype="text",
        text={"content": "新工单"},
    )
    assert (await screen.next("app"))["entries"][0]["text"]["content"] == "新工单"


async def test_a_servicer_is_not_told_of_other_accounts(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    screen = await open_screen(api, "servicer:sunhao")
    await screen.next("snapshot")
    await customer.says("你好")
    await api.move(customer, 2)
    await sandbox.servicer("sunhao").sets_status("stopped")
    view = (await screen.next("sessions"))["view"]
    assert (view["pool"], view["servicer"]["accounts"][0]["status"]) == ([], "stopped")


async def test_sockets_close_when_the_sandbox_stops_and_nonsense_is_refused(
    api: Api, sandbox: Sandbox
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await open_screen(api, "nobody")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await open_screen(api, "servicer:nobody")
    await open_screen(api, "servicer:chenjing")
