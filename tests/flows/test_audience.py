"""An article for one kind of institution is given to its people, and to nobody else."""

from __future__ import annotations

from pathlib import Path

from core.settings.sections import Bot
from tests.flows.company import company
from tests.knowledge_base.conftest import published
from tests.waiting import eventually

QUESTION = "鸢尾花报表的第七栏应该由谁填写？"
SECRET = "由疾控中心的值班主任填写。"


async def test_only_its_audience_is_given_an_article(database_url: str, tmp_path: Path) -> None:
    async with company(database_url, tmp_path) as demo:
        before = len(demo.app.answerer)
        await published(demo.app.uow, question=QUESTION, answer=SECRET, audience=["疾控中心"])

        async def is_live() -> bool:
            return len(demo.app.answerer) > before

        await eventually(is_live)
        await demo.sets(Bot(burst_quiet_s=3, burst_max_s=30))
        at_the_cdc, at_a_clinic = demo.customer(1), demo.customer(6)

        await at_the_cdc.says(QUESTION)  # the first word ever: nothing is known but the address
        await at_the_cdc.hears(SECRET)
        for line in ("鸢尾花报表", "第七栏", "谁填写"):  # a burst
            await at_the_cdc.says(line)
        await at_the_cdc.hears(SECRET)

        for line in (QUESTION, "鸢尾花报表", "第七栏", "谁填写"):
            await at_a_clinic.says(line)
        await at_a_clinic.hears()
        await demo.sandbox.settle()
        said = await at_a_clinic.heard()
        assert not [line for line in said if SECRET in line or "鸢尾花" in line]
