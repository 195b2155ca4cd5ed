from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from channels.errors import Rejected, RetryLater, WrongState
from channels.testing import MemoryServices
from channels.wecom_kf.adapter import WeComKf
from core.content import Address, Content, Menu, MenuItem, Text
from core.ports import HandoverCommand, NativeState
from tests.channels.fake_wecom import FakeWeCom, payload

CUSTOMER = Address(
    "wecom_kf", "wkDEMOAAAAkf0000000000000000001", "wmDEMOAAAAcust00000000000000001"
)
TRANS, GET = "kf/service_state/trans", "kf/service_state/get"
CODE = payload("kf_service_state_trans_response_code.json")
NOT_ALLOWED = payload("kf_service_state_trans_error_95016.json")
RATING = Menu(
    head="请评价本次服务：",
    items=(
        MenuItem(id="csat_1001_5", label="满意"),
        MenuItem(id="csat_1001_3", label="一般"),
        MenuItem(id="csat_1001_1", label="不满意"),
    ),
    tail="感谢您的反馈",
)


def command(
    to: NativeState, farewell: Content | None = None, servicer: str | None = None
) -> HandoverCommand:
    return HandoverCommand(CUSTOMER, "csat_20260101_0001", to, servicer, farewell)


@pytest.fixture(autouse=True)
async def _closed(kf: WeComKf) -> AsyncIterator[None]:
    yield
    await kf.close()


async def test_a_servicer_is_given_the_session_as_the_fixture_shows(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    receipt = await kf.send(command("servicer", servicer="zhangsan"))
    assert wecom.bodies(TRANS) == [payload("kf_service_state_trans_request.json")]
    assert receipt.facts == {"state": "servicer"}


async def test_the_rating_menu_goes_with_the_closing_code(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer(TRANS, {**CODE, "msg_code": "MSGCODE_END_0001"})
    receipt = await kf.send(command("ended", RATING))
    assert wecom.bodies("kf/send_msg_on_event") == [payload("kf_send_on_event_csat.json")]
    assert receipt.facts == {"state": "ended", "farewell": "sent", "by": "code"}


async def test_with_the_code_of_the_queue_a_menu_becomes_text(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer(TRANS, CODE)
    await kf.send(command("queued", RATING))
    (body,) = wecom.bodies("kf/send_msg_on_event")
    assert body["text"]["content"].startswith("请评价本次服务：\n1. 满意")


async def test_without_a_code_the_farewell_is_an_ordinary_message(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    receipt = await kf.send(command("assistant", Text(text="机器人继续为您服务")))
    assert receipt.facts["farewell"] == "sent"
    assert wecom.bodies("kf/send_msg")[0]["msgid"] == "csat_20260101_0001"


async def test_a_farewell_that_may_not_be_said_does_not_undo_the_change(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer(TRANS, CODE)
    wecom.will_answer("kf/send_msg_on_event", {"errcode": 41050, "errmsg": "expired"})
    wecom.will_answer("kf/send_msg", payload("kf_send_error_95018.json"))
    receipt = await kf.send(command("ended", RATING))
    assert receipt.facts == {"state": "ended", "farewell": "refused"}


async def test_a_refused_transition_is_done_when_we_are_already_there(
    kf: WeComKf, wecom: FakeWeCom
) -> None:
    wecom.will_answer(TRANS, NOT_ALLOWED)
    wecom.will_answer(GET, payload("kf_service_state_get_3_servicer.json"))
    receipt = await kf.send(command("servicer", servicer="zhangsan"))
    assert receipt.facts == {"state": "servicer"}


@pytest.mark.parametrize("state", ["1_assistant", "2_pool", "4_ended", "3_servicer"])
async def test_a_refused_transition_is_an_error_elsewhere(
    kf: WeComKf, wecom: FakeWeCom, state: str
) -> None:
    wecom.will_answer(TRANS, NOT_ALLOWED)
    wecom.will_answer(GET, payload(f"kf_service_state_get_{state}.json"))
    with pytest.raises(WrongState) as caught:
        await kf.send(command("servicer", servicer="lisi"))
    assert caught.value.vendor_code == "95016"


async def test_a_person_who_is_no_servicer_is_refused(kf: WeComKf, wecom: FakeWeCom) -> None:
    wecom.will_answer(TRANS, payload("kf_service_state_trans_error_95014.json"))
    with pytest.raises(Rejected) as caught:
        await kf.send(command("servicer", servicer="wangwu"))
    assert caught.value.vendor_code == "95014"


async def test_a_command_repeated_after_a_crash_still_says_farewell_with_the_code(
    kf: WeComKf, wecom: FakeWeCom, memory: MemoryServices
) -> None:
    wecom.will_answer(TRANS, CODE, NOT_ALLOWED)
    wecom.will_answer("kf/send_msg_on_event", web.Response(status=502))
    wecom.will_answer(GET, payload("kf_service_state_get_4_ended.json"))
    with pytest.raises(RetryLater):
        await kf.send(command("ended", RATING))
    receipt = await kf.send(command("ended", RATING))
    assert receipt.facts["farewell"] == "sent"
    codes = [body["code"] for body in wecom.bodies("kf/send_msg_on_event")]
    assert codes == ["MSGCODE_ACCEPT_0002"] * 2
    assert memory.cache.ttls["wecom_kf.code:csat_20260101_0001"] == 20


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("0_new", (0, "")),
        ("1_assistant", (1, "")),
        ("2_pool", (2, "")),
        ("3_servicer", (3, "zhangsan")),
        ("4_ended", (4, "")),
    ],
)
async def test_the_state_is_read(
    kf: WeComKf, wecom: FakeWeCom, name: str, expected: tuple[int, str]
) -> None:
    wecom.will_answer(GET, payload(f"kf_service_state_get_{name}.json"))
    assert await kf.handover.state(CUSTOMER) == expected
