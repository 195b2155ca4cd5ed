"""States 0…4, codes, and servicers who work inside the WeCom client."""

from typing import Any

import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, PhoneRefusal, Sandbox, ServicerPhone
from tests.channels.wecom.conftest import Api, Fields, HandClock

HOUR = 3600


@pytest.fixture
def chenjing(sandbox: Sandbox) -> ServicerPhone:
    return sandbox.servicer("chenjing")


@pytest.fixture
def lijun(sandbox: Sandbox) -> ServicerPhone:
    return sandbox.servicer("lijun")


async def events(api: Api, open_kfid: str = demo.CDC_ACCOUNT) -> list[Fields]:
    items = await api.pull(open_kfid)
    return [item["event"] for item in items if item["msgtype"] == "event"]


async def on_event(api: Api, code: str, text: str = "您好", **more: object) -> int:
    answer = await api.post(
        "kf/send_msg_on_event", code=code, msgtype="text", text={"content": text}, **more
    )
    return int(answer["errcode"])


# --- states ------------------------------------------------------------------------------------


async def test_a_message_opens_a_session_and_an_answer_gives_it_to_the_assistant(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.enters("website")
    assert (await api.state(customer))["service_state"] == 4
    await customer.says("你好")
    assert (await api.state(customer))["service_state"] == 0
    await api.say(customer, "您好")
    assert (await api.state(customer))["service_state"] == 1
    assert "servicer_userid" not in await api.state(customer)


ALLOWED = {(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 3), (3, 4)}
DOCUMENTED = {(0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (3, 3), (3, 4)}
WAY_TO = {0: (), 1: (1,), 2: (2,), 3: (3,), 4: (4,)}


@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("after", range(5))
async def test_every_transition_is_allowed_or_refused_as_the_table_says(
    api: Api, sandbox: Sandbox, customer: CustomerPhone, before: int, after: int
) -> None:
    await customer.says("你好")
    for step in WAY_TO[before]:
        assert (await api.move(customer, step, "chenjing"))["errcode"] == 0
    answer = await api.move(customer, after, "lijun")
    assert answer["errcode"] == (0 if (before, after) in ALLOWED else 95016)
    expected = after if (before, after) in ALLOWED else before
    assert (await api.state(customer))["service_state"] == expected


@pytest.mark.parametrize("step", sorted(ALLOWED - DOCUMENTED))
async def test_undocumented_transitions_can_be_switched_off(
    api: Api, sandbox: Sandbox, customer: CustomerPhone, step: tuple[int, int]
) -> None:
    await customer.says("你好")
    for state in WAY_TO[step[0]]:
        await api.move(customer, state)
    await sandbox.settings(is_strict_transitions=True)
    assert (await api.move(customer, step[1]))["errcode"] == 95016
    await sandbox.settings(is_strict_transitions=False)
    assert (await api.move(customer, step[1]))["errcode"] == 0


async def test_a_session_can_only_be_given_to_a_servicer_who_takes_sessions(
    api: Api, customer: CustomerPhone, chenjing: ServicerPhone
) -> None:
    await customer.says("你好")
    assert (await api.move(customer, 3))["errcode"] == 40058
    assert (await api.move(customer, 3, "nobody"))["errcode"] == 95014
    assert (await api.move(customer, 3, "sunhao"))["errcode"] == 95014
    await chenjing.sets_status("stopped")
    assert (await api.move(customer, 3, "chenjing"))["errcode"] == 95019
    await chenjing.sets_status("accepting")
    assert (await api.move(customer, 3, "chenjing"))["errcode"] == 0
    assert (await api.move(customer, 3, "chenjing"))["errcode"] == 95016
    assert (await api.state(customer))["servicer_userid"] == "chenjing"


@pytest.mark.parametrize(("state", "errcode"), [(1, 0), (2, 95018), (3, 95018), (4, 95013)])
async def test_the_api_may_write_only_in_the_first_two_states(
    api: Api, customer: CustomerPhone, state: int, errcode: int
) -> None:
    await customer.says("你好")
    await api.move(customer, state, "chenjing")
    assert (await api.say(customer, "您好"))["errcode"] == errcode


async def test_a_session_is_over_48_hours_after_it_began_and_the_next_message_opens_another(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    await customer.says("一")
    await api.say(customer, "好")
    clock.now += 47 * HOUR
    await customer.says("二")
    clock.now += 2 * HOUR
    await api.login()
    assert (await api.state(customer))["service_state"] == 4
    await customer.says("三")
    assert (await api.state(customer))["service_state"] == 0


async def test_changes_by_the_api_make_no_event(api: Api, customer: CustomerPhone) -> None:
    await customer.says("你好")
    for state in (2, 3, 4):
        await api.move(customer, state, "chenjing")
    assert await events(api) == []


# --- codes -------------------------------------------------------------------------------------


async def test_a_welcome_is_possible_once_in_48_hours_and_only_before_the_customer_wrote(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    assert await customer.enters("website", "from=home")
    event = (await events(api))[-1]
    assert event["event_type"] == "enter_session"
    assert (event["scene"], event["scene_param"]) == ("website", "from=home")
    assert await on_event(api, event["welcome_code"], "欢迎") == 0
    assert await on_event(api, event["welcome_code"], "欢迎") == 41050
    assert not await customer.enters("website")
    assert "welcome_code" not in (await events(api))[-1]
    clock.now += 49 * HOUR
    assert await customer.enters("website")
    await customer.says("你好")
    clock.now += 47 * HOUR
    assert not await customer.enters("website")
    assert await customer.heard() == ["欢迎"]


async def test_the_welcome_code_lives_twenty_seconds(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await customer.enters("website")
    code = (await events(api))[-1]["welcome_code"]
    await sandbox.advance(20.5)
    assert await on_event(api, code) == 41050
    await customer.enters("website")
    code = (await events(api))[-1]["welcome_code"]
    await sandbox.advance(19)
    assert await on_event(api, code) == 0


async def test_each_first_change_gives_one_code_that_dies_with_its_state(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    queued = (await api.move(customer, 2))["msg_code"]
    assert await on_event(api, queued, "前面还有 2 位") == 0
    accepted = (await api.move(customer, 3, "chenjing"))["msg_code"]
    assert "msg_code" not in await api.move(customer, 3, "lijun")
    ended = (await api.move(customer, 4))["msg_code"]
    assert await on_event(api, accepted) == 95018
    assert await on_event(api, ended, "再见") == 0
    assert await customer.heard() == ["前面还有 2 位", "再见"]


async def test_the_closing_menu_must_be_quick_small_and_of_the_right_type(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    queued = (await api.move(customer, 2))["msg_code"]
    rows: list[Any] = [
        {"type": "click", "click": {"id": f"csat_{n}", "content": str(n)}} for n in range(5)
    ]
    menu: Any = {"msgtype": "msgmenu", "msgmenu": {"head_content": "请评价", "list": rows}}
    refused = await api.post("kf/send_msg_on_event", code=queued, **menu)
    assert refused["errcode"] == 40008
    ended = (await api.move(customer, 4))["msg_code"]
    wide = {"type": "text", "text": {"content": "…"}}
    menu["msgmenu"]["list"] = rows + [wide] * 6
    assert (await api.post("kf/send_msg_on_event", code=ended, **menu))["errcode"] == 95008
    menu["msgmenu"]["list"] = rows
    assert (await api.post("kf/send_msg_on_event", code=ended, **menu))["errcode"] == 0
    await customer.clicks("4")
    assert (await api.state(customer))["service_state"] == 0
    ended = (await api.move(customer, 4))["msg_code"]
    await sandbox.advance(21)
    assert (await api.post("kf/send_msg_on_event", code=ended, **menu))["errcode"] == 41050


async def test_messages_with_a_code_do_not_count_toward_the_five(
    api: Api, customer: CustomerPhone
) -> None:
    await customer.enters("website")
    await on_event(api, (await events(api))[-1]["welcome_code"], "欢迎")
    await customer.says("你好")
    codes = [(await api.say(customer, f"{n}"))["errcode"] for n in range(6)]
    assert codes == [0] * 5 + [95001]


# --- servicers in the WeCom client ----------------------------------------


async def test_a_servicer_picks_from_the_pool_talks_and_ends(
    api: Api, customer: CustomerPhone, chenjing: ServicerPhone
) -> None:
    await customer.says("转人工")
    await api.move(customer, 2)
    assert await chenjing.pool() == [customer.external_userid]
    await chenjing.picks(customer)
    assert (await chenjing.pool(), await chenjing.mine()) == ([], [customer.external_userid])
    line = await chenjing.replies(customer, "您好，我是陈静")
    await chenjing.ends(customer)
    items = await api.pull(demo.CDC_ACCOUNT)
    picked, said, ended = items[1:]
    assert picked["event"]["change_type"] == 1
    assert picked["event"]["new_servicer_userid"] == "chenjing"
    assert "old_servicer_userid" not in picked["event"]
    assert (said["msgid"], said["origin"]) == (line.msgid, 5)
    assert said["servicer_userid"] == "chenjing"
    assert ended["event"]["change_type"] == 3
    assert ended["event"]["old_servicer_userid"] == "chenjing"
    assert await on_event(api, picked["event"]["msg_code"]) == 95018
    assert await on_event(api, ended["event"]["msg_code"], "请评价") == 0
    assert await customer.heard() == ["您好，我是陈静", "请评价"]


async def test_transfer_and_reopening_name_both_servicers(
    api: Api, customer: CustomerPhone, chenjing: ServicerPhone, lijun: ServicerPhone
) -> None:
    await customer.says("转人工")
    await api.move(customer, 3, "chenjing")
    await chenjing.transfers(customer, "lijun")
    assert (await api.state(customer))["servicer_userid"] == "lijun"
    await chenjing.reopens(customer)
    await chenjing.ends(customer)
    await chenjing.replies(customer, "补充一句")
    assert (await api.state(customer))["servicer_userid"] == "chenjing"
    changes = [e for e in await events(api) if e["event_type"] == "session_status_change"]
    rows = [
        (e["change_type"], e.get("old_servicer_userid"), e.get("new_servicer_userid"))
        for e in changes
    ]
    assert rows == [
        (2, "chenjing", "lijun"),
        (4, "lijun", "chenjing"),
        (3, "chenjing", None),
        (4, "chenjing", "chenjing"),
    ]
    assert ["msg_code" in e for e in changes] == [False, False, True, False]


async def test_a_servicer_can_only_act_on_sessions_of_her_own(
    api: Api,
    customer: CustomerPhone,
    chenjing: ServicerPhone,
    lijun: ServicerPhone,
    sandbox: Sandbox,
) -> None:
    await customer.says("转人工")
    await api.move(customer, 3, "chenjing")
    for act in (lijun.picks(customer), lijun.replies(customer, "我来"), lijun.ends(customer)):
        with pytest.raises(PhoneRefusal) as refusal:
            await act
        assert refusal.value.code == "conflict"
    with pytest.raises(PhoneRefusal):
        await sandbox.servicer("sunhao").sees(customer)
    assert [line.text for line in await lijun.sees(customer)] == ["转人工"]


async def test_status_events_use_the_other_coding(api: Api, chenjing: ServicerPhone) -> None:
    await chenjing.sets_status("suspended", demo.CDC_ACCOUNT)
    await chenjing.sets_status("suspended", demo.CDC_ACCOUNT)
    await chenjing.sets_status("stopped", demo.CDC_ACCOUNT)
    await chenjing.sets_status("accepting", demo.CDC_ACCOUNT)
    rows = [(e["status"], e.get("stop_type")) for e in await events(api)]
    assert rows == [(2, 1), (2, 0), (1, None)]


async def test_recalls_of_both_sides_are_reported_and_only_young_messages_can_be_recalled(
    api: Api, sandbox: Sandbox, customer: CustomerPhone, chenjing: ServicerPhone
) -> None:
    mine = await customer.says("打错了")
    old = await customer.says("旧的")
    await api.move(customer, 3, "chenjing")
    hers = await chenjing.replies(customer, "也错了")
    await customer.recalls(mine)
    await chenjing.recalls(customer, hers)
    first, second = (await events(api))[-2:]
    assert (first["event_type"], first["recall_msgid"]) == ("user_recall_msg", mine.msgid)
    assert (second["event_type"], second["recall_msgid"]) == ("servicer_recall_msg", hers.msgid)
    assert second["servicer_userid"] == "chenjing"
    shown = await customer.transcript()
    assert [(line.is_recalled, line.text) for line in shown] == [
        (True, ""),
        (False, "旧的"),
        (True, ""),
    ]
    await sandbox.advance(121)
    with pytest.raises(PhoneRefusal):
        await customer.recalls(old)


async def test_a_muted_customers_messages_reach_nobody(
    api: Api, customer: CustomerPhone, chenjing: ServicerPhone
) -> None:
    await customer.says("你好")
    await api.move(customer, 3, "chenjing")
    await chenjing.mutes(customer)
    await customer.says("听得到吗")
    await chenjing.mutes(customer, False)
    await customer.says("现在呢")
    items = await api.pull(demo.CDC_ACCOUNT)
    switches = [i["event"]["reject_switch"] for i in items if i["msgtype"] == "event"]
    texts = [i["text"]["content"] for i in items if i["msgtype"] == "text"]
    assert (switches, texts) == ([1, 0], ["你好", "现在呢"])
    assert [line.raw["is_rejected"] for line in await customer.transcript()] == [
        False,
        True,
        False,
    ]


async def test_the_api_recalls_its_own_messages_for_two_minutes(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    said = await customer.says("你好")
    sent = (await api.say(customer, "错了"))["msgid"]
    late = (await api.say(customer, "晚了"))["msgid"]
    ask = {"open_kfid": customer.open_kfid}
    assert (await api.post("kf/recall_msg", **ask, msgid=sent))["errcode"] == 0
    assert (await api.post("kf/recall_msg", **ask, msgid=sent))["errcode"] == 95029
    assert (await api.post("kf/recall_msg", **ask, msgid=said.msgid))["errcode"] == 95025
    await sandbox.advance(121)
    assert (await api.post("kf/recall_msg", **ask, msgid=late))["errcode"] == 95024
    assert await customer.heard() == ["", "晚了"]


async def test_links_lead_to_their_account_with_scene_and_parameter(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    made = await api.post("kf/add_contact_way", open_kfid=demo.VIP_ACCOUNT, scene="card_7")
    again = await api.post("kf/add_contact_way", open_kfid=demo.VIP_ACCOUNT, scene="card_7")
    assert made["url"] == again["url"]
    assert await customer.follows(made["url"] + "&scene_param=" + "id%3D9%26x%3D%E4%BD%A0")
    assert customer.open_kfid == demo.VIP_ACCOUNT
    event = (await events(api, demo.VIP_ACCOUNT))[-1]
    assert (event["scene"], event["scene_param"]) == ("card_7", "id=9&x=你")
    plain = await api.post("kf/add_contact_way", open_kfid=demo.VIP_ACCOUNT)
    await customer.follows(plain["url"] + "&scene_param=lost")
    assert (await events(api, demo.VIP_ACCOUNT))[-1]["scene_param"] == ""
    with pytest.raises(PhoneRefusal) as refusal:
        await customer.follows("https://work.weixin.qq.com/kf/kfcX?enc_scene=copied")
    assert refusal.value.code == "not_found"
    bad = await api.post("kf/add_contact_way", open_kfid=demo.VIP_ACCOUNT, scene="空格 x")
    assert bad["errcode"] == 40058
