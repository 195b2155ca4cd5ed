"""The desk's work over HTTP: lists, answering, moving sessions, customers, knowledge."""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts.service import register
from core.content import Image, Location, Media, Text
from core.conversations.receipts import set_delivery
from core.conversations.service import Speech, say
from core.conversations.threads import ensure_thread
from core.ratings import service as ratings
from core.servicers.service import set_accepting
from core.views import Delivery, Sender
from tests.admin_api.conftest import Api, Login
from tests.admin_api.desk import LIMITS, Customer


@pytest.fixture
async def customer(api: Api) -> Customer:
    """Waits in the queue after two lines."""
    made = Customer(api.services.uow)
    await made.says("系统登录不上", "一直转圈")
    await made.asks_for_people()
    return made


async def _online(api: Api) -> str:
    view = await api.call("PUT", "/servicers/me/presence", {"presence": "online"})
    return str(view["id"])


def _text(text: str, client_id: str, **more: object) -> dict[str, object]:
    return {"content": {"type": "text", "text": text}, "client_id": client_id, **more}


async def test_claim_answer_close_and_others_are_kept_out(
    servicer: Api, customer: Customer, log_in: Login
) -> None:
    other: Api = await log_in("servicer", "other")
    path = f"/sessions/{customer.session_id}"
    await _online(servicer)
    await _online(other)
    queue = await servicer.call("GET", "/queue")
    assert [item["session"]["id"] for item in queue["items"]] == [customer.session_id]
    assert queue["items"][0]["position"] == 1
    assert queue["items"][0]["promised_wait_s"] == 900  # nobody was online: a message then
    assert queue["servicers_online"] == 2
    assert (await servicer.call("GET", "/sessions?view=mine"))["items"] == []

    claimed = await servicer.call("POST", f"{path}/claim")
    assert claimed["state"] == "serving"
    await other.refused("POST", f"{path}/claim", status=409, code="not_queued")
    body = _text("您好，请稍等", "c-1")
    await other.refused("POST", f"{path}/messages", body, status=403, code="not_my_session")
    sent = await servicer.call("POST", f"{path}/messages", body, status=201)
    assert [(line["sender"], line["delivery"]) for line in sent] == [("servicer", "pending")]
    again = await servicer.call("POST", f"{path}/messages", body, status=201)
    assert again[0]["id"] == sent[0]["id"]

    page = await servicer.call("GET", f"{path}/messages?limit=2")
    texts = [line["content"]["text"] for line in page["items"]]
    assert texts[-1] == "您好，请稍等"
    assert page["has_more"] is True
    older = await servicer.call("GET", f"{path}/messages?before_seq={page['items'][0]['seq']}")
    assert older["items"][0]["content"]["text"] == "系统登录不上"
    mine = (await servicer.call("GET", "/sessions?view=mine"))["items"]
    assert [item["id"] for item in mine] == [customer.session_id]

    await other.refused("POST", f"{path}/close", {}, status=403, code="not_my_session")
    closed = await servicer.call("POST", f"{path}/close", {})
    assert (closed["state"], closed["close_reason"]) == ("closed", "resolved")
    await servicer.refused(
        "POST", f"{path}/messages", _text("还在吗", "c-2"), status=409, code="not_serving"
    )
    await servicer.refused("GET", "/sessions/none", status=404, code="session_not_found")


async def test_the_reply_window_is_honoured_and_holding_is_offered(
    servicer: Api, customer: Customer
) -> None:
    path = f"/sessions/{customer.session_id}"
    await _online(servicer)
    await servicer.call("POST", f"{path}/claim")
    left = (await servicer.call("GET", path))["window"]["left"]
    for number in range(left):
        long = _text(f"第{number}条" + "很长的说明" * 200, f"w-{number}")  # joins no other
        await servicer.call("POST", f"{path}/messages", long, status=201)
    body = _text("太多" * 200, "w-x")
    problem = await servicer.refused(
        "POST", f"{path}/messages", body, status=409, code="window_closed"
    )
    assert problem["facts"]["left"] == 0
    assert problem["facts"]["until"].endswith("Z")
    assert "剩余 0 条" in problem["title"]
    body = _text("太多" * 200, "w-x", hold_if_closed=True)
    held = await servicer.call("POST", f"{path}/messages", body, status=201)
    assert held[0]["delivery"] == "held"


async def test_only_sendable_content_leaves_the_desk(servicer: Api, customer: Customer) -> None:
    path = f"/sessions/{customer.session_id}/messages"
    await _online(servicer)
    await servicer.call("POST", f"/sessions/{customer.session_id}/claim")
    file = await servicer.services.files.keep(b"minutes", name="纪要.txt")
    wanted = {"type": "file", "media": {"attachment_id": file.id, "name": "../改名.txt"}}
    body = {"content": wanted, "client_id": "f-1"}
    sent = await servicer.call("POST", path, body, status=201)
    media = sent[0]["content"]["media"]
    assert (media["name"], media["mime"], media["size"]) == ("改名.txt", "text/plain", 7)

    for number, (content, code) in enumerate(
        [
            (Text(text="  "), "invalid_text"),
            (Text(text="x" * 20_001), "invalid_text"),
            (Image(media=Media(attachment_id=file.id)), "unsendable_content"),
            (Image(media=Media(vendor_ref="stolen")), "unsendable_content"),
            (Location(latitude=1, longitude=2), "unsendable_content"),
        ]
    ):
        body = {"content": content.model_dump(mode="json"), "client_id": f"x-{number}"}
        await servicer.refused("POST", path, body, status=422, code=code)
    body = {"content": {"type": "wish"}, "client_id": "y"}
    problem = await servicer.refused("POST", path, body, status=422, code="invalid_fields")
    assert problem["errors"][0]["field"] == "content"
    missing = {"content": wanted | {"media": {"attachment_id": "0" * 64}}, "client_id": "z"}
    await servicer.refused("POST", path, missing, status=404, code="not_found")


@pytest.mark.parametrize(
    ("most", "status", "code"), [(6, 413, "file_too_large"), (0, 422, "no_files_here")]
)
async def test_a_file_that_the_channel_does_not_take_is_refused(
    servicer: Api, customer: Customer, most: int, status: int, code: str
) -> None:
    await _online(servicer)
    await servicer.call("POST", f"/sessions/{customer.session_id}/claim")
    path = f"/sessions/{customer.session_id}/messages"
    async with servicer.services.uow.write() as tx:
        limits = LIMITS.model_copy(update={"max_file_bytes": most})
        address = customer.address
        await register(
            tx, channel=address.channel, account=address.account, name="疾控", limits=limits
        )
    file = await servicer.services.files.keep(b"minutes", name="纪要.txt")
    content = {"type": "file", "media": {"attachment_id": file.id}}
    body = {"content": content, "client_id": "f"}
    await servicer.refused("POST", path, body, status=status, code=code)
    page = await servicer.call("GET", path)
    assert "file" not in [line["content"]["type"] for line in page["items"]]


async def test_a_message_posted_twice_is_sent_once_with_all_its_parts(
    servicer: Api, customer: Customer
) -> None:
    await _online(servicer)
    await servicer.call("POST", f"/sessions/{customer.session_id}/claim")
    path = f"/sessions/{customer.session_id}/messages"
    long = _text("请先检查网络。" * 400, "same-id")
    first = await servicer.call("POST", path, long, status=201)
    assert len(first) > 1
    assert [part["client_id"] for part in first] == ["same-id", *[None] * (len(first) - 1)]
    again = await servicer.call("POST", path, long, status=201)
    assert again == first
    page = await servicer.call("GET", f"{path}?limit=50")
    assert [line["id"] for line in page["items"]][-len(first) :] == [one["id"] for one in first]


async def test_the_same_client_id_in_another_session_is_another_message(
    servicer: Api, customer: Customer
) -> None:
    other = Customer(servicer.services.uow, name="wm-other")
    await other.says("另一位客户的问题")
    await other.asks_for_people()
    await _online(servicer)
    lines = []
    for number, one in enumerate((customer, other)):
        await servicer.call("POST", f"/sessions/{one.session_id}/claim")
        path = f"/sessions/{one.session_id}/messages"
        body = _text(f"答复 {number}", "same-id")
        lines += await servicer.call("POST", path, body, status=201)
    assert [line["content"]["text"] for line in lines] == ["答复 0", "答复 1"]
    assert [line["session_id"] for line in lines] == [customer.session_id, other.session_id]


async def test_a_message_is_recalled_by_its_sender_within_two_minutes(
    servicer: Api, customer: Customer, log_in: Login
) -> None:
    other: Api = await log_in("servicer", "other")
    path = f"/sessions/{customer.session_id}"
    await _online(servicer)
    await servicer.call("POST", f"{path}/claim")
    sent = (await servicer.call("POST", f"{path}/messages", _text("错了", "r"), status=201))[0]
    recall = {"message_id": sent["id"]}
    await servicer.refused("POST", f"{path}/recall", recall, status=409, code="not_sent_yet")
    async with servicer.services.uow.write() as tx:
        await set_delivery(tx, sent["id"], Delivery.SENT)
    await other.refused("POST", f"{path}/recall", recall, status=403, code="not_my_message")
    assert (await servicer.call("POST", f"{path}/recall", recall))["id"] == sent["id"]
    servicer.clock.advance(minutes=3)
    await servicer.refused("POST", f"{path}/recall", recall, status=422, code="recall_too_late")


async def test_transfer_and_take_over(
    servicer: Api, supervisor: Api, customer: Customer, log_in: Login
) -> None:
    other: Api = await log_in("servicer", "other")
    path = f"/sessions/{customer.session_id}"
    mine, others = await _online(servicer), await _online(other)
    await servicer.call("POST", f"{path}/claim")
    to_me = {"servicer_id": mine}
    await servicer.refused("POST", f"{path}/transfer", to_me, status=422, code="transfer_to_self")
    to_both = {"servicer_id": others, "team_id": "t"}
    await servicer.refused("POST", f"{path}/transfer", to_both, status=422, code="invalid_fields")
    wanted = {"servicer_id": others, "note": "请跟进 <b>VPN</b>"}
    moved = await servicer.call("POST", f"{path}/transfer", wanted)
    assert moved["servicer_id"] == others
    notes = (await other.call("GET", f"{path}/notes"))["items"]
    assert [note["text"] for note in notes] == ["请跟进 <b>VPN</b>"]
    added = await other.call("POST", f"{path}/notes", {"text": "已联系"}, status=201)
    assert added["author_name"] == "Other"

    await servicer.refused("POST", f"{path}/takeover", status=403, code="forbidden")
    taken = await supervisor.call("POST", f"{path}/takeover")
    assert taken["servicer_name"] == "Supervisor"
    back = await supervisor.call("POST", f"{path}/transfer", {})
    assert back["state"] == "queued"


async def test_in_native_mode_the_console_may_not_write(
    servicer: Api, admin: Api, customer: Customer
) -> None:
    account = (await servicer.call("GET", "/accounts"))["items"][0]
    wanted = {"mode": "native", "version": account["version"]}
    path = f"/accounts/{account['id']}"
    await servicer.refused("PATCH", path, wanted, status=403, code="forbidden")
    changed = await admin.call("PATCH", path, wanted)
    assert changed["mode"] == "native"
    await admin.refused("PATCH", path, wanted, status=409, code="conflict")

    second = Customer(servicer.services.uow, "wm-two")
    await second.says("你好")
    await second.asks_for_people()
    await _online(servicer)
    claim = f"/sessions/{second.session_id}/claim"
    await servicer.refused("POST", claim, status=409, code="not_eligible")
    await _is_let_serve(servicer, admin, account["id"])
    await servicer.call("POST", claim)
    problem = await servicer.refused(
        "POST",
        f"/sessions/{second.session_id}/messages",
        _text("x", "n"),
        status=409,
        code="native_mode",
    )
    assert "企业微信" in problem["title"]


async def _is_let_serve(servicer: Api, admin: Api, account_id: str) -> None:
    """The platform lists them among those who serve the account."""
    me = (await servicer.call("GET", "/auth/me"))["servicer"]
    linked = {"wecom_userid": "zhang", "version": me["version"]}
    await admin.call("PATCH", f"/servicers/{me['id']}", linked)
    async with servicer.services.uow.write() as tx:
        await set_accepting(tx, account_id, me["id"], is_accepting=True)


async def test_lists_filter_and_page(servicer: Api, customer: Customer) -> None:
    for number in range(4):
        servicer.clock.advance(seconds=1)
        await Customer(servicer.services.uow, f"wm-{number}").says("你好")
    first = await servicer.call("GET", "/sessions?limit=3")
    rest = await servicer.call("GET", f"/sessions?limit=3&cursor={first['next_cursor']}")
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert len(set(ids)) == 5
    assert rest["next_cursor"] is None
    opened = [item["opened_at"] for item in first["items"] + rest["items"]]
    assert opened == sorted(opened, reverse=True)
    queued = (await servicer.call("GET", "/sessions?state=queued"))["items"]
    assert [item["id"] for item in queued] == [customer.session_id]
    customer_id = queued[0]["customer_id"]
    of_one = (await servicer.call("GET", f"/customers/{customer_id}/sessions"))["items"]
    assert [item["id"] for item in of_one] == [customer.session_id]


async def test_a_customers_file_is_completed(servicer: Api, customer: Customer) -> None:
    session = await servicer.call("GET", f"/sessions/{customer.session_id}")
    path = f"/customers/{session['customer_id']}"
    file = await servicer.call("GET", path)
    change = {"name": "张医生", "tags": ["重点"], "version": file["version"]}
    changed = await servicer.call("PATCH", path, change)
    assert (changed["name"], changed["tags"], changed["is_temporary"]) == (
        "张医生",
        ["重点"],
        False,
    )
    problem = await servicer.refused("PATCH", path, change, status=409, code="conflict")
    assert problem["facts"]["current"]["name"] == "张医生"
    wrong = {"institution_id": "nowhere", "version": changed["version"]}
    await servicer.refused("PATCH", path, wrong, status=422, code="institution_not_found")
    found = (await servicer.call("GET", "/customers?q=张医"))["items"]
    assert [item["id"] for item in found] == [file["id"]]
    assert (await servicer.call("GET", "/institutions?q=x"))["items"] == []


async def test_read_marks_move_forward_only(servicer: Api, customer: Customer) -> None:
    path = f"/sessions/{customer.session_id}/read"
    assert (await servicer.call("POST", path, {"seq": 7}))["seq"] == 7
    assert (await servicer.call("POST", path, {"seq": 3}))["seq"] == 7
    marks = (await servicer.call("GET", "/read-marks"))["items"]
    assert [mark["seq"] for mark in marks] == [7]


async def test_the_dashboard_counts_today(servicer: Api, customer: Customer) -> None:
    await _online(servicer)
    figures = await servicer.call("GET", "/dashboard")
    assert figures == {
        "open": 1,
        "queued": 1,
        "waiting": 0,
        "servicers_online": 1,
        "today": {
            "sessions": 1,
            "bot_answered": 0,
            "handed_off": 1,
            "rated": 0,
            "satisfaction_mean": None,
        },
    }
    servicer.clock.advance(days=1)
    tomorrow: Any = await servicer.as_(servicer.token).raw("GET", "/dashboard")
    assert tomorrow.status == 401  # the token's time is long over


async def test_the_dashboard_tells_ratings_and_the_bots_own_answers(servicer: Api) -> None:
    uow = servicer.services.uow
    for number, score in enumerate((5, 4)):
        one = Customer(uow, f"wm-{number}")
        await one.says("怎么备份？")
        async with uow.write() as tx:
            thread = await ensure_thread(tx, one.address)
            source = {"article_id": "a"} if number == 0 else {}
            answer = Speech([Text(text="这样备份")], Sender.BOT, source=source)
            await say(tx, thread, one.session_id, answer)
            asked = await ratings.request(
                tx,
                session_id=one.session_id,
                customer_id=thread.customer.id,
                servicer_id=None,
            )
            assert asked is not None
            await ratings.give(tx, asked.id, score)
    today = (await servicer.call("GET", "/dashboard"))["today"]
    assert today == {
        "sessions": 2,
        "bot_answered": 1,
        "handed_off": 0,
        "rated": 2,
        "satisfaction_mean": 4.5,
    }


async def test_read_marks_count_what_the_customer_said_since(
    servicer: Api, customer: Customer
) -> None:
    await servicer.call("POST", f"/sessions/{customer.session_id}/read", {"seq": 0})
    (mark,) = (await servicer.call("GET", "/read-marks"))["items"]
    assert mark["unread"] >= 1
    last = (await servicer.call("GET", f"/sessions/{customer.session_id}/messages"))["items"][-1]
    await servicer.call("POST", f"/sessions/{customer.session_id}/read", {"seq": last["seq"]})
    (mark,) = (await servicer.call("GET", "/read-marks"))["items"]
    assert mark["unread"] == 0
