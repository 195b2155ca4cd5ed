"""Many customers, several processes: nothing mixes, nothing is answered twice (issue 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from sqlalchemy import text

from bot.burst import is_whole_question
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, running_sandbox
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from tests.flows.company import CDC, HOSPITAL, Desk
from tests.flows.process import Product, prepare_database
from tests.flows.test_crash import QUESTIONS, answers, replies_to
from tests.waiting import eventually

CROWD = 200
WHOLE = [one for one in QUESTIONS if is_whole_question(one)]


async def a_crowd(sandbox: Sandbox) -> list[tuple[CustomerPhone, str]]:
    """Half of them on each account, each with a question of their own."""
    people = []
    for number in range(CROWD):
        account = CDC if number % 2 else HOSPITAL
        phone = await sandbox.add_customer(f"客户{number}", account)
        people.append((phone, WHOLE[number % len(WHOLE)]))
    return people


async def everybody_has_one_answer(people: list[tuple[CustomerPhone, str]]) -> bool:
    for phone, _ in people:
        if not await answers(phone):
            return False
    return True


async def test_two_processes_share_two_hundred_customers_on_two_accounts(
    bare_postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    await prepare_database(bare_postgres_url, tmp_path)
    async with running_sandbox(seed.demo_seed(None)) as sandbox:
        extra = {"WENQU_REDIS_URL": redis_url}
        workers = [
            Product(bare_postgres_url, tmp_path, sandbox, role=role, extra=extra)
            for role in ("all", "all")
        ]
        await sandbox.set_callback(seed.AGENT_ID, url=f"{workers[0].base}/callback/wecom/kf")
        for worker in workers:
            await worker.start()
        try:
            for worker in workers:
                await worker.is_ready()
            people = await a_crowd(sandbox)
            await asyncio.gather(*(phone.says(question) for phone, question in people))
            await eventually(lambda: everybody_has_one_answer(people), timeout_s=600)
            await sandbox.settle()
            for phone, question in people:
                said = await answers(phone)
                assert replies_to(said, [question]), (question, said)
            await check_both_worked(bare_postgres_url)
            await check_a_publish_reaches_both(workers)
        finally:
            for worker in workers:
                await worker.kill()


async def check_a_publish_reaches_both(workers: Sequence[Product]) -> None:
    """Written and approved in one process, answered with in the other."""
    async with aiohttp.ClientSession() as http:
        bases = [worker.base for worker in workers]
        author, chief = Desk(http, bases[0], "chenjing"), Desk(http, bases[0], "wufang")
        elsewhere = Desk(http, bases[1], "wufang")
        for desk in (author, chief, elsewhere):
            await desk.logs_in()
        question = "鸢尾花展览几点开门？"
        made = await author.post("/articles", {"question": question, "answer": "九点。"})
        path = f"/articles/{made['id']}"
        sent = await author.post(f"{path}/submit", {"version": made["version"]})
        await chief.post(f"{path}/approve", {"version": sent["version"]})

        async def is_answered() -> bool:
            said = await elsewhere.post("/bot/ask", {"question": question})
            return said["article_id"] == made["id"] and said["band"] == "answer"

        await eventually(is_answered)


async def check_both_worked(url: str) -> None:
    uow = UnitOfWork(make_engine(url), SystemClock())
    async with uow.read() as tx:
        sessions = await tx.db.scalar(text("SELECT count(*) FROM sessions"))
        decided = await tx.db.scalar(text("SELECT count(*) FROM faq_decisions"))
    await uow.close()
    assert (sessions, decided) == (CROWD, CROWD)
