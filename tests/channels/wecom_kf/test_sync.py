import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from channels.errors import BadCredentials, RetryLater
from channels.http import HttpClient
from channels.testing import MemoryIntake, MemoryServices
from channels.wecom.callback import KF_PULL, KfSignal
from channels.wecom.config import WeComSettings
from channels.wecom_kf.adapter import WeComKf
from channels.wecom_kf.sync import Puller
from core.ports import CursorMove, InboxItem
from tests.channels.fake_wecom import FakeWeCom, Json, payload
from tests.waiting import stop, until

ACCOUNT = "wkDEMOAAAAkf0000000000000000001"
ACCOUNTS = {"errcode": 0, "account_list": [{"open_kfid": ACCOUNT, "manage_privilege": True}]}


def text(number: int, words: str = "在吗") -> Json:
    return {
        "msgid": f"m{number}",
        "open_kfid": ACCOUNT,
        "external_userid": f"wm{number % 2}",
        "send_time": 1767229200 + number,
        "origin": 3,
        "msgtype": "text",
        "text": {"content": words},
    }


class Log:
    """What a customer-service account has received: pages by cursor, as WeCom gives them."""

    def __init__(self, items: list[Json], page: int = 2) -> None:
        self.items = items
        self.page = page

    def __call__(self, body: Json) -> Json:
        start = int(body.get("cursor", "c0")[1:])
        end = min(start + min(self.page, body["limit"]), len(self.items))
        return {
            "errcode": 0,
            "errmsg": "ok",
            "next_cursor": f"c{end}",
            "has_more": int(end < len(self.items)),
            "msg_list": self.items[start:end],
        }


async def test_all_pages_are_stored_in_order_with_the_last_cursor(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.defaults["kf/sync_msg"] = Log([text(n) for n in range(5)])
    assert await kf.pull(ACCOUNT) == 5
    assert [update.update_id for update in memory.intake.updates] == ["m0", "m1", "m2", "m3", "m4"]
    assert memory.intake.cursors == {f"wecom_kf.sync:{ACCOUNT}": "c5"}
    assert await kf.pull(ACCOUNT) == 0
    assert wecom.bodies("kf/sync_msg")[-1]["cursor"] == "c5"


async def test_an_empty_page_with_more_behind_it_is_followed(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.will_answer(
        "kf/sync_msg",
        payload("kf_sync_page1_empty_has_more.json"),
        payload("kf_sync_page2_mixed.json"),
    )
    assert await kf.pull(ACCOUNT) == 4
    assert [body.get("cursor") for body in wecom.bodies("kf/sync_msg")] == [None, "CUR_PAGE_1"]
    assert memory.intake.cursors[f"wecom_kf.sync:{ACCOUNT}"] == "CUR_PAGE_2"


async def test_second_message_in_one_batch_and_equal_texts_are_not_lost(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.defaults["kf/sync_msg"] = Log([text(1), text(3)], page=10)
    await kf.pull(ACCOUNT)
    assert [update.update_id for update in memory.intake.updates] == ["m1", "m3"]


async def test_a_refused_token_is_dropped_and_the_pull_goes_on(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer("kf/sync_msg", payload("kf_sync_error_95007.json"), Log([text(0)]))
    await kf._puller.pull(ACCOUNT, "OLDTOKEN")
    assert [body.get("token") for body in wecom.bodies("kf/sync_msg")] == ["OLDTOKEN", None]
    wecom.will_answer("kf/sync_msg", payload("kf_sync_error_95007.json"))
    with pytest.raises(RetryLater):
        await kf.pull(ACCOUNT)


async def test_a_refused_cursor_starts_over_without_storing_twice(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    log = Log([text(n) for n in range(3)])
    wecom.defaults["kf/sync_msg"] = log
    await kf.pull(ACCOUNT)
    log.items.append(text(3))
    wecom.will_answer("kf/sync_msg", {"errcode": 50100, "errmsg": "invalid cursor"})
    assert await kf.pull(ACCOUNT) == 1
    assert [body.get("cursor") for body in wecom.bodies("kf/sync_msg")][2:] == ["c3", None, "c2"]
    assert len(memory.intake.items) == 4


async def test_a_shuffled_page_is_stored_in_the_order_of_sending(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.defaults["kf/sync_msg"] = Log([text(n) for n in (3, 1, 2)], page=10)
    await kf.pull(ACCOUNT)
    assert [update.update_id for update in memory.intake.updates] == ["m1", "m2", "m3"]


async def test_more_without_a_new_cursor_does_not_turn_for_ever(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.defaults["kf/sync_msg"] = {
        "errcode": 0,
        "has_more": 1,
        "next_cursor": "",
        "msg_list": [],
    }
    assert await kf.pull(ACCOUNT) == 0
    assert len(wecom.called("kf/sync_msg")) == 1


async def test_a_page_too_large_to_hold_is_pulled_in_smaller_ones(
    wecom: FakeWeCom, wecom_settings: WeComSettings, memory: MemoryServices
) -> None:
    channel = WeComKf(wecom_settings, memory.services, http=HttpClient(max_json_bytes=3000))
    wecom.defaults["kf/sync_msg"] = Log([text(n, "长" * 300) for n in range(4)], page=1000)
    assert await channel.pull(ACCOUNT) == 4
    assert [body["limit"] for body in wecom.bodies("kf/sync_msg")][:4] == [1000, 100, 10, 1]
    await channel.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"errcode": 0, "msg_list": "no list"},
        {"errcode": 0, "msg_list": [1, 2]},
        {"errcode": 0, "msg_list": None},
        web.Response(text="<html>"),
        web.Response(status=502),
    ],
)
async def test_an_unreadable_page_moves_nothing(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices, answer: Any
) -> None:
    wecom.will_answer("kf/sync_msg", answer)
    with pytest.raises(RetryLater):
        await kf.pull(ACCOUNT)
    assert not memory.intake.cursors
    wecom.defaults["kf/sync_msg"] = Log([text(0)])
    assert await kf.pull(ACCOUNT) == 1


# --- properties ----------------------------------------------------------------------------------


class PowerCut(Exception):
    """The process dies here."""


class CrashingIntake(MemoryIntake):
    """Dies before or after the transaction at given calls; never within, as a database."""

    def __init__(self, deaths: dict[int, str]) -> None:
        super().__init__()
        self.deaths = deaths
        self.call = -1

    @override
    async def accept(self, items: Sequence[InboxItem], *, cursor: CursorMove | None = None) -> int:
        self.call += 1
        death = self.deaths.get(self.call)
        if death == "before":
            raise PowerCut
        stored = await super().accept(items, cursor=cursor)
        if death == "after":
            raise PowerCut
        return stored


class ScriptedClient:
    """Stands for the wire where a property needs hundreds of runs."""

    def __init__(self, log: Log, repeats: list[int]) -> None:
        self.log = log
        self.repeats = list(repeats)

    async def post(self, path: str, body: Json) -> Json:
        assert path == "kf/sync_msg"
        page = self.log(body)
        if self.repeats and page["msg_list"]:
            back = self.repeats.pop()
            start = int(body.get("cursor", "c0")[1:])
            page["msg_list"] = self.log.items[max(0, start - back) : start] + page["msg_list"]
        return page


@given(
    count=st.integers(0, 12),
    page=st.integers(1, 5),
    repeats=st.lists(st.integers(0, 4), max_size=8),
    deaths=st.dictionaries(st.integers(0, 9), st.sampled_from(["before", "after"]), max_size=5),
)
def test_any_batching_repetition_and_crash_gives_each_update_once_and_in_order(
    count: int, page: int, repeats: list[int], deaths: dict[int, str]
) -> None:
    items = [text(number) for number in range(count)]
    intake = CrashingIntake(deaths)
    memory = MemoryServices(intake=intake)

    async def live() -> None:
        while True:
            puller = Puller(
                ScriptedClient(Log(items, page), repeats),  # type: ignore[arg-type]
                intake=intake,
                lock=memory.lock,
                cache=memory.cache,
                fresh_s=1,
            )
            try:
                await puller.pull(ACCOUNT)
            except PowerCut:
                continue
            return

    asyncio.run(live())
    assert [update.update_id for update in intake.updates] == [f"m{n}" for n in range(count)]
    for user in ("wm0", "wm1"):
        mine = [u.update_id for u in intake.updates if u.address.user == user]
        assert mine == [item["msgid"] for item in items if item["external_userid"] == user]


# --- the loop ------------------------------------------------------------------------------------


async def test_at_start_all_manageable_accounts_are_pulled(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.defaults["kf/account/list"] = payload("kf_account_list_response.json")
    wecom.defaults["kf/sync_msg"] = Log([text(0)])
    task = asyncio.create_task(kf.run())
    await memory.intake.received(1)
    await stop(task)
    assert {body["open_kfid"] for body in wecom.bodies("kf/sync_msg")} == {ACCOUNT}


async def test_a_signal_from_another_process_pulls_with_its_token(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    log = Log([])
    wecom.defaults["kf/sync_msg"] = log
    task = asyncio.create_task(kf.run())
    await until(lambda: memory.wake.queues[KF_PULL])
    log.items.append(text(0))
    await memory.wake.notify(KF_PULL, "not json")
    await memory.wake.notify(KF_PULL, KfSignal(account="wkNEW", token="T1").model_dump_json())
    await memory.intake.received(1)
    await stop(task)
    assert wecom.bodies("kf/sync_msg")[-1]["token"] == "T1"


async def test_a_signal_before_the_loop_runs_is_pulled_even_when_accounts_cannot_be_read(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.defaults["kf/account/list"] = {"errcode": -1, "errmsg": "busy"}
    wecom.defaults["kf/sync_msg"] = Log([text(0)])
    await kf._on_signal(KfSignal(account=ACCOUNT, token="T1"))
    task = asyncio.create_task(kf.run())
    await memory.intake.received(1)
    await stop(task)


async def test_a_burst_of_signals_is_merged_into_few_pulls(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    task = asyncio.create_task(kf.run())
    await until(lambda: kf._puller.is_running)
    for _ in range(100):
        await kf._on_signal(KfSignal(account=ACCOUNT, token="T"))
    await until(lambda: not kf._puller._busy)
    await stop(task)
    assert 1 <= len(wecom.called("kf/sync_msg")) <= 2


async def test_the_poll_finds_what_no_callback_announced(
    wecom_settings: WeComSettings, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    settings = wecom_settings.model_copy(update={"poll_interval_s": 0.02})
    channel = WeComKf(settings, memory.services)
    log = Log([])
    wecom.defaults |= {"kf/account/list": ACCOUNTS, "kf/sync_msg": log}
    task = asyncio.create_task(channel.run())
    await until(lambda: f"wecom_kf.pulled:{ACCOUNT}" in memory.cache.values)
    log.items.append(text(0))
    await memory.intake.received(1)
    await stop(task)
    await channel.close()


async def test_an_account_pulled_lately_is_not_polled(kf: WeComKf, wecom: FakeWeCom) -> None:
    await kf.pull(ACCOUNT)
    async with asyncio.TaskGroup() as group:
        kf._puller.start(group)
        await kf._puller.request_stale([ACCOUNT])
    assert len(wecom.called("kf/sync_msg")) == 1


async def test_the_loop_outlives_every_refusal(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.will_answer("kf/account/list", {"errcode": 48002, "errmsg": "no"})
    wecom.will_answer(
        "kf/sync_msg",
        {"errcode": 48007, "errmsg": "not managed"},
        {"errcode": 6000, "errmsg": "conflict"},
        Log([text(0)]),
    )
    task = asyncio.create_task(kf.run())
    await until(lambda: kf._puller.is_running)
    await kf._on_signal(KfSignal(account=ACCOUNT))
    await until(lambda: wecom.called("kf/sync_msg") and not kf._puller._busy)
    await kf._on_signal(KfSignal(account=ACCOUNT))
    await memory.intake.received(1)
    assert not task.done()
    await stop(task)


async def test_a_change_of_authorisation_reads_the_accounts_again(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.will_answer("kf/account/list", {"errcode": 0, "account_list": []}, ACCOUNTS)
    wecom.defaults["kf/sync_msg"] = Log([text(0)])
    task = asyncio.create_task(kf.run())
    await until(lambda: wecom.called("kf/account/list"))
    await kf._on_signal(KfSignal())
    await memory.intake.received(1)
    await stop(task)


async def test_a_wrong_secret_does_not_end_the_loop(
    kf: WeComKf, wecom: FakeWeCom, caplog: pytest.LogCaptureFixture
) -> None:
    wecom.defaults["gettoken"] = payload("auth_gettoken_error_40001.json")
    with pytest.raises(BadCredentials):
        await kf.pull(ACCOUNT)
    task = asyncio.create_task(kf.run())
    await until(lambda: "Accounts cannot be read" in caplog.text)
    await kf._on_signal(KfSignal(account=ACCOUNT))
    await until(lambda: "Messages cannot be pulled" in caplog.text)
    assert not task.done()
    assert len(wecom.called("gettoken")) == 1
    await stop(task)
