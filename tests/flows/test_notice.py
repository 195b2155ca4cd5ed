"""While something is broken, the bot tells every customer once what supervisors wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.settings.sections import Bot
from tests.flows.company import company

NOTICE = "上报系统正在抢修，预计今天 18 点恢复。"


async def test_a_notice_is_said_once_per_session_until_its_end(
    database_url: str, tmp_path: Path
) -> None:
    async with company(database_url, tmp_path) as demo:
        now = datetime.now(UTC)
        await demo.sets(Bot(notice_text=NOTICE, notice_until=now + timedelta(hours=1)))
        wang, li = demo.customer(1), demo.customer(2)
        for _ in range(2):
            await wang.says("忘记登录密码怎么重置？")
            await wang.hears("来源")
        assert [line for line in await wang.heard() if NOTICE in line] == [NOTICE]

        await demo.sets(Bot(notice_text=NOTICE, notice_until=now - timedelta(hours=1)))
        await li.says("忘记登录密码怎么重置？")
        await li.hears("来源")
        assert not [line for line in await li.heard() if NOTICE in line]
