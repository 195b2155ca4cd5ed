"""What a platform refused is seen by supervisors, who may try it once more."""

from __future__ import annotations

from core import outbox
from core.content import Text
from core.conversations.deliveries import refused
from core.conversations.service import Speech, say
from core.conversations.threads import ensure_thread
from core.ports import SendFailure
from core.views import Sender
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer


async def test_a_dead_letter_is_shown_and_goes_out_again(supervisor: Api) -> None:
    uow = supervisor.services.uow
    customer = Customer(uow)
    await customer.says("在吗")
    async with uow.write() as tx:
        thread = await ensure_thread(tx, customer.address)
        speech = Speech([Text(text="请稍等")], Sender.BOT)
        message = (await say(tx, thread, customer.session_id, speech))[0]
    async with uow.write() as tx:
        parcel = (await outbox.pending(tx, customer.address.key))[0]
        await refused(tx, parcel, SendFailure("no longer valid", vendor_code="40096"))

    items = (await supervisor.call("GET", "/dead-letters"))["items"]
    assert [(one["kind"], one["text"], one["session_id"]) for one in items] == [
        ("OutboundMessage", "请稍等", customer.session_id)
    ]
    path = f"/dead-letters/{items[0]['id']}/retry"
    await supervisor.call("POST", path, status=204)
    async with uow.read() as tx:
        assert [one.item_id for one in await outbox.pending(tx, customer.address.key)] == [
            message.id
        ]
    lines = (await supervisor.call("GET", f"/sessions/{customer.session_id}/messages"))["items"]
    assert lines[-1]["delivery"] == "pending"
    assert (await supervisor.call("GET", "/dead-letters"))["items"] == []
    await supervisor.refused("POST", path, status=409, code="not_failed")
    await supervisor.refused(
        "POST", "/dead-letters/999999/retry", status=404, code="dead_letter_not_found"
    )
