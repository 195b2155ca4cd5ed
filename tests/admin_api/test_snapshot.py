"""An old snapshot and the events since then make the fresh snapshot: the desk never goes stale."""

from __future__ import annotations

from typing import Any

from core.content import CONTENT, plain_text
from core.event_log import EventRow
from core.events import EVENT, Event
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer

Sessions = dict[str, dict[str, Any]]


def apply(state: Sessions, event: dict[str, Any]) -> None:
    """What the console does with an event, as far as session rows go."""
    if "session" in event:
        state[event["session"]["id"]] = event["session"]
    conversation = event.get("conversation_id") or event.get("message", {}).get("conversation_id")
    for row in state.values():
        if row["conversation_id"] != conversation:
            continue
        if event["type"] == "window.changed":
            row["window"] = event["window"]
        if event["type"] == "message.added":
            message = event["message"]
            row["last_message_at"] = message["sent_at"]
            if message["sender"] == "customer":
                text = plain_text(CONTENT.validate_python(message["content"]))
                row["last_customer_text"] = text[:80]
    if event["type"] == "rating.given":
        state[event["rating"]["session_id"]]["rating_score"] = event["rating"]["score"]


async def _snapshot(api: Api) -> Sessions:
    items = (await api.call("GET", "/sessions?limit=200"))["items"]
    return {item["id"]: item for item in items}


async def _events(api: Api) -> list[dict[str, Any]]:
    async with api.services.uow.read() as tx:
        rows = await tx.db.execute(EventRow.__table__.select().order_by(EventRow.id))
        found: list[Event] = [EVENT.validate_python(row.payload) for row in rows]
    return [event.model_dump(mode="json") for event in found]


async def test_sessions_by_events_equal_sessions_by_reading(
    servicer: Api, supervisor: Api
) -> None:
    uow = servicer.services.uow
    one, two = Customer(uow), Customer(uow, "wm-two")
    await one.says("系统登录不上")
    old, seen = await _snapshot(servicer), len(await _events(servicer))

    await one.asks_for_people()
    await two.says("你好", "有人吗")
    await two.asks_for_people()
    servicer.clock.advance(seconds=30)
    await servicer.call("PUT", "/servicers/me/presence", {"presence": "online"})
    path = f"/sessions/{one.session_id}"
    await servicer.call("POST", f"{path}/claim")
    for number in range(2):
        content = {"type": "text", "text": f"请稍等{number}"}
        body = {"content": content, "client_id": f"s-{number}"}
        await servicer.call("POST", f"{path}/messages", body, status=201)
        servicer.clock.advance(seconds=5)
        await one.says("好的")
    await supervisor.call("POST", f"{path}/takeover")
    await supervisor.call("POST", f"{path}/transfer", {})
    await servicer.call("POST", f"/sessions/{two.session_id}/claim")
    await servicer.call("POST", f"/sessions/{two.session_id}/close", {})

    for event in (await _events(servicer))[seen:]:
        apply(old, event)
    assert old == await _snapshot(servicer)
