"""`wenqu secrets rotate`, as an administrator runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli import cli
from bot.migrate import migrate
from core.actor import Actor
from core.audit.models import AuditRow
from core.clock import SystemClock
from core.customers import profiles
from core.customers.profiles import CustomerSecret
from core.db import UnitOfWork, make_engine
from core.imports import service as imports
from core.imports.models import ImportPartRow
from core.imports.queries import ImportKind
from core.imports.service import ImportFile
from core.remote_assistance import vpn
from core.remote_assistance.vpn import VpnSecret
from core.sealing import KeyRing
from tests.core import seed

OLD, NEW = "a secret of sixteen letters", "another secret of many letters"
BOSS = Actor.system()
VPN = VpnSecret("vpn.cdc.cn:4433", "remote", "p@ss-1234")


def run(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path, *secrets: str) -> tuple[int, str]:
    monkeypatch.setenv("WENQU_SECRET_KEY", ",".join(secrets))
    monkeypatch.setenv("WENQU_DATABASE_URL", url)
    monkeypatch.setenv("WENQU_DATA_DIR", str(folder))
    done = CliRunner().invoke(cli, ["secrets", "rotate"])
    return done.exit_code, done.output


async def sealed(url: str) -> tuple[str, str]:
    """A customer and a VPN profile under the old key."""
    await migrate(url)
    uow, keys = UnitOfWork(make_engine(url), SystemClock()), KeyRing.from_secrets([OLD])
    async with uow.write() as tx:
        person, place = await seed.customer(tx), await seed.institution(tx, "云岭县疾控中心")
        await profiles.store_secret(tx, keys, person, CustomerSecret.PHONE, "13812345678")
        made = await vpn.create(tx, keys, place, VPN, name="主", by=BOSS)
        file = ImportFile(ImportKind.CUSTOMERS, "客户.csv", [["姓名"], ["李医生"]], is_dry=False)
        await imports.begin(tx, file, imports.cut(keys, file), by=BOSS)
    await uow.close()
    return person, made.id


async def opened(url: str, person: str, profile: str) -> tuple[str, VpnSecret, list[str]]:
    """What the new key alone can read, and what the audit log says."""
    uow, keys = UnitOfWork(make_engine(url), SystemClock()), KeyRing.from_secrets([NEW])
    async with uow.write() as tx:
        phone = await profiles.reveal(tx, keys, person, CustomerSecret.PHONE, by=BOSS)
        secret = await vpn.reveal(tx, keys, profile, by=BOSS)
        rows = await tx.db.scalar(select(ImportPartRow.sealed))
        assert "李医生" in keys.open(rows or "", context="import.part")
        actions = list(await tx.db.scalars(select(AuditRow.action).order_by(AuditRow.id)))
    await uow.close()
    return phone, secret, actions


def test_everything_sealed_opens_with_the_new_key_alone(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, profile = asyncio.run(sealed(bare_database_url))
    code, said = run(monkeypatch, bare_database_url, tmp_path, NEW)
    assert (code, "旧密钥" in said) == (1, True)
    code, said = run(monkeypatch, bare_database_url, tmp_path, NEW, OLD)
    assert (code, "改用新密钥" in said) == (0, True)
    phone, secret, actions = asyncio.run(opened(bare_database_url, person, profile))
    assert (phone, secret) == ("13812345678", VPN)
    assert "secrets.rotated" in actions
    assert run(monkeypatch, bare_database_url, tmp_path, NEW)[0] == 0
