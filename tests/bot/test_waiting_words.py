"""A waiting customer asks in their own words how long it takes, and is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from bot.context import Context
from bot.filters.content import Asks
from bot.handlers.relay import WAITING_WORDS
from channels.update import MessageReceived
from core.content import Address, Text

NOBODY = cast(Context, None)  # the filter reads the update only


async def asks(line: str) -> bool:
    update = MessageReceived(
        update_id="u",
        address=Address("wecom_kf", "wk", "wm"),
        message_id="m",
        content=Text(text=line),
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    return await Asks(WAITING_WORDS).check(update, NOBODY)


@pytest.mark.parametrize(
    "line",
    [
        "还要多久", "还要等多久？", "多久", "要等多长时间", "大概要多久啊", "等到什么时候", "排队",
        "排队到哪了", "前面还有几个人", "前面多少人呀", "我排第几位", "到我了吗", "轮到我了没",
        "有人吗", "人呢？？", "客服呢", "怎么没人理", "在吗", "什么时候排到我",
    ],
)  # fmt: skip
async def test_these_ask_for_the_place(line: str) -> None:
    assert await asks(line)


@pytest.mark.parametrize(
    "line",
    [
        "数据上报一般要多久能审核通过，我们县里还在等着用呢", "疫苗出库老是报错", "密码在哪里改",
        "值班的人不在吗我看系统里写着在岗", "", "我们单位前台电脑坏了",
    ],
)  # fmt: skip
async def test_these_tell_about_the_trouble(line: str) -> None:
    assert not await asks(line)
