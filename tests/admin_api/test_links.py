"""Links that open a conversation with an account."""

from __future__ import annotations

from typing import Any

from core.ports import SendFailure
from core.views import AccountView
from tests.admin_api.conftest import Api
from tests.admin_api.desk import Customer


class Platform:
    """Makes links; `failure` is what it says instead."""

    def __init__(self) -> None:
        self.failure: SendFailure | None = None

    async def __call__(self, account: AccountView, scene: str, scene_param: str) -> str | None:
        if self.failure is not None:
            raise self.failure
        return f"https://work.weixin.qq.com/{account.account}?s={scene}&p={scene_param}"


async def test_a_link_carries_its_scene_and_refusals_are_told(servicer: Api) -> None:
    await Customer(servicer.services.uow).says("你好")
    account = (await servicer.call("GET", "/accounts"))["items"][0]
    path = f"/accounts/{account['id']}/link"
    body = {"scene": "poster", "scene_param": "cdc=1"}
    refused: Any = {"status": 422, "code": "link_unavailable"}
    await servicer.refused("POST", path, body, **refused)

    platform = Platform()
    object.__setattr__(servicer.services, "links", platform)
    made = await servicer.call("POST", path, body)
    assert made["url"] == "https://work.weixin.qq.com/kf-one?s=poster&p=cdc=1"
    await servicer.refused("POST", path, {"scene": "a b"}, status=422, code="invalid_fields")
    await servicer.refused(
        "POST", "/accounts/none/link", body, status=404, code="account_not_found"
    )
    platform.failure = SendFailure("no", vendor_code="60020")
    problem = await servicer.refused("POST", path, body, status=502, code="channel_failed")
    assert "60020" in problem["title"]
