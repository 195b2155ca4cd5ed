"""kill -9 while customers talk: every message is answered once, in order (design.md §4)."""

from __future__ import annotations

import asyncio
import json
import random
from importlib import resources
from pathlib import Path

from sqlalchemy import text

from bot.burst import is_whole_question
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import CustomerPhone, Sandbox, running_sandbox
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from tests.flows.company import CDC, HOSPITAL
from tests.flows.process import Product, prepare_database
from tests.waiting import eventually

QUESTIONS = [
    json.loads(line)["question"]
    for line in (resources.files("knowledge") / "data" / "demo_faq.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
#: Five lines each: while we are down the platform lets us answer no more than that.
CUSTOMERS, LINES, KILLS = 6, 5, 4
UNFINISHED = (
    "SELECT (SELECT count(*) FROM inbox WHERE state <> 'done')"
    " + (SELECT count(*) FROM outbox WHERE state <> 'sent')"
)
HANGS = (
    "SELECT state, count(*), max(attempts), max(error) FROM inbox GROUP BY state",
    "SELECT state, count(*), max(attempts), max(error) FROM outbox GROUP BY state",
    "SELECT kind, address_key, ready_at, lease_until, lease_by FROM lanes",
    "SELECT band, why, count(*) FROM faq_decisions GROUP BY band, why",
)
#: Four restarts, or every fault there is, on a machine with other things to do.
PATIENCE_S = 600
MOODS: list[tuple[str, dict[str, object]]] = [
    ("callback_duplicate", {"rate": 0.1}),
    ("callback_lost", {"rate": 0.1}),
    ("pull_shuffle", {}),
    ("pull_repeat", {"rate": 0.3}),
    ("errcode", {"api": "kf/send_msg", "errcode": 45009, "rate": 0.1}),
    ("errcode", {"api": "kf/*", "errcode": -1, "rate": 0.1}),
    ("http", {"api": "kf/*", "status": 502, "rate": 0.05}),
    ("drop_after", {"api": "kf/send_msg", "seconds": 0, "rate": 0.1}),
]


async def talk(customer: CustomerPhone, questions: list[str], chance: random.Random) -> None:
    for question in questions:
        await customer.says(question)
        await asyncio.sleep(chance.uniform(0, 0.4))


async def answers(customer: CustomerPhone) -> list[str]:
    """What the bot replied; on a busy machine a late model may make it a menu."""
    return await customer.heard()


def replies_to(said: list[str], questions: list[str]) -> bool:
    """One reply for each question, in their order; those with a source name the right one."""
    return len(said) == len(questions) and all(
        "来源" not in line or f"《{question}》" in line
        for line, question in zip(said, questions, strict=True)
    )


def crowd(sandbox: Sandbox, chance: random.Random) -> list[tuple[CustomerPhone, list[str]]]:
    found = []
    for number in range(1, CUSTOMERS + 1):
        account = CDC if number % 2 else HOSPITAL
        phone = sandbox.customer(f"wmDemoCustomer{number:016d}", account)
        whole = [one for one in QUESTIONS if is_whole_question(one)]
        found.append((phone, chance.sample(whole, LINES)))
    return found


async def all_answered(
    database_url: str, folder: Path, people: list[tuple[CustomerPhone, list[str]]]
) -> None:
    """Wait until everyone has all their answers; say where things hang when they do not."""

    async def done() -> bool:
        counts = [len(await answers(phone)) >= len(lines) for phone, lines in people]
        return all(counts)

    try:
        await eventually(done, timeout_s=PATIENCE_S)
    except AssertionError as error:
        raise AssertionError(await where_it_hangs(database_url, folder)) from error


async def where_it_hangs(database_url: str, folder: Path) -> str:
    uow = UnitOfWork(make_engine(database_url), SystemClock())
    async with uow.read() as tx:
        parts = [f"now {tx.now}"]
        for query in HANGS:
            parts.append(query)
            parts.extend(str(tuple(row)) for row in await tx.db.execute(text(query)))
    await uow.close()
    return "\n".join([*parts, (folder / "product.log").read_text()[-3000:]])


async def check_everything(
    database_url: str, people: list[tuple[CustomerPhone, list[str]]]
) -> None:
    """One answer for each question, in the order of the questions; nothing stored twice."""
    for phone, questions in people:
        said = await answers(phone)
        assert replies_to(said, questions), (phone.external_userid, questions, said)
    uow = UnitOfWork(make_engine(database_url), SystemClock())

    async def at_rest() -> bool:
        async with uow.read() as tx:
            return await tx.db.scalar(text(UNFINISHED)) == 0

    await eventually(at_rest, timeout_s=PATIENCE_S)
    async with uow.read() as tx:
        received = await tx.db.scalar(
            text("SELECT count(*) FROM messages WHERE sender = 'customer'")
        )
    await uow.close()
    assert received == CUSTOMERS * LINES


async def test_killed_at_random_every_message_is_answered_once_in_order(
    bare_database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(20260302)
    await prepare_database(bare_database_url, tmp_path)
    async with running_sandbox(seed.demo_seed(None)) as sandbox:
        product = Product(bare_database_url, tmp_path, sandbox)
        await sandbox.set_callback(seed.AGENT_ID, url=f"{product.base}/callback/wecom/kf")
        people = crowd(sandbox, chance)
        talking = [asyncio.create_task(talk(*one, chance)) for one in people]
        try:
            for _ in range(KILLS):
                await product.start()
                await product.is_ready()
                await asyncio.sleep(chance.uniform(0.05, 1.2))
                await product.kill()
            await product.start()
            await asyncio.gather(*talking)
            await all_answered(bare_database_url, tmp_path, people)
            await sandbox.settle()
            await check_everything(bare_database_url, people)
        finally:
            await product.kill()


async def test_a_moody_platform_loses_nothing_and_repeats_nothing(
    bare_database_url: str, tmp_path: Path
) -> None:
    """Duplicated callbacks, repeated pages, expired tokens, 45009, -1, 5xx and lost answers."""
    chance = random.Random(7)
    await prepare_database(bare_database_url, tmp_path)
    async with running_sandbox(seed.demo_seed(None)) as sandbox:
        product = Product(bare_database_url, tmp_path, sandbox)
        await sandbox.set_callback(seed.AGENT_ID, url=f"{product.base}/callback/wecom/kf")
        await product.start()
        await product.is_ready()
        try:
            for kind, fields in MOODS:
                await sandbox.fault(kind, **fields)
            people = crowd(sandbox, chance)
            talking = [asyncio.create_task(talk(*one, chance)) for one in people]
            await asyncio.sleep(0.5)
            await sandbox.expire_tokens()
            await asyncio.gather(*talking)
            await all_answered(bare_database_url, tmp_path, people)
            await sandbox.clear_faults()
            await check_everything(bare_database_url, people)
        finally:
            await product.kill()
