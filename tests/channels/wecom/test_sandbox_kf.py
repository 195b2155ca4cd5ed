"""微信客服 of the sandbox, seen by a program: receiving and sending."""

import aiohttp
import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox
from tests.channels.wecom.conftest import Api, HandClock, Receiver

HOUR = 3600
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


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


# --- media -------------------------------------------------------------------------------------


async def test_media_go_both_ways_and_expire_after_three_days(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    sent = await customer.uploads("image", "截图.png", PNG)
    media_id = (await api.pull(demo.CDC_ACCOUNT))[0]["image"]["media_id"]
    assert sent.content["name"] == "截图.png"
    url = f"{api.base_url}/cgi-bin/media/get"
    params = {"access_token": api.token, "media_id": media_id}
    async with api.http.get(url, params=params) as answer:
        assert await answer.read() == PNG
        assert answer.content_type == "image/png"
        assert answer.content_disposition is not None
        assert answer.content_disposition.filename == "截图.png"
    mine = (await api.upload("image", "回复.png", PNG))["media_id"]
    ask = {"touser": customer.external_userid, "open_kfid": customer.open_kfid}
    image = {"msgtype": "image", "image": {"media_id": mine}}
    assert (await api.post("kf/send_msg", **ask, **image))["errcode"] == 0
    wrong_kind = {"msgtype": "file", "file": {"media_id": mine}}
    assert (await api.post("kf/send_msg", **ask, **wrong_kind))["errcode"] == 40007
    clock.now += 3 * 24 * HOUR + 1
    await api.login()
    assert (await api.get("media/get", media_id=media_id))["errcode"] == 40007
    await customer.says("还在吗")
    assert (await api.post("kf/send_msg", **ask, **image))["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "data", "errcode"),
    [
        ("image", PNG, 0),
        ("image", b"GIF89a" + b"0" * 20, 40123),
        ("voice", b"#!AMR\n" + b"0" * 20, 0),
        ("voice", b"ID3" + b"0" * 20, 40005),
        ("video", b"0000ftypmp42" + b"0" * 20, 0),
        ("file", b"12345", 44001),
        ("file", b"123456", 0),
        ("smell", b"123456", 40004),
        ("voice", b"#!AMR\n" + b"0" * (2 << 20), 45001),
    ],
)
async def test_uploads_are_checked(api: Api, kind: str, data: bytes, errcode: int) -> None:
    answer = await api.upload(kind, "a.bin", data)
    assert answer["errcode"] == errcode
    if not errcode:
        assert answer["created_at"] == "1767229200"


async def test_a_customers_file_above_the_limit_arrives_as_a_text_notice(
    api: Api, customer: CustomerPhone
) -> None:
    line = await customer.uploads("image", "大图.png", PNG + b"0" * (2 << 20))
    assert (line.msgtype, "超过大小限制" in line.text) == ("text", True)
    assert (await api.pull(demo.CDC_ACCOUNT))[0]["msgtype"] == "text"


async def test_a_link_needs_its_picture(api: Api, customer: CustomerPhone) -> None:
    await customer.says("你好")
    ask = {"touser": customer.external_userid, "open_kfid": customer.open_kfid, "msgtype": "link"}
    link = {"title": "手册", "url": "https://kf.example.com/a"}
    assert (await api.post("kf/send_msg", **ask, link=link))["errcode"] == 40058
    link["thumb_media_id"] = (await api.upload("image", "t.png", PNG))["media_id"]
    assert (await api.post("kf/send_msg", **ask, link=link))["errcode"] == 0
    link["url"] = "javascript:alert(1)"
    assert (await api.post("kf/send_msg", **ask, link=link))["errcode"] == 40058


# --- accounts, servicers, customers ----------------------------------------


async def test_accounts_can_be_listed_made_renamed_and_deleted(api: Api) -> None:
    listed = (await api.post("kf/account/list"))["account_list"]
    assert [a["name"] for a in listed] == ["疾控产品支持", "医院产品支持", "VIP服务台"]
    avatar = (await api.upload("image", "a.png", PNG))["media_id"]
    made = await api.post("kf/account/add", name="新账号", media_id=avatar)
    too_long = await api.post("kf/account/add", name="名" * 17, media_id=avatar)
    assert too_long["errcode"] == 95006
    await api.post("kf/account/update", open_kfid=made["open_kfid"], name="改名")
    page = await api.post("kf/account/list", offset=3, limit=1)
    assert [a["name"] for a in page["account_list"]] == ["改名"]
    await api.post("kf/account/del", open_kfid=made["open_kfid"])
    assert (await api.post("kf/add_contact_way", open_kfid=made["open_kfid"]))["errcode"] == 95004


async def test_servicers_are_added_row_by_row_and_listed_with_their_status(
    api: Api, sandbox: Sandbox
) -> None:
    added = await api.post(
        "kf/servicer/add",
        open_kfid=demo.VIP_ACCOUNT,
        userid_list=["sunhao", "chenjing", "nobody"],
        department_id_list=[3],
    )
    rows = [(r.get("userid"), r["errcode"], r["errmsg"]) for r in added["result_list"]]
    assert rows[0] == ("sunhao", 0, "success")
    assert rows[1] == ("chenjing", 0, "ignored")
    assert rows[2][1] == 60030
    await sandbox.servicer("sunhao").sets_status("suspended", demo.VIP_ACCOUNT)
    listed = (await api.get("kf/servicer/list", open_kfid=demo.VIP_ACCOUNT))["servicer_list"]
    assert {"userid": "sunhao", "status": 1, "stop_type": 1} in listed
    assert {"userid": "chenjing", "status": 0} in listed
    assert {"department_id": 3} in listed
    await api.post("kf/servicer/del", open_kfid=demo.VIP_ACCOUNT, userid_list=["sunhao"])
    listed = (await api.get("kf/servicer/list", open_kfid=demo.VIP_ACCOUNT))["servicer_list"]
    assert "sunhao" not in [row.get("userid") for row in listed]


async def test_customers_are_known_for_48_hours_after_they_came(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    ask = {
        "external_userid_list": [customer.external_userid, "wmOther"],
        "need_enter_session_context": 1,
    }
    assert (await api.post("kf/customer/batchget", **ask))["customer_list"] == []
    await customer.enters("website", "q=1")
    found = await api.post("kf/customer/batchget", **ask)
    assert found["customer_list"][0]["nickname"] == "王建国"
    context = found["customer_list"][0]["enter_session_context"]
    assert context == {"scene": "website", "scene_param": "q=1"}
    assert found["invalid_external_userid"] == ["wmOther"]
    clock.now += 48 * HOUR + 1
    await api.login()
    assert (await api.post("kf/customer/batchget", **ask))["customer_list"] == []


async def test_the_directory_shows_members_departments_and_single_sign_on(
    api: Api, sandbox: Sandbox
) -> None:
    assert (await api.get("user/get", userid="CHENJING"))["name"] == "陈静"
    assert (await api.get("user/get", userid="nobody"))["errcode"] == 60111
    team = (await api.get("user/simplelist", department_id="3"))["userlist"]
    assert [member["userid"] for member in team] == ["sunhao", "zhoulan"]
    assert len((await api.get("department/simplelist"))["department_id"]) == 3
    code = await sandbox.servicer("chenjing").oauth_code()
    assert (await api.get("auth/getuserinfo", code=code))["userid"] == "chenjing"
    assert (await api.get("auth/getuserinfo", code=code))["errcode"] == 40029
    assert (await api.get("getcallbackip"))["ip_list"] == ["127.0.0.1"]


async def test_yesterdays_figures_can_be_asked_for(
    api: Api, customer: CustomerPhone, clock: HandClock
) -> None:
    await customer.says("一")
    await customer.says("二")
    day = 1767196800
    ask = {"open_kfid": demo.CDC_ACCOUNT, "start_time": day, "end_time": day}
    assert (await api.post("kf/get_corp_statistic", **ask))["errcode"] == 40035
    clock.now += 24 * HOUR
    await api.login()
    ask["start_time"] = day - 24 * HOUR
    empty, full = (await api.post("kf/get_corp_statistic", **ask))["statistic_list"]
    assert empty == {"stat_time": day - 24 * HOUR}
    assert full["statistic"]["session_cnt"] == 1
    assert full["statistic"]["customer_msg_cnt"] == 2
    rows = (await api.post("kf/get_servicer_statistic", **ask))["statistic_list"]
    assert [row["stat_time"] for row in rows] == [day - 24 * HOUR, day]


async def test_the_api_refuses_what_is_no_upload(api: Api) -> None:
    url = f"{api.base_url}/cgi-bin/media/upload"
    async with api.http.post(url, params={"access_token": api.token, "type": "file"}) as answer:
        assert (await answer.json())["errcode"] == 41005
    form = aiohttp.FormData()
    form.add_field("other", b"123456", filename="x")
    async with api.http.post(
        url, params={"access_token": api.token, "type": "file"}, data=form
    ) as answer:
        assert (await answer.json())["errcode"] == 41005
