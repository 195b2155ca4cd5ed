"""A customer opens, watches, hurries and confirms a ticket by chat."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.company import Company, company


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def test_a_ticket_lives_in_the_customers_chat(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.enters("website")
    await wang.hears("您好")
    await wang.says("我的工单")
    await wang.hears("您还没有工单")
    await wang.says("报修 数据上报失败，提示超时")
    made = await wang.hears("已为您登记工单")
    number = made.text.split()[1].partition("，")[0]
    await wang.says("催单")
    await wang.hears(f"已催促工单 {number}")

    desk = await demo.desk("chenjing")
    ticket = await desk.get(f"/ticket-numbers/{number}")
    assert (ticket["source"], ticket["priority"], ticket["nudges"]) == ("bot", "high", 1)
    path = f"/tickets/{ticket['id']}"
    await wang.says(f"确认 {number}")
    await wang.hears("当前的状态不能这样操作")
    if ticket["servicer_id"] is None:
        await desk.post(f"{path}/claim")
    await desk.post(f"{path}/actions", {"action": "resolve", "text": "已修复"})
    await wang.hears(f"您的工单 {number} 已解决。已修复")
    await wang.says(number)
    shown = await wang.hears("状态：已解决")
    assert "解决" in shown.text
    await wang.says("确认")
    await wang.hears(f"工单 {number} 已确认并关闭")
    assert (await desk.get(path))["ticket"]["state"] == "closed"
