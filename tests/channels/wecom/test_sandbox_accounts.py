"""Media, accounts, servicers, customers, directory and figures of the sandbox."""

import aiohttp
import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, Sandbox
from tests.channels.wecom.conftest import Api, HandClock

HOUR = 3600
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


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
