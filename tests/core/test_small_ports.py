"""One contract for the small ports: in one process, and over Redis with two processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from core.local import (
    LocalKeyValue,
    LocalRateLimiter,
    LocalWakeUp,
    SmallPorts,
    in_process,
)
from core.ports import KeyValue
from core.shared import over_redis
from tests import services
from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Two:
    """The ports as two users see them: the same process, or two processes on one Redis."""

    here: SmallPorts
    there: SmallPorts


@pytest.fixture(params=["local", "redis"])
async def two(request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    if request.param == "local":
        ports = in_process()
        yield Two(ports, ports)
        return
    url = request.getfixturevalue("redis_url")
    async with over_redis(url) as here, over_redis(url) as there:
        yield Two(here, there)


async def _gone(values: KeyValue, key: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await values.get(key) is not None:  # noqa: ASYNC110
            await asyncio.sleep(0)


# --- KeyValue ------------------------------------------------------------------------------------


async def test_a_value_is_found_by_both_until_it_is_deleted(two: Two) -> None:
    assert await two.there.key_value.get("token") is None
    await two.here.key_value.set("token", "值 1")
    await two.here.key_value.set("other", "2")
    assert await two.there.key_value.get("token") == "值 1"
    await two.there.key_value.delete("token")
    assert await two.here.key_value.get("token") is None
    assert await two.here.key_value.get("other") == "2"


async def test_a_value_with_a_time_to_live_disappears_and_one_without_stays(two: Two) -> None:
    values = two.here.key_value
    await values.set("short", "x", ttl_s=0.005)
    await values.set("long", "y", ttl_s=60)
    await values.set("renewed", "z", ttl_s=0.005)
    await values.set("renewed", "z")
    await _gone(values, "short")
    assert (await values.get("long"), await values.get("renewed")) == ("y", "z")


# --- KeyedLock -----------------------------------------------------------------------------------


async def test_two_never_hold_the_same_name_at_once(two: Two) -> None:
    inside = 0
    most = 0

    async def work(ports: SmallPorts) -> None:
        nonlocal inside, most
        async with ports.locks.hold("wecom-token"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(ports) for ports in [two.here, two.there] * 5))
    assert most == 1


async def test_different_names_are_held_at_once_and_a_name_is_free_after_an_error(
    two: Two,
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ZeroDivisionError):
            async with two.here.locks.hold("a"), two.there.locks.hold("b"):
                raise ZeroDivisionError
        async with two.there.locks.hold("a"), two.here.locks.hold("b"):
            pass


async def test_one_who_stopped_waiting_leaves_the_lock_to_others(two: Two) -> None:
    async with two.here.locks.hold("a"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), two.there.locks.hold("a"):
                pytest.fail("held twice")
    async with asyncio.timeout(PATIENCE_S), two.there.locks.hold("a"):
        pass


# --- WakeUp --------------------------------------------------------------------------------------


async def test_every_listener_of_a_topic_hears_each_call_once_and_in_order(two: Two) -> None:
    wake_up = two.here.wake_up
    async with (
        asyncio.timeout(PATIENCE_S),
        wake_up.listen("t") as near,
        two.there.wake_up.listen("t") as far,
    ):
        for payload in ("1", "", "第:3"):
            await wake_up.notify("t", payload)
        assert [await anext(near) for _ in range(3)] == ["1", "", "第:3"]
        assert [await anext(far) for _ in range(3)] == ["1", "", "第:3"]


async def test_a_topic_does_not_hear_another_nor_what_came_before_it_listened(two: Two) -> None:
    await two.here.wake_up.notify("a", "too early")
    async with asyncio.timeout(PATIENCE_S), two.there.wake_up.listen("a") as wakes:
        await two.here.wake_up.notify("b", "elsewhere")
        await two.here.wake_up.notify("a", "now")
        assert await anext(wakes) == "now"


async def test_giving_up_on_the_next_call_does_not_end_the_listening(two: Two) -> None:
    async with asyncio.timeout(PATIENCE_S), two.there.wake_up.listen("a") as wakes:
        for payload in ("1", "2"):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(wakes), 0.001)
            await two.here.wake_up.notify("a", payload)
            assert await anext(wakes) == payload


async def test_what_the_block_of_a_listener_raises_arrives_as_it_is(two: Two) -> None:
    with pytest.raises(ZeroDivisionError):
        async with two.here.wake_up.listen("a"):
            raise ZeroDivisionError


# --- RateLimiter ---------------------------------------------------------------------------------


async def test_the_limit_counts_both_and_each_key_alone(two: Two) -> None:
    async def allowed(ports: SmallPorts, key: str) -> bool:
        return await ports.rate_limiter.allow(key, limit=3, window_s=60)

    answers = [await allowed(ports, "a") for ports in [two.here, two.there] * 2]
    assert answers == [True, True, True, False]
    assert await allowed(two.there, "b")


async def _until_allowed(ports: SmallPorts) -> None:
    while not await ports.rate_limiter.allow("a", limit=1, window_s=0.02):  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_the_window_slides_and_refused_events_do_not_count(two: Two) -> None:
    limiter = two.here.rate_limiter
    assert await limiter.allow("a", limit=1, window_s=60)
    assert not await limiter.allow("a", limit=1, window_s=60)
    async with asyncio.timeout(PATIENCE_S):
        await _until_allowed(two.there)


# --- what only one of them has -------------------------------------------------------------------


async def test_local_memory_of_values_and_keys_is_bounded() -> None:
    now = 0.0
    values, limiter = LocalKeyValue(lambda: now), LocalRateLimiter(lambda: now)
    for number in range(50_000):
        now = float(number)
        await values.set(str(number), "x", ttl_s=1)
        await limiter.allow(str(number), limit=1, window_s=1)
    assert len(values._values) <= 10_001
    assert len(limiter._allowed) <= 10_001


async def test_a_listener_far_behind_loses_the_oldest_calls_only() -> None:
    wake_up = LocalWakeUp()
    async with wake_up.listen("a") as wakes:
        for number in range(1_500):
            await wake_up.notify("a", str(number))
        assert await anext(wakes) == "500"


async def test_a_lease_of_a_process_that_vanished_expires(redis_url: str) -> None:
    async with over_redis(redis_url) as ports, Redis.from_url(redis_url) as server:
        holder = ports.locks.hold("a", ttl_s=30)
        await holder.__aenter__()
        [key] = await server.keys("*:lock:a")
        assert 0 < await server.pttl(key) <= 30_000
        await server.pexpire(key, 5)  # the holder is never heard of again
        async with (
            over_redis(redis_url) as other,
            asyncio.timeout(PATIENCE_S),
            other.locks.hold("a"),
        ):
            lease = await server.get(key)
            await holder.__aexit__(None, None, None)
            assert await server.get(key) == lease  # coming back late, it frees nobody else's


async def test_installations_and_databases_on_one_redis_do_not_hear_each_other(
    redis_url: str,
) -> None:
    base, _, number = redis_url.rpartition("/")
    elsewhere = f"{base}/{(int(number) + 32) % services.REDIS_DATABASES}"
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(over_redis(redis_url))
        for stranger in (over_redis(elsewhere), over_redis(redis_url, namespace="other")):
            ports = await stack.enter_async_context(stranger)
            await ports.key_value.set("k", "theirs")
            async with asyncio.timeout(PATIENCE_S), ours.wake_up.listen("t") as wakes:
                await ports.wake_up.notify("t", "theirs")
                await ours.wake_up.notify("t", "ours")
                assert await anext(wakes) == "ours"
        assert await ours.key_value.get("k") is None


# --- an outage -----------------------------------------------------------------------------------


async def test_without_redis_the_process_goes_on_alone_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nobody_there = "redis://127.0.0.1:1/0"
    async with over_redis(nobody_there) as ports, asyncio.timeout(PATIENCE_S):
        await ports.key_value.set("k", "v")
        assert await ports.key_value.get("k") is None
        await ports.key_value.delete("k")
        async with ports.locks.hold("a"):
            pass
        async with ports.wake_up.listen("t") as wakes:
            await ports.wake_up.notify("t", "here")
            assert await anext(wakes) == "here"
        limits = [await ports.rate_limiter.allow("a", limit=1, window_s=60) for _ in range(2)]
        assert limits == [True, False]
    assert [record.action for record in caplog.records] == ["redis.lost"]  # type: ignore[attr-defined]


async def test_when_redis_comes_back_listeners_hear_other_processes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "core.shared")
    first = services.own_valkey()
    port = int(first.url.rpartition(":")[2])
    async with (
        asyncio.timeout(PATIENCE_S),
        over_redis(f"{first.url}/0", pause_s=0.01) as here,
        over_redis(f"{first.url}/0", pause_s=0.01) as there,
        here.wake_up.listen("t") as wakes,
    ):
        first.stop()
        await there.wake_up.notify("t", "lost")
        await here.key_value.set("k", "lost")
        second = services.own_valkey(port)
        try:
            heard = None
            while heard is None:
                await there.wake_up.notify("t", "again")
                with suppress(TimeoutError):
                    heard = await asyncio.wait_for(anext(wakes), 0.02)
            assert heard == "again"
            await here.key_value.set("k", "kept")
            assert await there.key_value.get("k") == "kept"
        finally:
            second.stop()
    assert "redis.back" in {record.action for record in caplog.records}  # type: ignore[attr-defined]


async def test_of_many_who_add_a_key_one_is_the_first(two: Two) -> None:
    users = (two.here, two.there) * 4
    won = await asyncio.gather(*(one.key_value.add("nonce", ttl_s=60) for one in users))
    assert won.count(True) == 1
    assert await two.there.key_value.add("other", ttl_s=0.001)
    await _gone(two.there.key_value, "other")
    assert await two.there.key_value.add("other", ttl_s=60)
