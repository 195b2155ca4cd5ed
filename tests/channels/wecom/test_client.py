import asyncio
from types import SimpleNamespace

import pytest
from aiohttp import web

from channels.errors import (
    BadCredentials,
    ChannelError,
    Rejected,
    RetryLater,
    WindowClosed,
    WrongState,
)
from channels.http import HttpClient
from channels.testing import MemoryServices
from channels.wecom.client import WeComClient
from channels.wecom.config import WeComSettings
from channels.wecom.tokens import AccessTokens, Application
from tests.channels.fake_wecom import FakeWeCom, payload

BUSY = {"errcode": -1, "errmsg": "system busy"}


async def test_one_token_serves_all_calls(client: WeComClient, wecom: FakeWeCom) -> None:
    await asyncio.gather(*(client.get("user/get", {"userid": "a"}) for _ in range(20)))
    assert len(wecom.called("gettoken")) == 1
    assert wecom.called("gettoken")[0].query == {
        "corpid": "ww1a2b3c4d5e6f7890",
        "corpsecret": "app-secret",
    }


async def test_a_storm_of_expired_tokens_refreshes_once(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    await client.get("user/get")
    wecom.expire_tokens()
    await asyncio.gather(*(client.get("user/get") for _ in range(50)))
    assert len(wecom.called("gettoken")) == 2


async def test_two_processes_share_the_token_and_its_renewal(
    client: WeComClient, wecom: FakeWeCom, memory: MemoryServices, wecom_settings: WeComSettings
) -> None:
    http = HttpClient()
    application = Application(wecom_settings.api_root, wecom_settings.corp_id, "app-secret")
    other = WeComClient.connect(http, application, cache=memory.cache, lock=memory.lock)
    await client.get("user/get")
    wecom.expire_tokens()
    await asyncio.gather(*(c.get("user/get") for c in (client, other) for _ in range(10)))
    assert len(wecom.called("gettoken")) == 2
    await http.close()


async def test_a_token_that_stays_bad_is_tried_once_more_and_not_for_ever(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    wecom.defaults["user/get"] = payload("auth_error_42001.json")
    with pytest.raises(RetryLater) as caught:
        await client.get("user/get")
    assert caught.value.vendor_code == "42001"
    assert len(wecom.called("user/get")) == 2


async def test_the_same_token_handed_out_again_is_not_asked_for_in_a_storm(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    wecom.defaults["gettoken"] = payload("auth_gettoken_ok.json")  # never among the valid ones
    results = await asyncio.gather(
        *(client.get("user/get") for _ in range(20)), return_exceptions=True
    )
    assert {type(result) for result in results} == {RetryLater}
    assert len(wecom.called("gettoken")) == 2


async def test_a_token_is_kept_less_long_than_it_lives(
    client: WeComClient, memory: MemoryServices
) -> None:
    await client.get("user/get")
    (key,) = [key for key in memory.cache.values if key.startswith("wecom.token:")]
    assert memory.cache.ttls[key] == 7200 - 300
    assert "app-secret" not in key


async def test_a_wrong_secret_is_not_tried_again_and_again(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    wecom.defaults["gettoken"] = payload("auth_gettoken_error_40001.json")
    for _ in range(3):
        with pytest.raises(BadCredentials) as caught:
            await client.get("user/get")
        assert caught.value.vendor_code == "40001"
    assert len(wecom.called("gettoken")) == 1


async def test_a_busy_token_service_is_left_alone_for_a_moment(
    client: WeComClient, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.will_answer("gettoken", BUSY)
    results = await asyncio.gather(
        *(client.get("user/get") for _ in range(10)), return_exceptions=True
    )
    assert {type(result) for result in results} == {RetryLater}
    assert len(wecom.called("gettoken")) == 1
    (key,) = [key for key in memory.cache.values if "token_refused" in key]
    assert memory.cache.ttls[key] == 1
    await memory.cache.delete(key)
    await client.get("user/get")


async def test_a_busy_system_is_asked_four_times(client: WeComClient, wecom: FakeWeCom) -> None:
    wecom.will_answer("user/get", BUSY, BUSY, BUSY)
    assert (await client.get("user/get"))["errcode"] == 0
    wecom.will_answer("user/get", BUSY, BUSY, BUSY, BUSY)
    with pytest.raises(RetryLater):
        await client.get("user/get")
    assert len(wecom.called("user/get")) == 8


async def test_a_rate_limit_rests_that_call_and_no_other(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    wecom.will_answer("kf/send_msg", payload("auth_error_45009.json"))
    for _ in range(3):
        with pytest.raises(RetryLater) as caught:
            await client.post("kf/send_msg", {})
        assert caught.value.vendor_code == "45009"
        assert 0 < (caught.value.retry_after_s or 0) <= 2
    assert len(wecom.called("kf/send_msg")) == 1
    await client.post("kf/sync_msg", {})


async def test_a_limit_that_lasts_is_asked_after_ever_more_rarely(
    client: WeComClient, wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("channels.wecom.client.time", SimpleNamespace(monotonic=lambda: now_s))
    rests = []
    for _ in range(4):
        wecom.will_answer("kf/send_msg", payload("auth_error_45009.json"))
        with pytest.raises(RetryLater) as caught:
            await client.post("kf/send_msg", {})
        rests.append(caught.value.retry_after_s)
        now_s += caught.value.retry_after_s or 0
    assert rests == [2, 10, 60, 60]
    await client.post("kf/send_msg", {})  # the window is open again
    wecom.will_answer("kf/send_msg", payload("auth_error_45009.json"))
    with pytest.raises(RetryLater) as caught:
        await client.post("kf/send_msg", {})
    assert caught.value.retry_after_s == 2


async def test_at_the_end_of_a_rest_one_call_finds_out_for_all(
    client: WeComClient, wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("channels.wecom.client.time", SimpleNamespace(monotonic=lambda: now_s))
    wecom.will_answer("kf/send_msg", *[payload("auth_error_45009.json")] * 4)

    async def send() -> None:
        await client.post("kf/send_msg", {})

    met = await asyncio.gather(*[send() for _ in range(3)], return_exceptions=True)
    assert [one.retry_after_s for one in met if isinstance(one, RetryLater)] == [2, 2, 2]
    now_s += 2
    await asyncio.gather(*[send() for _ in range(5)], return_exceptions=True)
    assert len(wecom.called("kf/send_msg")) == 4


@pytest.mark.parametrize(
    ("fixture", "error"),
    [
        ("kf_send_error_95001.json", WindowClosed),
        ("kf_send_error_95002.json", WindowClosed),
        ("kf_send_error_95013.json", WindowClosed),
        ("kf_send_error_95018.json", WrongState),
        ("kf_send_error_40201.json", Rejected),
        ("auth_error_60020.json", BadCredentials),
    ],
)
async def test_a_refusal_becomes_an_error_that_says_what_to_do(
    client: WeComClient, wecom: FakeWeCom, fixture: str, error: type[ChannelError]
) -> None:
    answer = payload(fixture)
    wecom.will_answer("kf/send_msg", answer)
    with pytest.raises(error) as caught:
        await client.post("kf/send_msg", {})
    assert caught.value.vendor_code == str(answer["errcode"])
    assert answer["errmsg"] in str(caught.value)
    await client.post("kf/send_msg", {})


async def test_an_unreadable_errcode_is_a_reason_to_retry(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    for code in ("what", None, {"a": 1}, True):
        wecom.will_answer("user/get", {"errcode": code})
        with pytest.raises(RetryLater):
            await client.get("user/get")
    wecom.will_answer("user/get", {"errcode": "0", "name": "x"})
    assert (await client.get("user/get"))["name"] == "x"


async def test_a_file_comes_back_whole_and_an_error_in_its_place_is_seen(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    disposition = {"Content-Disposition": 'attachment; filename="a.json"'}
    wecom.will_answer(
        "media/get",
        web.Response(body=b'{"errcode": 1}', headers=disposition, content_type="application/json"),
        {"errcode": 40007, "errmsg": "invalid media_id"},
    )
    found = await client.download("m1", max_bytes=100)
    assert (found.body, found.filename) == (b'{"errcode": 1}', "a.json")
    with pytest.raises(Rejected, match="40007"):
        await client.download("m2", max_bytes=100)


async def test_a_large_file_is_refused_while_it_comes(
    client: WeComClient, wecom: FakeWeCom
) -> None:
    wecom.will_answer("media/get", web.Response(body=b"x" * 10 * 1024 * 1024))
    with pytest.raises(Rejected, match="larger"):
        await client.download("m1", max_bytes=1024 * 1024)


async def test_a_download_renews_an_expired_token(client: WeComClient, wecom: FakeWeCom) -> None:
    await client.get("user/get")
    wecom.expire_tokens()
    wecom.will_answer("media/get", web.Response(body=b"picture", content_type="image/png"))
    assert (await client.download("m1", max_bytes=100)).body == b"picture"


@pytest.mark.parametrize(
    "base", ["https://x.example", "https://x.example/", "https://x.example/cgi-bin"]
)
def test_the_api_base_may_be_written_in_several_ways(base: str) -> None:
    assert WeComSettings(api_base=base).api_root == "https://x.example/cgi-bin/"


async def test_tokens_never_reach_a_log_line_or_a_repr(
    client: WeComClient, wecom: FakeWeCom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="channels")
    await client.get("user/get")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("channels")]
    assert ours
    assert not any("token-1" in line or "app-secret" in line for line in ours)
    assert "app-secret" not in repr(Application("r", "c", "app-secret"))


async def test_a_cached_entry_that_is_damaged_is_fetched_anew(
    client: WeComClient, wecom: FakeWeCom, memory: MemoryServices, wecom_settings: WeComSettings
) -> None:
    await client.get("user/get")
    for key in memory.cache.values:
        memory.cache.values[key] = "not json"
    http = HttpClient()
    application = Application(wecom_settings.api_root, wecom_settings.corp_id, "app-secret")
    tokens = AccessTokens(http, application, cache=memory.cache, lock=memory.lock)
    assert await tokens.get() == "token-2"
    await http.close()
