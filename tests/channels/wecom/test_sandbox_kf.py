"""微信客服 of the sandbox, seen by a program: receiving and sending."""

import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox
from tests.channels.wecom.conftest import Api, HandClock, Receiver

HOUR = 3600


# --- tokens ------------------------------------------------------------------------------------


async def test_the_token_stays_the_same_inside_its_lifetime_and_changes_after(
    api: Api, clock: HandClock
) -> None:
    first = api.token
    assert (await api.login())["access_token"] == first
    clock.now += 7201
    assert (await api.post("kf/account/list"))["errcode"] == 42001
    assert (await api.login())["access_token"] != first


async def test_wrong_credentials_are_told_apart(api: Api, sandbox: Sandbox) -> None:
    assert (await api.login(secret="wrong"))["errcode"] == 40001
    assert (await api.login(corp="ww0"))["errcode"] == 40013
    api.token = ""
    assert (await api.post("kf/account/list"))["errcode"] == 41001
    api.token = "made-up"
    assert (await api.post("kf/account/list"))["errcode"] == 40014
    await api.login(secret=demo.CONTACT_SECRET)
    assert (await api.post("kf/account/list"))["errcode"] == 48002
    await api.login()
    await sandbox.expire_tokens()
    assert (await api.post("kf/account/list"))["errcode"] == 42001


async def test_escaped_chinese_in_a_request_is_refused_and_raw_utf8_is_taken(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("hi")
    head = f'{{"touser": "{customer.external_userid}", "open_kfid": "{customer.open_kfid}", '
    escaped = head + '"msgtype": "text", "text": {"content": "\\u4f60"}}'
    assert (await api.post_raw("kf/send_msg", escaped.encode()))["errcode"] == 40033
    raw = head + '"msgtype": "text", "text": {"content": "你 C:\\\\users \\u0007"}}'
    assert (await api.post_raw("kf/send_msg", raw.encode()))["errcode"] == 0
    assert (await api.post_raw("kf/send_msg", b"[1]"))["errcode"] == 40035


# --- receiving ---------------------------------------------------------------------------------


async def test_a_customers_text_is_announced_and_pulled_in_the_platforms_shape(
    api: Api, sandbox: Sandbox, receiver: Receiver, customer: CustomerPhone
) -> None:
    line = await customer.says("如何登录？")
    await sandbox.settle()
    assert receiver.last["Event"] == "kf_msg_or_event"
    assert receiver.last["OpenKfId"] == demo.CDC_ACCOUNT
    assert receiver.last["ToUserName"] == demo.CORP_ID
    items = await api.pull(demo.CDC_ACCOUNT, token=receiver.last["Token"])
    assert items == [
        {
            "msgid": line.msgid,
            "open_kfid": demo.CDC_ACCOUNT,
            "external_userid": customer.external_userid,
            "send_time": 1767229200,
            "origin": 3,
            "msgtype": "text",
            "text": {"content": "如何登录？"},
        }
    ]
    assert await api.pull(demo.CDC_ACCOUNT) == []
    assert await api.pull(demo.HOSPITAL_ACCOUNT) == []


async def test_pages_follow_the_limit_and_an_empty_page_is_not_the_end(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    sent = [(await customer.says(f"第{n}条")).msgid for n in range(7)]
    await sandbox.fault("pull_empty", times=2)
    first = await api.post("kf/sync_msg", open_kfid=demo.CDC_ACCOUNT, limit=3)
    assert (first["msg_list"], first["has_more"]) == ([], 1)
    api.cursors[demo.CDC_ACCOUNT] = first["next_cursor"]
    assert [i["msgid"] for i in await api.pull(demo.CDC_ACCOUNT, limit=3)] == sent


async def test_every_nth_pull_is_empty_although_there_is_more(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await sandbox.settings(empty_page_every=1)
    line = await customer.says("你好")
    answer = await api.post("kf/sync_msg", open_kfid=demo.CDC_ACCOUNT)
    assert (answer["msg_list"], answer["has_more"]) == ([], 1)
    assert [i["msgid"] for i in await api.pull(demo.CDC_ACCOUNT)] == [line.msgid]


async def test_a_cursor_belongs_to_its_account_and_nonsense_is_refused(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    await api.pull(demo.CDC_ACCOUNT)
    for cursor in (api.cursors[demo.CDC_ACCOUNT], "nonsense"):
        answer = await api.post("kf/sync_msg", open_kfid=demo.VIP_ACCOUNT, cursor=cursor)
        assert answer["errcode"] == 50100


async def test_a_pull_token_lives_ten_minutes_and_for_one_account(
    api: Api, sandbox: Sandbox, receiver: Receiver, customer: CustomerPhone, clock: HandClock
) -> None:
    await customer.says("你好")
    await sandbox.settle()
    token = receiver.last["Token"]
    ask = {"token": token, "open_kfid": demo.CDC_ACCOUNT}
    assert (await api.post("kf/sync_msg", **ask))["errcode"] == 0
    other = {"token": token, "open_kfid": demo.VIP_ACCOUNT}
    assert (await api.post("kf/sync_msg", **other))["errcode"] == 95007
    clock.now += 601
    assert (await api.post("kf/sync_msg", **ask))["errcode"] == 95007


async def test_messages_older_than_three_days_are_gone(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    await customer.says("旧的")
    clock.now += 3 * 24 * HOUR + 1
    await api.login()
    new = await customer.says("新的")
    assert [i["msgid"] for i in await api.pull(demo.CDC_ACCOUNT)] == [new.msgid]


async def test_pulls_without_token_can_be_limited(api: Api, sandbox: Sandbox) -> None:
    await sandbox.settings(tokenless_pulls_per_minute=2)
    codes = [
        (await api.post("kf/sync_msg", open_kfid=demo.CDC_ACCOUNT))["errcode"] for _ in range(3)
    ]
    assert codes == [0, 0, 45009]


async def test_account_ids_are_checked_in_every_call(api: Api) -> None:
    assert (await api.post("kf/sync_msg", open_kfid="x"))["errcode"] == 95000
    assert (await api.post("kf/sync_msg", open_kfid="wkNone"))["errcode"] == 95004
    assert (await api.post("kf/sync_msg"))["errcode"] == 40058


# --- sending -----------------------------------------------------------------------------------


async def test_five_messages_and_then_none_until_the_customer_writes_again(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    codes = [(await api.say(customer, f"{n}"))["errcode"] for n in range(6)]
    assert codes == [0, 0, 0, 0, 0, 95001]
    await customer.says("还在吗")
    assert (await api.say(customer, "在"))["errcode"] == 0
    assert await customer.heard() == ["0", "1", "2", "3", "4", "在"]


async def test_sent_messages_never_come_back_by_pulling(api: Api, customer: CustomerPhone) -> None:
    await customer.says("你好")
    await api.say(customer, "您好")
    assert [item["origin"] for item in await api.pull(demo.CDC_ACCOUNT)] == [3]


async def test_nothing_can_be_sent_after_48_hours_or_before_the_customer_wrote(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    assert (await api.say(customer, "嗨"))["errcode"] == 95031
    await customer.says("你好")
    clock.now += 48 * HOUR - 1
    await api.login()
    assert (await api.say(customer, "在"))["errcode"] == 0
    clock.now += 2
    assert (await api.say(customer, "在"))["errcode"] == 95002


async def test_a_used_msgid_is_refused_even_when_nothing_else_could_be_sent(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    assert (await api.say(customer, "您好", msgid="out_1"))["msgid"] == "out_1"
    assert (await api.say(customer, "您好", msgid="out_1"))["errcode"] == 95033
    await api.move(customer, 4)
    assert (await api.say(customer, "您好", msgid="out_1"))["errcode"] == 95033
    assert (await api.say(customer, "您好", msgid="no good!"))["errcode"] == 40058
    assert await customer.heard() == ["您好"]


async def test_long_text_is_cut_at_2048_bytes_without_breaking_a_character(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    await api.say(customer, "字" * 1000)
    assert await customer.heard() == ["字" * (2048 // 3)]


async def test_unknown_customers_and_types_are_refused(api: Api, customer: CustomerPhone) -> None:
    await customer.says("你好")
    ask = {"touser": "wmNobody", "open_kfid": demo.CDC_ACCOUNT}
    text = {"msgtype": "text", "text": {"content": "x"}}
    assert (await api.post("kf/send_msg", **ask, **text))["errcode"] == 40096
    ask["touser"] = customer.external_userid
    assert (await api.post("kf/send_msg", **ask, msgtype="smoke", smoke={}))["errcode"] == 40008
    empty = {"msgtype": "text", "text": {"content": ""}}
    assert (await api.post("kf/send_msg", **ask, **empty))["errcode"] == 44004


def menu(clicks: int, texts: int = 0) -> dict[str, object]:
    rows = [
        {"type": "click", "click": {"id": f"faq_{n}", "content": f"问题{n}"}}
        for n in range(clicks)
    ]
    rows += [
        {"type": "text", "text": {"content": f"说明{n}", "no_newline": 0}} for n in range(texts)
    ]
    return {"head_content": "请选择", "list": rows, "tail_content": "9:00-18:00"}


@pytest.mark.parametrize(
    ("content", "errcode"),
    [
        (menu(10), 0),
        (menu(11), 95008),
        (menu(10, 40), 0),
        (menu(10, 41), 95008),
        ({"list": [{"type": "click", "click": {"id": "a#b", "content": "x"}}]}, 40058),
        ({"list": [{"type": "click", "click": {"id": "ab", "content": ""}}]}, 40058),
        ({"list": [{"type": "dance", "dance": {}}]}, 95009),
        ({"head_content": "x" * 1025, "list": []}, 40058),
    ],
)
async def test_menus_are_checked(
    api: Api, customer: CustomerPhone, content: dict[str, object], errcode: int
) -> None:
    await customer.says("你好")
    answer = await api.post(
        "kf/send_msg",
        touser=customer.external_userid,
        open_kfid=customer.open_kfid,
        msgtype="msgmenu",
        msgmenu=content,
    )
    assert answer["errcode"] == errcode


async def test_a_menu_click_comes_back_as_text_with_its_id_and_resets_the_count(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    ask = {"touser": customer.external_userid, "open_kfid": customer.open_kfid}
    await api.post("kf/send_msg", **ask, msgtype="msgmenu", msgmenu=menu(3))
    for _ in range(4):
        await api.say(customer, "…")
    assert (await api.say(customer, "…"))["errcode"] == 95001
    await customer.clicks("问题2")
    assert (await api.pull(demo.CDC_ACCOUNT))[-1]["text"] == {
        "content": "问题2",
        "menu_id": "faq_2",
    }
    assert (await api.say(customer, "好"))["errcode"] == 0
