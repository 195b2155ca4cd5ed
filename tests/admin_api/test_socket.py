"""The console's socket: greeting, resume, audiences, expiry, slow clients."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from admin_api.socket import hub as hub_module
from admin_api.socket import protocol, replay
from admin_api.socket.hub import SocketHub, audiences_of
from core.actor import Actor
from core.bus import EventBus
from core.events import AuditRecorded, SettingChanged
from core.local import LocalWakeUp
from core.permissions import permissions_of
from core.servicers.absence import ABSENCE_TIMER, go_offline, needs_renewal, renew
from core.servicers.service import Going, set_presence
from core.timers.runner import TimerRunner
from core.views import Presence, Role
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer, bus_to
from tests.waiting import PATIENCE_S


@pytest.fixture
async def bus(api: Api) -> EventBus:
    made = bus_to(api.services.hub, api.services.uow)
    await made.start()
    return made


async def _greet(api: Api, last_event_id: int | None = None) -> tuple[Any, Any]:
    socket = await api.socket()
    await socket.send_json({"op": "hello", "last_event_id": last_event_id})
    return socket, await _next(socket)


async def _next(socket: ClientWebSocketResponse) -> Any:
    """The next message that is not a ping."""
    while True:
        message = await socket.receive_json(timeout=PATIENCE_S)
        if message["op"] != "ping":
            return message


async def _close_code(socket: ClientWebSocketResponse) -> int | None:
    while True:
        message = await socket.receive(timeout=PATIENCE_S)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            return socket.close_code


async def _events_until(socket: ClientWebSocketResponse, last: int) -> list[Any]:
    found: list[Any] = []
    while not found or found[-1]["id"] < last:
        found.append(await _next(socket))
    return found


async def test_a_new_client_gets_what_happens_from_now_on(servicer: Api, bus: EventBus) -> None:
    customer = Customer(servicer.services.uow)
    await customer.says("在吗")
    await bus.turn()
    socket, ready = await _greet(servicer)
    assert ready["resumed"] is False
    assert socket.protocol == "wenqu"
    await customer.says("在吗")
    await bus.turn()
    event = await _next(socket)
    assert event["op"] == "event"
    assert event["id"] > ready["event_id"]
    assert event["event"]["type"] == "message.added"
    assert event["event"]["message"]["content"]["text"] == "在吗"
    await socket.close()


async def test_a_client_that_was_away_gets_exactly_what_it_missed(
    servicer: Api, bus: EventBus
) -> None:
    customer = Customer(servicer.services.uow)
    first, ready = await _greet(servicer)
    await customer.says("一")
    await bus.turn()
    seen = [await _next(first)]
    await first.close()
    await customer.says("二", "三")
    await bus.turn()
    await customer.says("四")  # committed, not yet fed

    second, ready = await _greet(servicer, last_event_id=seen[-1]["id"])
    assert ready == {"op": "ready", "event_id": seen[-1]["id"], "resumed": True}
    await customer.says("五")
    await bus.turn()
    async with servicer.services.uow.read() as tx:
        newest = await replay.head(tx)
    seen += await _events_until(second, newest)
    ids = [item["id"] for item in seen]
    assert ids == sorted(set(ids))
    texts = [
        item["event"]["message"]["content"]["text"]
        for item in seen
        if item["event"]["type"] == "message.added"
    ]
    assert texts == ["一", "二", "三", "四", "五"]
    await second.close()


async def test_too_far_back_or_ahead_asks_for_a_fresh_snapshot(
    servicer: Api, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Customer(servicer.services.uow)
    await customer.says("一", "二", "三", "四")
    socket, ready = await _greet(servicer, last_event_id=10**9)
    assert ready["resumed"] is False
    assert ready["event_id"] < 10**9
    await socket.close()
    monkeypatch.setattr(replay, "MAX_REPLAY", 3)
    socket, far = await _greet(servicer, last_event_id=0)
    assert far == ready
    await socket.close()
    socket, near = await _greet(servicer, last_event_id=ready["event_id"] - 1)
    assert near["resumed"] is True
    await socket.close()


async def test_purged_events_ask_for_a_fresh_snapshot(servicer: Api, bus: EventBus) -> None:
    from sqlalchemy import delete

    from core.event_log import EventRow

    await Customer(servicer.services.uow).says("一", "二")
    async with servicer.services.uow.write() as tx:
        newest = await replay.head(tx)
        await tx.db.execute(delete(EventRow).where(EventRow.id < newest))
    socket, ready = await _greet(servicer, last_event_id=1)
    assert ready["resumed"] is False
    await socket.close()
    socket, ready = await _greet(servicer, last_event_id=newest - 1)
    assert ready["resumed"] is True
    await socket.close()


async def test_each_role_sees_its_audience_only(
    servicer: Api, supervisor: Api, bus: EventBus
) -> None:
    desk, _ = await _greet(servicer)
    watch, _ = await _greet(supervisor)
    async with servicer.services.uow.write() as tx:
        tx.emit(AuditRecorded(actor="a", action="x", target=""), SettingChanged(key="bot", by="a"))
    await Customer(servicer.services.uow).says("你好")
    await bus.turn()
    assert (await _next(watch))["event"]["type"] == "setting.changed"
    assert (await _next(watch))["event"]["type"] == "session.opened"
    assert (await _next(desk))["event"]["type"] == "session.opened"
    await desk.close()
    await watch.close()


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", ""])
async def test_a_bad_token_is_closed_with_4401(api: Api, token: str) -> None:
    socket = await api.client.ws_connect("/api/v1/ws", protocols=("wenqu", f"bearer.{token}"))
    assert await _close_code(socket) == 4401
    assert len(api.services.hub) == 0


async def test_an_expired_token_ends_the_socket_with_4401(
    servicer: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PING_EVERY_S", 0.02)
    socket, _ = await _greet(servicer)
    assert (await socket.receive_json(timeout=PATIENCE_S))["op"] == "ping"
    servicer.clock.advance(minutes=16)
    assert await _close_code(socket) == 4401
    assert (await _login_and_greet(servicer))["resumed"] is False


async def _login_and_greet(api: Api) -> Any:
    claims = jwt.decode(api.token or "", options={"verify_signature": False})
    fresh = api.services.tokens.issue(
        claims["sub"], claims["did"], now=api.clock.now(), lifetime=timedelta(minutes=15)
    )
    socket, ready = await _greet(api.as_(fresh))
    await socket.close()
    return ready


async def test_a_revoked_device_loses_its_socket(
    servicer: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PING_EVERY_S", 0.02)
    socket, _ = await _greet(servicer)
    await servicer.call("POST", "/auth/logout", status=204)
    assert await _close_code(socket) == 4401


async def test_a_client_must_say_hello_first(servicer: Api) -> None:
    for words in ('{"op":"pong"}', "not json", '{"op":"hello","last_event_id":-1}', "[]"):
        socket = await servicer.socket()
        await socket.send_str(words)
        assert await _close_code(socket) == 4400, words
    socket = await servicer.socket()
    await socket.send_bytes(b"\x00")
    assert await _close_code(socket) == 4400


async def test_presence_is_set_and_nonsense_is_refused_without_ending(
    servicer: Api, bus: EventBus
) -> None:
    socket, _ = await _greet(servicer)
    await socket.send_json({"op": "presence", "presence": "online"})
    await socket.send_json({"op": "presence", "presence": "asleep"})
    await socket.send_str("{")
    assert await _next(socket) == {"op": "refused", "code": "invalid"}
    assert await _next(socket) == {"op": "refused", "code": "invalid"}
    await bus.turn()
    event = (await _next(socket))["event"]
    assert (event["type"], event["servicer"]["presence"]) == ("servicer.changed", "online")
    await socket.send_str("x" * (protocol.MAX_MESSAGE_BYTES + 1))
    assert await _close_code(socket) == 1009


async def test_a_socket_that_asks_too_much_is_refused(servicer: Api) -> None:
    limited = servicer.services.config.model_copy(update={"requests_per_minute": 3})
    object.__setattr__(servicer.services, "config", limited)
    socket, _ = await _greet(servicer)
    for _ in range(4):
        await socket.send_json({"op": "presence", "presence": "online"})
    assert await _next(socket) == {"op": "refused", "code": "too_many_requests"}
    await socket.close()


async def test_whoever_stays_away_goes_offline_and_whoever_looks_stays(
    servicer: Api, supervisor: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PING_EVERY_S", 0.02)
    uow = servicer.services.uow
    jobs = {ABSENCE_TIMER: lambda timer: go_offline(uow, timer)}
    timers = TimerRunner(uow, jobs, LocalWakeUp())
    for person in (servicer, supervisor):
        await person.call("PUT", "/servicers/me/presence", {"presence": "online"})
    gone, _ = await _greet(servicer)
    looking, _ = await _greet(supervisor)
    await _looked_at(servicer, gone)
    await _looked_at(supervisor, looking)
    await gone.close()
    for _ in range(3):
        servicer.clock.advance(seconds=40)
        await _looked_at(supervisor, looking)
        await timers.run_due()
    people = (await supervisor.call("GET", "/servicers"))["items"]
    presence = {person["name"]: person["presence"] for person in people}
    assert presence == {"Servicer": "offline", "Supervisor": "online"}
    await looking.close()


async def test_what_was_said_in_the_app_holds_without_a_console(
    servicer: Api, supervisor: Api
) -> None:
    """The absence of both is noted; only one of them said in the app how they are."""
    uow = servicer.services.uow
    said = {}
    for person, stays in ((servicer, True), (supervisor, False)):
        me = (await person.call("GET", "/auth/me"))["servicer"]["id"]
        await person.call("PUT", "/servicers/me/presence", {"presence": "online"})
        async with uow.write() as tx:
            if stays:
                by = Actor.system("app")
                await set_presence(tx, me, Going(Presence.ONLINE, stays=True), by=by)
            await renew(tx, me)
        said[me] = "online" if stays else "offline"
    servicer.clock.advance(minutes=5)
    jobs = {ABSENCE_TIMER: lambda timer: go_offline(uow, timer)}
    timers = TimerRunner(uow, jobs, LocalWakeUp())
    await timers.run_due()
    people = (await supervisor.call("GET", "/servicers"))["items"]
    assert {one["id"]: one["presence"] for one in people} == said

    await servicer.call("PUT", "/servicers/me/presence", {"presence": "busy"})  # at the console
    me = (await servicer.call("GET", "/auth/me"))["servicer"]["id"]
    async with uow.write() as tx:
        await renew(tx, me)
    servicer.clock.advance(minutes=5)
    await timers.run_due()
    assert (await servicer.call("GET", "/auth/me"))["servicer"]["presence"] == "offline"

    mine = "/servicers/me/presence"
    wanted = {"presence": "offline", "keeps_sessions": True}
    kept = await servicer.call("PUT", mine, wanted)
    assert kept["keeps_until"] is not None
    let_go = await servicer.call("PUT", mine, wanted | {"keeps_sessions": False})
    assert let_go["keeps_until"] is None


async def _looked_at(person: Api, socket: ClientWebSocketResponse) -> None:
    """Wait, ping by ping, until the server has noted that somebody looks."""
    servicer_id = (await person.call("GET", "/auth/me"))["servicer"]["id"]
    while True:
        async with person.services.uow.read() as tx:
            if not await needs_renewal(tx, servicer_id):
                return
        await socket.receive_json(timeout=PATIENCE_S)


async def test_a_slow_client_is_dropped_and_resumes_later(
    servicer: Api, bus: EventBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MAX_WAITING", 5)
    socket, ready = await _greet(servicer)
    customer = Customer(servicer.services.uow)
    await customer.says(*(str(number) for number in range(20)))
    await bus.turn()  # one batch, offered before the writer runs
    assert await _close_code(socket) == protocol.CLOSE_SLOW
    socket, ready = await _greet(servicer, last_event_id=ready["event_id"])
    assert ready["resumed"] is True
    await socket.close()


async def test_the_process_says_goodbye_to_its_sockets(servicer: Api) -> None:
    socket, _ = await _greet(servicer)
    servicer.services.hub.close()
    assert await _close_code(socket) == protocol.CLOSE_GOING_AWAY


def _actor(role: Role) -> Actor:
    return Actor("u", None, "n", role, permissions_of(role))


def test_audiences_follow_permissions() -> None:
    assert audiences_of(_actor(Role.SERVICER)) == {"desk"}
    assert audiences_of(_actor(Role.ADMIN)) == {"desk", "supervisors"}
    assert audiences_of(Actor("u", None, "n", None, frozenset())) == frozenset()


async def test_five_hundred_sockets_are_offered_an_event_in_a_blink() -> None:
    hub = SocketHub()
    subscribers = [hub.subscribe(_actor(Role.SERVICER)) for _ in range(500)]
    event = SettingChanged(key="bot", by="x").model_copy(update={"type": "window.changed"})
    started = time.process_time()
    for number in range(1, 11):
        hub.feed([(number, event, event.model_dump_json())])
    batches = await asyncio.gather(*(item.next_batch() for item in subscribers))
    assert time.process_time() - started < 2.0
    assert {len(batch) for batch in batches} == {10}
    assert len({id(batch[0]) for batch in batches}) == 1  # one text for all
