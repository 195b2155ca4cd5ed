"""The platform's bad days: faults of calls, of callbacks, of pulls; restarts; load."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.wecom.sandbox import demo_seed as demo
from channels.wecom.sandbox.client import CustomerPhone, PhoneRefusal, Sandbox, running_sandbox
from tests.channels.wecom.conftest import Api, HandClock, Receiver

# --- calls -------------------------------------------------------------------------------------


async def test_an_errcode_fault_hits_its_api_so_many_times_and_applies_nothing(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    await sandbox.fault("errcode", api="kf/send_*", errcode=45009, times=2)
    codes = [(await api.say(customer, "在"))["errcode"] for _ in range(3)]
    assert codes == [45009, 45009, 0]
    assert (await api.state(customer))["errcode"] == 0
    assert await customer.heard() == ["在"]
    counters: Any = await sandbox.counters()
    assert counters["api"]["kf/send_msg"] == {"calls": 3, "errors": {"45009": 2}}


async def test_an_http_fault_answers_html_with_its_status(api: Api, sandbox: Sandbox) -> None:
    await sandbox.fault("http", status=503, times=1)
    async with api.http.get(f"{api.base_url}/cgi-bin/gettoken") as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")


@pytest.mark.parametrize(("kind", "is_applied"), [("drop_before", False), ("drop_after", True)])
async def test_a_dropped_connection_leaves_the_caller_in_doubt(
    api: Api, sandbox: Sandbox, customer: CustomerPhone, kind: str, is_applied: bool
) -> None:
    await customer.says("你好")
    await sandbox.fault(kind, api="kf/send_msg", times=1)
    with pytest.raises(aiohttp.ClientError):
        await api.say(customer, "在", msgid="m1")
    assert await customer.heard() == (["在"] if is_applied else [])
    retry = await api.say(customer, "在", msgid="m1")
    assert retry["errcode"] == (95033 if is_applied else 0)
    assert await customer.heard() == ["在"]


async def test_a_hanging_call_ends_when_the_caller_gives_up(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    await sandbox.fault("drop_before", api="kf/send_msg", seconds=300, times=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await api.say(customer, "在")
    assert (await api.say(customer, "在"))["errcode"] == 0


async def test_latency_is_added_and_faults_can_be_listed_and_removed(
    api: Api, sandbox: Sandbox
) -> None:
    fault_id = await sandbox.fault("latency", seconds=30)
    listed: Any = (await sandbox.get("faults"))["faults"]
    assert [f["kind"] for f in listed] == ["latency"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await api.post("kf/account/list")
    await sandbox.call("DELETE", f"faults/{fault_id}")
    assert (await api.post("kf/account/list"))["errcode"] == 0
    with pytest.raises(PhoneRefusal):
        await sandbox.fault("earthquake")


async def test_a_share_of_calls_fails_where_a_rate_is_given(api: Api, sandbox: Sandbox) -> None:
    await sandbox.fault("errcode", errcode=-1, rate=0.3)
    codes = [(await api.post("kf/account/list"))["errcode"] for _ in range(200)]
    assert 40 <= codes.count(-1) <= 80


async def test_a_failed_delivery_is_reported_later_and_never_shown(
    api: Api, sandbox: Sandbox, customer: CustomerPhone
) -> None:
    await customer.says("你好")
    await sandbox.fault("send_fail", fail_type=13, times=1)
    lost = (await api.say(customer, "敏感"))["msgid"]
    await api.say(customer, "正常")
    await customer.refuses()
    refused = (await api.say(customer, "被拒"))["msgid"]
    events = [i["event"] for i in await api.pull(demo.CDC_ACCOUNT) if i["msgtype"] == "event"]
    assert [(e["fail_msgid"], e["fail_type"]) for e in events] == [(lost, 13), (refused, 10)]
    assert await customer.heard() == ["正常"]


# --- callbacks ---------------------------------------------------------------------------------


async def test_a_refused_callback_is_tried_three_times_more_with_the_same_bytes(
    sandbox: Sandbox, receiver: Receiver, customer: CustomerPhone
) -> None:
    receiver.statuses = [500, 302, 404]
    await customer.says("你好")
    await sandbox.settle()
    assert len(receiver.documents) == 1
    assert len(set(receiver.bodies)) == 1
    receiver.statuses = [500] * 9
    await customer.says("还在吗")
    await sandbox.settle()
    counts = (await sandbox.counters())["callbacks"]
    assert counts == {
        "made": 2, "delivered": 1, "retried": 6, "failed": 1, "lost": 0, "duplicated": 0,
    }  # fmt: skip


async def test_callbacks_can_be_lost_and_doubled(
    api: Api, sandbox: Sandbox, receiver: Receiver, customer: CustomerPhone
) -> None:
    await sandbox.fault("callback_lost", times=1)
    await sandbox.fault("callback_duplicate", times=1)
    await customer.says("丢了")
    await customer.says("两次")
    await sandbox.settle()
    tokens = [document["Token"] for document in receiver.documents]
    assert len(tokens) == 2
    assert len(set(tokens)) == 1
    assert len(await api.pull(demo.CDC_ACCOUNT)) == 2


async def test_a_delayed_callback_arrives_after_later_ones(
    sandbox: Sandbox, receiver: Receiver, customer: CustomerPhone
) -> None:
    await sandbox.fault("callback_delay", seconds=0.2, times=1)
    await customer.says("一")
    other = sandbox.customer(customer.external_userid, demo.VIP_ACCOUNT)
    await other.says("二")
    await sandbox.settle()
    accounts = [document["OpenKfId"] for document in receiver.documents]
    assert accounts == [demo.VIP_ACCOUNT, demo.CDC_ACCOUNT]


async def test_the_callback_url_is_checked_as_the_admin_console_does(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    assert await sandbox.check_callback(demo.AGENT_ID)
    await sandbox.set_callback(demo.AGENT_ID, token="AnotherToken")
    assert not await sandbox.check_callback(demo.AGENT_ID)
    await sandbox.set_callback(
        demo.AGENT_ID, token=demo.CALLBACK_TOKEN, url="http://127.0.0.1:9/x"
    )
    assert not await sandbox.check_callback(demo.AGENT_ID)
    with pytest.raises(PhoneRefusal):
        await sandbox.set_callback(demo.AGENT_ID, aes_key="short")
    await sandbox.set_callback(demo.AGENT_ID, url=None)
    listed: Any = (await sandbox.get("callbacks"))["callbacks"]
    assert listed[0]["url"] is None


# --- pulls -------------------------------------------------------------------------------------


async def test_repeated_and_mixed_pages_lose_nothing_and_keep_each_customers_order(
    api: Api, sandbox: Sandbox
) -> None:
    people = [await sandbox.add_customer(f"客户{n}", demo.CDC_ACCOUNT) for n in range(5)]
    sent: dict[str, list[str]] = {p.external_userid: [] for p in people}
    for turn in range(6):
        for person in people:
            line = await person.says(f"第{turn}句")
            sent[person.external_userid].append(line.msgid)
    await sandbox.fault("pull_repeat")
    await sandbox.fault("pull_shuffle")
    items = await api.pull(demo.CDC_ACCOUNT, limit=7)
    assert len(items) > 30
    order = [item["external_userid"] for item in items]
    assert order != [p.external_userid for p in people] * 6
    for external_userid, msgids in sent.items():
        seen = [i["msgid"] for i in items if i["external_userid"] == external_userid]
        assert list(dict.fromkeys(seen)) == msgids


# --- restart and load ----------------------------------------


async def test_a_stored_sandbox_comes_back_after_a_restart(
    tmp_path: Path, clock: HandClock, receiver: Receiver
) -> None:
    store = tmp_path / "sandbox.sqlite"
    seed = demo.demo_seed(receiver.url)
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 40
    async with (
        running_sandbox(seed, clock=clock, store_path=store) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        customer = sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)
        api = Api(sandbox.base_url, http)
        await api.login()
        await customer.says("你好")
        picture = await customer.uploads("image", "图.png", png)
        await api.say(customer, "您好", msgid="m1")
        await api.pull(demo.CDC_ACCOUNT)
        await sandbox.settle()
    async with (
        running_sandbox(seed, clock=clock, store_path=store) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        customer = sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT)
        assert [line.text for line in await customer.transcript()] == ["你好", "图.png", "您好"]
        again = Api(sandbox.base_url, http)
        assert (await again.post("kf/account/list"))["errcode"] == 41001
        await again.login()
        again.cursors = api.cursors
        new = await customer.says("还在吗")
        assert [i["msgid"] for i in await again.pull(demo.CDC_ACCOUNT)] == [new.msgid]
        assert (await again.say(customer, "您好", msgid="m1"))["errcode"] == 95033
        media_id = str(picture.content["media_id"])
        async with http.get(
            f"{sandbox.base_url}/cgi-bin/media/get",
            params={"access_token": again.token, "media_id": media_id},
        ) as answer:
            assert await answer.read() == png
        await sandbox.settle()


async def test_items_after_a_crash_are_not_hidden_behind_the_cursors_of_clients(
    tmp_path: Path, clock: HandClock
) -> None:
    store, seed = tmp_path / "sandbox.sqlite", demo.demo_seed()
    cursors: dict[str, str] = {}

    async def episode(text: str) -> list[str]:
        async with (
            running_sandbox(seed, clock=clock, store_path=store) as sandbox,
            aiohttp.ClientSession() as http,
        ):
            api = Api(sandbox.base_url, http)
            api.cursors = cursors
            await api.login()
            await sandbox.customer("wmDemoCustomer0000000000000001", demo.CDC_ACCOUNT).says(text)
            return [item["text"]["content"] for item in await api.pull(demo.CDC_ACCOUNT)]

    assert await episode("一") == ["一"]
    before = store.read_bytes()
    assert await episode("二") == ["二"]
    store.write_bytes(before)  # as if the second one had been killed before it saved
    assert await episode("三") == ["三"]


async def test_two_hundred_customers_at_once_do_not_mix(
    api: Api, sandbox: Sandbox, receiver: Receiver
) -> None:
    people = await asyncio.gather(
        *(
            sandbox.add_customer(f"客户{n}", (demo.CDC_ACCOUNT, demo.VIP_ACCOUNT)[n % 2])
            for n in range(200)
        )
    )
    await asyncio.gather(*(person.says(person.external_userid) for person in people))
    answers = await asyncio.gather(*(api.say(p, f"答{p.external_userid}") for p in people))
    assert {answer["errcode"] for answer in answers} == {0}
    for person in people[::40]:
        assert await person.heard() == [f"答{person.external_userid}"]
    items = await api.pull(demo.CDC_ACCOUNT) + await api.pull(demo.VIP_ACCOUNT)
    assert {i["text"]["content"] for i in items} == {p.external_userid for p in people}
    assert all(i["text"]["content"] == i["external_userid"] for i in items)
    await sandbox.settle()
    assert len(receiver.documents) == 200
