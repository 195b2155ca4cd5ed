"""Tickets as a customer lives them in chat: the form, the buttons, what is pushed."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.flows.company import Company, Desk, company
from tests.waiting import eventually


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


async def test_a_ticket_from_the_form_to_the_rating(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("报修")
    await wang.hears("请选择问题类别")
    await wang.says("天气")
    await wang.hears("没有这个类别")
    await wang.clicks("数据上报")
    await wang.hears("描述问题")
    await wang.says("日报上传一直转圈")
    await wang.hears("系统版本")
    await wang.says("V3.2")
    await wang.hears("截图")
    await wang.uploads("image", "a.png", picture())
    await wang.hears("已收到 1 个文件")
    await wang.clicks("完成")
    summary = await wang.hears("请确认")
    assert "类别：数据上报" in summary.text
    await wang.clicks("提交")
    made = await wang.hears("已为您登记工单")
    number = made.text.split()[1].partition("，")[0]
    assert "/h5/#/ticket/" in made.text

    desk = await demo.desk("chenjing")
    ticket = await desk.get(f"/ticket-numbers/{number}")
    assert (ticket["category_name"], ticket["title"]) == ("数据上报", "日报上传一直转圈")
    assert ticket["fields"] == {"product_version": "V3.2"}
    assert (await history(desk, ticket))[0]["attachment_ids"]

    await wang.says("我的工单")
    await wang.hears("点一下查看进度")
    await wang.clicks(f"{number} 日报上传一直转圈")
    await wang.hears("状态：")
    await wang.clicks("催单")
    await wang.hears(f"已催促工单 {number}")
    await wang.says("催单")
    await wang.hears("刚刚催过")
    await wang.clicks("补充说明")
    await wang.hears("请发送要补充")
    await wang.says("今天上午开始的")
    await wang.hears("已补充到工单")
    assert any(one["text"] == "今天上午开始的" for one in await history(desk, ticket))

    path = f"/tickets/{ticket['id']}"
    await desk.post(f"{path}/actions", {"action": "resolve", "text": "已重启服务"})
    await wang.hears("已重启服务")
    await wang.clicks("没解决")
    await wang.hears("已重新打开")
    await desk.post(f"{path}/actions", {"action": "resolve", "text": "换了地址"})
    await wang.hears("换了地址")
    await wang.clicks("确认解决")
    await wang.hears("已确认并关闭")
    await wang.clicks("非常满意")
    await wang.hears("感谢您的评价")
    done = (await desk.get(path))["ticket"]
    assert (done["state"], done["rating_score"], done["reopens"]) == ("closed", 5, 1)


async def test_what_is_described_before_the_category_is_not_asked_again(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("报修")
    await wang.hears("请选择问题类别")
    await wang.says("日报上传一直转圈")
    await wang.hears("已记下您的描述")
    await wang.says("换了电脑也一样")
    await wang.hears("已记下您的描述")
    await wang.clicks("其他问题")
    await wang.hears("截图")
    await wang.clicks("跳过")
    summary = await wang.hears("请确认")
    assert "描述：日报上传一直转圈\n换了电脑也一样" in summary.text


async def test_a_red_line_comes_before_the_form_which_then_goes_on(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("报修")
    await wang.hears("请选择问题类别")
    await wang.says("孩子刚被狗咬了")
    await wang.hears("清水")
    await wang.clicks("其他问题")
    await wang.says("日报上传一直转圈")
    await wang.hears("截图")
    await wang.clicks("跳过")
    summary = await wang.hears("请确认")
    assert "描述：日报上传一直转圈" in summary.text
    assert "狗" not in summary.text


async def test_the_form_can_be_left_by_a_word_and_by_asking_for_people(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("报修")
    await wang.hears("请选择问题类别")
    await wang.says("退出")
    await wang.hears("已取消")
    await wang.says("报修")
    await wang.hears("请选择问题类别")
    await wang.says("转人工")
    await wang.hears("没有客服在线")
    desk = await demo.desk("lijun")
    session = await desk.gets_session("王建国")
    await wang.says("不是类别")
    await desk.reads(session, "不是类别")


async def test_the_greeting_offers_open_tickets(demo: Company) -> None:
    desk = await demo.desk("chenjing", online=False)
    known = (await desk.get("/customers", q="王建国"))["items"][0]
    await desk.post("/tickets", {"title": "打印机不出纸", "customer_id": known["id"]})
    wang = demo.customer(1)
    await wang.enters("website")
    assert "我的工单" in (await wang.hears("您好")).text
    await wang.clicks("我的工单")
    await wang.hears("打印机不出纸")


async def test_nobody_sees_the_ticket_of_another(demo: Company) -> None:
    wang, other = demo.customer(1), demo.customer(2)
    await wang.says("报修 数据上报失败，提示超时")
    made = await wang.hears("已为您登记工单")
    number = made.text.split()[1].partition("，")[0]
    await other.says(number)
    await other.hears("没有找到这张工单")


async def test_pushes_leave_the_last_slot_to_people(demo: Company) -> None:
    wang = demo.customer(1)
    await wang.says("报修 数据上报失败，提示超时")
    made = await wang.hears("已为您登记工单")
    desk = await demo.desk("chenjing")
    ticket = await desk.get(f"/ticket-numbers/{made.text.split()[1].partition('，')[0]}")
    for index in range(5):
        await desk.post(
            f"/tickets/{ticket['id']}/entries", {"text": f"进展{index}", "is_public": True}
        )

    async def all_are_told() -> bool:
        lines = await demo.sandbox.get(wang._path, limit=50)
        return "进展2" in str(lines)

    await eventually(all_are_told)
    await demo.sandbox.settle()
    assert not any("进展3" in line for line in await wang.heard())
    await wang.says("我的工单")
    await wang.hears("进展3")


async def history(desk: Desk, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    found = await desk.get(f"/tickets/{ticket['id']}/entries")
    return list(found["items"])


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(drawn, "PNG")
    return drawn.getvalue()
