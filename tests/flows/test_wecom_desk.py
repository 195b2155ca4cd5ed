"""A servicer's whole day inside the WeCom app, by conversation (M12.5)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.wecom.sandbox.client import CustomerPhone, PhoneRefusal
from channels.wecom.sandbox.demo_seed import AGENT_ID
from tests.flows.app_chat import AppChat, buttons, words
from tests.flows.company import Company, company
from tests.waiting import eventually

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    async with company(database_url, tmp_path) as running:
        yield running


@pytest.fixture
def chen(demo: Company) -> AppChat:
    return AppChat(demo.phone_of("chenjing"))


@pytest.fixture
def li(demo: Company) -> AppChat:
    return AppChat(demo.phone_of("lijun"))


async def asks_for_people(demo: Company, number: int) -> CustomerPhone:
    customer = demo.customer(number)
    await customer.says("转人工")
    await customer.hears()
    return customer


async def test_a_session_from_the_first_word_to_the_rating(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "您现在是「在线」")
    wang = demo.customer(1)
    await wang.says("密码忘了登不进去系统怎么办？")
    await wang.hears()
    await wang.says("转人工")
    await wang.hears("陈静")

    card = await chen.reads("#1 已分配给您：王建国（云岭县疾控中心）")
    assert "密码忘了登不进去系统怎么办" in words(card)
    assert buttons(card) == ["接入", "转给同事", "建工单"]
    said = words(await chen.reads("#1 王建国（云岭县疾控中心） 已接入"))
    assert "客户：密码忘了登不进去系统怎么办？" in said
    assert "机器人：" in said

    await chen.types("您好，我来帮您")
    await wang.hears("您好，我来帮您")
    await wang.says("谢谢")
    await chen.reads("#1 王建国：谢谢")
    await chen.asks("备注 口令由王老师代管", "内部备注")
    await chen.asks("结束", "已结束 #1 王建国")
    await wang.hears("评价")
    await wang.clicks("满意")
    await chen.reads("王建国（云岭县疾控中心） 评价：满意（4 分）")
    assert not any("代管" in line for line in await wang.heard())
    await chen.asks("您还在吗", "您现在没有会话")


async def test_an_ending_is_summed_up_from_the_app(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "您现在是「在线」")
    await asks_for_people(demo, 1)
    await chen.reads("#1 王建国（云岭县疾控中心） 已接入")
    await chen.asks("结束 1 买菜", "没有叫「买菜」的分类，可用的有：数据上报")
    ended = await chen.asks("结束 1 账号与权限 已重置密码", "已结束 #1 王建国")
    assert ended.endswith("分类：账号与权限\n小结：已重置密码")


async def test_whoever_claims_first_has_it_and_the_others_see_so(
    demo: Company, chen: AppChat, li: AppChat
) -> None:
    await chen.asks("忙碌", "不会再分到新会话")
    await li.asks("忙碌", "不会再分到新会话")
    wang = await asks_for_people(demo, 1)
    mine, theirs = await chen.reads("新会话等待接入"), await li.reads("新会话等待接入")
    assert "王建国" in words(theirs)

    await chen.phone.presses(mine, "take")
    await wang.hears("陈静")
    await chen.reads("#1 王建国（云岭县疾控中心） 已接入")

    async def labels() -> bool:
        cards = await chen.card("等待接入"), await li.card("等待接入")
        names = [card.content["replace_name"] for card in cards]
        return names == ["您已接入", "已由陈静接入"]

    assert await eventually(labels)
    with pytest.raises(PhoneRefusal, match="已处理"):
        await li.phone.presses(theirs, "take")
    await li.asks("接入", "没有客户在排队")
    await li.asks("#1 我来吧", "没有编号为 #1 的会话")
    await chen.types("我是陈静")
    await wang.hears("我是陈静")


async def test_two_press_at_once_and_the_later_one_is_told(
    demo: Company, chen: AppChat, li: AppChat
) -> None:
    for one in (chen, li):
        await one.asks("忙碌", "忙碌")
    await asks_for_people(demo, 1)
    mine, theirs = await chen.reads("等待接入"), await li.reads("等待接入")
    await asyncio.gather(chen.phone.presses(mine, "take"), li.phone.presses(theirs, "take"))

    async def told() -> list[str] | None:
        lines = [*await chen.lines(), *await li.lines()]
        said = [words(line) for line in lines]
        won = [one for one in said if "#1 王建国（云岭县疾控中心） 已接入" in one]
        lost = [one for one in said if "来晚了一步" in one]
        return [*won, *lost] if won and lost else None

    assert len(await eventually(told)) == 2


async def test_repeated_callbacks_do_everything_once(demo: Company, chen: AppChat) -> None:
    await chen.asks("忙碌", "忙碌")
    wang = await asks_for_people(demo, 1)
    card = await chen.reads("等待接入")
    await demo.sandbox.fault("callback_duplicate")
    await chen.phone.presses(card, "take")
    await chen.reads("已接入")
    for text in ("在吗", "在吗"):
        await chen.types(text)
    await wang.hears("在吗")
    await wang.hears("在吗")
    await chen.asks("会话", "您有 1 个会话")
    await demo.sandbox.settle()
    assert [line for line in await wang.heard() if line == "在吗"] == ["在吗", "在吗"]
    assert len(await chen.lines("您有 1 个会话")) == 1
    assert len(await chen.lines("#1 王建国（云岭县疾控中心） 已接入")) == 1


async def test_numbers_aim_and_focus_follows_them(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "在线")
    first = await asks_for_people(demo, 1)
    await chen.reads("#1 王建国")
    second = await asks_for_people(demo, 2)
    await chen.reads("发「#2 内容」回复")

    await chen.types("给一号")
    await first.hears("给一号")
    await chen.types("#2 给二号")
    await second.hears("给二号")
    await chen.reads("当前会话切换为 #2")
    await chen.types("还是二号")
    await second.hears("还是二号")
    listed = await chen.asks("会话", "您有 2 个会话")
    assert listed.index("#1 王建国") < listed.index("#2 ") < listed.index("◀ 当前")
    await chen.asks("切换 1", "已切换")
    await chen.phone.sandbox.upload("servicers/chenjing/app/upload", "image", "步骤.png", PNG)

    async def picture() -> bool:
        lines = await first.transcript()
        return any((line.side, line.msgtype) == ("account", "image") for line in lines)

    assert await eventually(picture)

    await second.uploads("image", "截图.png", PNG)
    await chen.reads("#2 ")
    await second.says("看到了吗")
    await chen.reads("看到了吗")
    assert [line.msgtype for line in await chen.lines() if line.msgtype == "image"] == ["image"]

    await chen.asks("结束", "已结束 #1")
    await chen.asks("这句话不能发给别人", "没有选定的会话")
    assert not any("不能发给别人" in line for line in await second.heard())


async def test_knowledge_and_canned_replies_are_sent_by_number(
    demo: Company, chen: AppChat
) -> None:
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    await chen.reads("已接入")
    await chen.asks("引用 1", "没有可选的条目")
    found = await chen.asks("知识 忘记登录密码", "1. ")
    title = found.splitlines()[0].removeprefix("1. ")
    await chen.asks("引用 1", f"已把《{title[:10]}")
    desk = await demo.desk("chenjing", online=False)
    session = await desk.gets_session("王建国")
    cited = [line for line in await desk.transcript(session) if line["source"]]
    assert [line["source"]["title"] for line in cited] == [title]
    await wang.hears(cited[0]["content"]["text"][:20])

    listed = await chen.asks("快捷", "1. ")
    assert "（nh）" in listed
    await chen.asks("快捷 nh", "已发给 #1 王建国")
    await wang.hears("您好，我是陈静，很高兴为您服务")
    await chen.asks("快捷 没有这个", "没有叫「没有这个」的快捷回复")


async def test_a_transfer_brings_the_colleague_everything(
    demo: Company, chen: AppChat, li: AppChat
) -> None:
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    card = await chen.reads("已分配给您")
    await chen.phone.presses(card, "pass")
    await chen.reads("现在没有其他同事在线")
    await chen.asks("转接 李军", "这位同事现在不在线")
    await li.asks("在线", "在线")
    await chen.phone.presses(card, "pass")
    await chen.reads("· 李军（在线，0/5）")
    await chen.asks("转接 赵", "这位同事现在不在线")
    await chen.asks("转接 张三丰", "没有找到叫「张三丰」的同事")

    await chen.asks("转接 1 李军 客户的 VPN 连不上", "已把 #1 王建国（云岭县疾控中心） 转给李军")
    await wang.hears("李军")
    await li.reads("#1 已分配给您：王建国")
    assert "内部备注（陈静）：客户的 VPN 连不上" in words(await li.reads("已接入"))
    await li.types("我是李军")
    await wang.hears("我是李军")
    await wang.says("你好李军")
    await li.reads("你好李军")
    await chen.asks("会话", "您有 0 个会话")
    assert await chen.lines("你好李军") == []
    assert not any("VPN" in line for line in await wang.heard())


async def test_a_ticket_is_opened_from_the_card_once(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "在线")
    wang = demo.customer(1)
    await wang.says("免疫规划系统报表导出是空白的")
    await wang.hears()
    await wang.says("转人工")
    card = await chen.reads("已分配给您")
    await chen.phone.presses(card, "ticket")
    made = words(await chen.reads("建工单"))
    number = made.split("建工单 ")[1].split("：")[0]
    await chen.phone.presses(card, "ticket")
    await chen.reads(f"已经有工单 {number}")
    await chen.phone.presses(card, "take")
    await chen.reads("当前会话：#1 王建国")
    assert "报表导出是空白" in made


async def test_the_menu_of_the_app_does_what_the_words_do(demo: Company, chen: AppChat) -> None:
    async def made() -> bool:
        screen = await demo.sandbox.get("servicers/chenjing/app")
        return bool(screen["menu"])

    assert await eventually(made)
    await chen.phone.enters_app()
    await chen.reads("您可以在这里完成全部接待工作")
    for key, answer in (
        ("desk.online", "您现在是「在线」"),
        ("desk.busy", "您现在是「忙碌」"),
        ("desk.offline", "您现在是「离线」"),
        ("desk.sessions", "您有 0 个会话"),
        ("desk.next", "没有客户在排队"),
        ("desk.end", "您现在没有会话"),
    ):
        await chen.phone.presses_menu(key)
        await chen.reads(answer)
    await chen.phone.enters_app()
    await chen.asks("帮助", "您可以在这里完成全部接待工作")
    assert len(await chen.lines("完成全部接待工作")) == 2


async def test_when_many_wait_there_is_a_digest_and_the_longest_waiting_is_next(
    demo: Company, chen: AppChat
) -> None:
    await chen.asks("忙碌", "忙碌")
    await demo.customer(1).says("报表打不开")
    waiting = [await asks_for_people(demo, number) for number in range(1, 7)]
    digest = words(await chen.reads("现在有 6 位客户在排队"))
    assert "1. 王建国（云岭县疾控中心），报表打不开" in digest
    cards = [line for line in await chen.lines() if line.msgtype == "template_card"]
    assert len(cards) == 3
    await chen.types("接入")
    await waiting[0].hears("陈静")
    await chen.reads("#1 王建国")
    await chen.types("接入")
    await waiting[1].hears("陈静")


async def test_a_closed_window_is_explained_and_the_words_can_wait(
    demo: Company, chen: AppChat
) -> None:
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    await chen.reads("已接入")
    for number in range(1, 4):
        await chen.types(f"第 {number} 条")
        await wang.hears(f"第 {number} 条")
    await chen.reads("只剩最后 1 条可发")
    await chen.types("第 4 条")
    await wang.hears("第 4 条")
    await chen.reads("本轮 5 条已用完")
    await chen.asks("第 5 条", "现在发不出去")
    await chen.asks("留言 结果已经出来了", "已为 #1 王建国（云岭县疾控中心） 存下")
    assert not any("结果" in line for line in await wang.heard())
    await wang.says("好了吗")
    await wang.hears("结果已经出来了")
    assert not any("第 5 条" in line for line in await wang.heard())


async def test_sessions_are_kept_by_choice_for_whoever_goes(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "在线")
    await asks_for_people(demo, 1)
    await chen.reads("已接入")
    await chen.asks("离线", "想留给自己请发「离线 保留」")
    kept = await chen.asks("离线 保留", "不想保留请发「离线 转出」")
    assert "手上的会话为您保留到" in kept
    admin = await demo.desk("admin", online=False)
    people = (await admin.get("/servicers"))["items"]
    assert [one["name"] for one in people if one["keeps_until"]] == ["陈静"]


async def test_a_burst_is_joined_and_nothing_is_lost(demo: Company, chen: AppChat) -> None:
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    await chen.reads("已接入")
    for number in range(40):
        await wang.says(f"第{number}行")

    async def everything() -> list[str] | None:
        said = [row for line in await chen.lines("行") for row in words(line).splitlines()]
        return said if len(said) == 40 else None

    assert await eventually(everything) == [f"#1 王建国：第{number}行" for number in range(40)]
    assert len(await chen.lines("行")) < 40


async def test_a_native_session_is_announced_and_answered_in_its_own_place(
    demo: Company, chen: AppChat
) -> None:
    admin = await demo.desk("admin", online=False)
    for account in (await admin.get("/accounts"))["items"]:
        assert account["channel"] != "wecom_app"
        body = {"mode": "native", "version": account["version"]}
        await admin.call("PATCH", f"/accounts/{account['id']}", body)
    await chen.asks("在线", "在线")
    wang = demo.customer(1)
    await wang.says("转人工")
    await wang.hears("陈静")
    await chen.reads("「微信客服」里接待")
    await chen.asks("从这里回复", "请到「消息 → 微信客服」中直接回复客户")
    await wang.says("在吗")
    await demo.sandbox.settle()
    assert await chen.lines("#1 王建国：在吗") == []


async def test_what_happens_at_the_console_is_told(demo: Company, chen: AppChat) -> None:
    desk = await demo.desk("chenjing")
    wang = await asks_for_people(demo, 1)
    await chen.reads("#1 王建国（云岭县疾控中心） 已接入")
    session = await desk.gets_session("王建国")
    await chen.types("发错了")
    line = await wang.hears("发错了")
    await chen.asks("撤回", "正在撤回")
    await chen.reads("已撤回发给 #1 王建国 的：发错了")
    recalled = [one for one in await wang.transcript() if one.seq == line.seq]
    assert recalled[0].is_recalled
    await desk.closes(session)
    await chen.reads("#1 王建国（云岭县疾控中心） 会话已结束")
    await chen.asks("还在吗", "您现在没有会话")
    await chen.asks("通知 关", "已关闭通知")
    await asks_for_people(demo, 2)
    await desk.gets_session("刘晓燕")

    async def is_listed() -> bool:  # the desk follows a moment after the console
        return "您有 1 个会话" in await chen.asks("会话", "个会话")

    await eventually(is_listed)
    assert await chen.lines("刘晓燕（江城市疾控中心） 已接入") == []


async def test_a_member_whom_we_do_not_know_is_told_what_to_do(demo: Company) -> None:
    admin = await demo.desk("admin", online=False)
    people = (await admin.get("/servicers"))["items"]
    zhao = next(one for one in people if one["name"] == "赵敏")
    body = {"wecom_userid": "", "version": zhao["version"]}
    await admin.call("PATCH", f"/servicers/{zhao['id']}", body)
    stranger = AppChat(demo.phone_of("zhaomin"))
    await stranger.asks("在线", "帐号还没有登记为接待人员")
    customers = (await admin.get("/customers"))["items"]
    assert len(customers) == 8


async def test_the_apps_own_address_takes_customers_too(demo: Company, chen: AppChat) -> None:
    """One app may carry 微信客服: either callback address takes both kinds of event."""
    url = f"{demo.base}/callback/wecom/app"
    await demo.sandbox.set_callback(AGENT_ID, url=url)
    assert await demo.sandbox.check_callback(AGENT_ID)
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    await chen.reads("已接入")
    await chen.types("收到")
    await wang.hears("收到")


async def test_trouble_on_the_way_neither_loses_nor_reorders_lines(
    demo: Company, chen: AppChat
) -> None:
    await chen.asks("在线", "在线")
    wang = await asks_for_people(demo, 1)
    await chen.reads("已接入")
    await demo.sandbox.fault("errcode", api="message/send", errcode=-1, times=2)
    await demo.sandbox.expire_tokens()
    for number in range(6):
        await wang.says(f"第{number}行")

    async def everything() -> list[str] | None:
        said = [row for line in await chen.lines("行") for row in words(line).splitlines()]
        return said if len(said) >= 6 else None

    assert await eventually(everything) == [f"#1 王建国：第{number}行" for number in range(6)]
