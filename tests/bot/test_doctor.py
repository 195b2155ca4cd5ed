"""`wenqu doctor` against a sandbox that misbehaves and configurations that are wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.config import HttpSettings, Settings
from bot.doctor import CHECKS, diagnose
from bot.doctor.subject import open_subject
from bot.migrate import migrate
from channels.sms.config import SmsSettings
from channels.wecom.sandbox import demo_seed as seed
from channels.wecom.sandbox.client import Sandbox
from core.clock import ManualClock
from core.content import Address, Text
from core.db import UnitOfWork, make_engine
from core.diagnosis import Diagnosis, Finding, Status
from core.inbox import DatabaseIntake
from core.outbox import enqueue, pending, settle
from core.ports import InboxItem, OutboundMessage
from tests.bot.installations import (
    KEY,
    PASSWORD,
    SECRETS,
    app,
    installation,
    product,
    settings_for,
    wecom,
)
from tests.bot.processes import wenqu
from tests.flows.company import Desk
from tests.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def a_busy_machine_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("callback._WITHIN_S", "callback._SLOW_S", "machine._SLOW_MODEL_S", "_WITHIN_S"):
        monkeypatch.setattr(f"bot.doctor.{name}", 5 * PATIENCE_S)
    for module in ("subject", "wecom"):
        monkeypatch.setattr(f"bot.doctor.{module}.PLATFORM_WITHIN_S", PATIENCE_S)


async def examine(settings: Settings, *, with_model: bool = False) -> Diagnosis:
    async with open_subject(settings) as subject:
        return await diagnose(subject if with_model else replace(subject, encode=_quick))


async def _quick(text: str) -> object:
    return text


def found(diagnosis: Diagnosis, check: str) -> list[Finding]:
    return [one for one in diagnosis.findings if one.check == check]


def one(diagnosis: Diagnosis, check: str, status: Status) -> Finding:
    """The first finding of that status; its absence shows all that were made."""
    rows = found(diagnosis, check)
    return next((row for row in rows if row.status is status), None) or pytest.fail(str(rows))


@pytest.fixture
async def installed(sqlite_url: str, tmp_path: Path) -> AsyncIterator[tuple[Settings, Sandbox]]:
    async with installation(sqlite_url, tmp_path) as made:
        yield made


async def test_a_sound_installation_passes_every_check(database_url: str, tmp_path: Path) -> None:
    async with (
        installation(database_url, tmp_path) as (settings, _),
        product(settings) as (_, base),
    ):
        http = HttpSettings(public_url=base)
        diagnosis = await examine(settings.model_copy(update={"http": http}), with_model=True)
        async with ClientSession() as session:
            boss, servicer = Desk(session, base, "admin"), Desk(session, base, "lijun")
            await boss.logs_in(PASSWORD)
            over_the_api = await boss.get("/doctor")
            await servicer.logs_in(PASSWORD)
            await servicer.call("GET", "/doctor", status=403)

    failed = [row for row in diagnosis.findings if row.status is Status.FAIL]
    assert failed == []
    for name in ("database", "embedder", "wecom.token", "wecom.accounts", "wecom.callback"):
        one(diagnosis, name, Status.OK)
    assert "毫秒" in one(diagnosis, "wecom.callback", Status.OK).detail
    assert {row["check"] for row in over_the_api["findings"]} == {check.name for check in CHECKS}
    assert all(row["status"] != "fail" for row in over_the_api["findings"])
    shown = diagnosis.model_dump_json() + json.dumps(over_the_api)
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize(
    ("api", "errcode", "check", "page"),
    [
        ("gettoken", 40001, "wecom.token", "应用管理 → 自建应用"),
        ("gettoken", 40013, "wecom.token", "我的企业 → 企业信息"),
        ("kf/account/list", 60020, "wecom.accounts", "企业可信IP"),
        ("kf/account/list", 48002, "wecom.accounts", "可调用接口的应用"),
        ("kf/servicer/list", 48007, "wecom.servicers", "通过API管理微信客服账号"),
        ("user/get", 60011, "wecom.servicers", "可见范围"),
        ("kf/add_contact_way", 95017, "wecom.link", "微信客服 → API"),
        ("kf/account/list", 123456, "wecom.accounts", "全局错误码"),
    ],
)
async def test_a_refusal_names_the_page_to_click(
    installed: tuple[Settings, Sandbox], api: str, errcode: int, check: str, page: str
) -> None:
    settings, sandbox = installed
    sound = await examine(settings)
    assert all(row.status is not Status.FAIL for row in found(sound, check))

    await sandbox.fault("errcode", api=api, errcode=errcode)
    diagnosis = await examine(settings)
    finding = one(diagnosis, check, Status.FAIL)
    assert finding.code == ("60030" if errcode == 60011 else str(errcode))
    assert page in finding.advice
    assert diagnosis.status is Status.FAIL
    later = [other.name for other in CHECKS if check in other.needs]
    assert all(row.status is Status.SKIP for name in later for row in found(diagnosis, name))


async def test_the_ip_that_wecom_sees_is_shown(tmp_path: Path) -> None:
    said = "not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at …"

    async def refuse(request: web.Request) -> web.Response:
        if request.path.endswith("gettoken"):
            return web.json_response({"errcode": 0, "access_token": "t", "expires_in": 7200})
        return web.json_response({"errcode": 60020, "errmsg": said})

    platform = web.Application()
    platform.router.add_route("*", "/{tail:.*}", refuse)
    async with TestServer(platform) as server:
        settings = settings_for(f"sqlite:///{tmp_path}/none.db", tmp_path)
        diagnosis = await examine(wecom(settings, api_base=str(server.make_url("/"))))
    finding = one(diagnosis, "wecom.accounts", Status.FAIL)
    assert "203.0.113.7" in finding.advice
    assert "企业可信IP" in finding.advice


async def test_accounts_and_people_that_wecom_withholds_are_named(
    sqlite_url: str, tmp_path: Path
) -> None:
    whole = seed.demo_seed(None)
    accounts = (
        replace(whole.accounts[0], is_managed=False),
        replace(whole.accounts[1], servicers=("sunhao", "zhoulan", "wangqiang")),
        replace(whole.accounts[2], servicers=()),
    )
    members = (*whole.members, replace(whole.members[0], userid="wangqiang", is_visible=False))
    less = replace(whole, accounts=accounts, members=members)
    async with installation(sqlite_url, tmp_path, less) as (settings, _):
        diagnosis = await examine(settings)
    withheld = one(diagnosis, "wecom.accounts", Status.WARN)
    assert withheld.code == "48007"
    assert whole.accounts[0].name in withheld.detail
    details = "\n".join(row.detail + row.advice for row in found(diagnosis, "wecom.servicers"))
    assert "VIP服务台：没有接待人员" in details
    assert "wangqiang 还不是系统用户" in details
    assert "wangqiang：接待人员不在应用的可见范围" in details
    assert "chenjing、lijun、wufang、zhaomin 是系统用户，但不是任何账号的接待人员" in details


@pytest.mark.parametrize(
    ("change", "check", "part"),
    [
        (lambda s: wecom(s, corp_id="问渠"), "wecom.configured", "企业 ID"),
        (lambda s: app(s, secret=""), "wecom.configured", "Secret"),
        (lambda s: app(s, secret="abc "), "wecom.configured", "空格"),
        (lambda s: app(s, token="x" * 33), "wecom.callback_keys", "32 位"),
        (lambda s: app(s, aes_key="x" * 42), "wecom.callback_keys", "现为 42 位"),
        (lambda s: app(s, token=""), "wecom.callback_keys", "只填了一个"),
        (lambda s: app(s, token="", aes_key=""), "wecom.callback_keys", "轮询"),
    ],
)
async def test_wrong_configuration_is_explained(
    installed: tuple[Settings, Sandbox], change: Any, check: str, part: str
) -> None:
    settings, _ = installed
    assert [row.status for row in found(await examine(settings), check)] == [Status.OK]
    assert part in one(await examine(change(settings)), check, Status.FAIL).detail


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (KEY, Status.OK),
        ("short", Status.FAIL),
        ("a-secret-for-tests-only-0123456789", Status.FAIL),
        ("abababababababababababababababab", Status.FAIL),
        ("q8Zt-5vNf2LrXw7yKd0M", Status.WARN),
    ],
)
async def test_a_weak_secret_key_is_noticed(key: str, status: Status, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key=key)
    one(await examine(settings), "secret_key", status)


async def test_messages_that_wait_or_never_arrived_are_noticed(
    database_url: str, tmp_path: Path
) -> None:
    async with installation(database_url, tmp_path) as (settings, _):
        one(await examine(settings), "backlog", Status.OK)
        earlier = ManualClock(datetime.now(UTC) - timedelta(minutes=20))
        uow = UnitOfWork(make_engine(database_url), earlier)
        address = Address("wecom_kf", seed.CDC_ACCOUNT, "wm1")
        async with uow.write() as tx:
            await enqueue(tx, "m1", OutboundMessage(address, "m1", Text(text="您好")))
            [parcel] = await pending(tx, address.key)
            await settle(tx, parcel, "failed", error="95002")
        item = InboxItem("k1", address, "{}", earlier.now())
        await DatabaseIntake(uow).accept([item])
        await uow.close()
        diagnosis = await examine(settings)
        assert "1 条消息没能送达" in one(diagnosis, "backlog", Status.WARN).detail
        assert "等了 20 分钟" in one(diagnosis, "backlog", Status.FAIL).detail

        async with product(settings) as (_, base), ClientSession() as http:
            async with http.get(f"{base}/metrics") as answer:
                figures = await answer.text()
            assert 'wenqu_backlog{queue="failed"} 1.0' in figures


async def test_redis_must_answer_when_it_is_configured(redis_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=redis_url, secret_key=KEY)
    one(await examine(settings), "redis", Status.OK)
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:9/0"})
    assert "WENQU_REDIS_URL" in one(await examine(gone), "redis", Status.FAIL).advice
    alone = gone.model_copy(update={"secret_key": type(settings.secret_key)("")})
    one(await examine(alone), "secret_key", Status.FAIL)


async def test_an_old_or_absent_database_says_what_to_do(
    bare_database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=bare_database_url)
    status = Status.SKIP if bare_database_url.startswith("sqlite") else Status.FAIL
    finding = one(await examine(settings), "database", status)
    assert "wenqu migrate" in finding.detail + finding.advice
    await migrate(bare_database_url)
    one(await examine(settings), "database", Status.OK)
    nowhere = "postgresql://wenqu:hush@127.0.0.1:9/wenqu"
    finding = one(
        await examine(settings.model_copy(update={"database_url": nowhere})),
        "database", Status.FAIL,
    )  # fmt: skip
    assert "hush" not in finding.detail


async def test_a_data_directory_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(data_dir=tmp_path / "file")
    one(await examine(settings), "data_dir", Status.FAIL)


async def test_a_wrong_clock_is_noticed(tmp_path: Path) -> None:
    offsets = iter((0.0, 60.0, 900.0))

    async def answer(_request: web.Request) -> web.Response:
        import time

        return web.Response(headers={"Date": formatdate(time.time() - offset, usegmt=True)})

    platform = web.Application()
    platform.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(platform) as server:
        settings = settings_for(f"sqlite:///{tmp_path}/none.db", tmp_path)
        settings = wecom(settings, api_base=str(server.make_url("/")))
        for status in (Status.OK, Status.WARN, Status.FAIL):
            offset = next(offsets)
            one(await examine(settings), "wecom.clock", status)


@pytest.mark.parametrize(
    ("status", "body", "part"),
    [
        (403, "", "签名不符"),
        (404, "", "没有回调"),
        (302, "", "跳转"),
        (502, "", "回答异常"),
        (200, "<html>", "不是问渠的"),
    ],
)
async def test_the_callback_test_tells_the_failures_apart(
    installed: tuple[Settings, Sandbox], status: int, body: str, part: str
) -> None:
    settings, _ = installed
    stopped = one(await examine(settings), "wecom.callback", Status.WARN)
    assert "没有运行" in stopped.detail

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    other = web.Application()
    other.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(other) as server:
        http = HttpSettings(public_url=str(server.make_url("/")))
        diagnosis = await examine(settings.model_copy(update={"http": http}))
    assert part in one(diagnosis, "wecom.callback", Status.FAIL).detail


async def test_another_key_in_the_running_process_is_noticed(
    installed: tuple[Settings, Sandbox],
) -> None:
    settings, _ = installed
    async with product(settings) as (_, base):
        changed = app(settings, token="another").model_copy(
            update={"http": HttpSettings(public_url=base)}
        )
        diagnosis = await examine(changed)
    assert "重启" in one(diagnosis, "wecom.callback", Status.FAIL).advice


@pytest.mark.parametrize(
    ("code", "expected", "advice"),
    [
        ("MissingParameter", Status.OK, ""),
        ("AuthFailure.SecretIdNotFound", Status.FAIL, "WENQU_SMS__SECRET_ID"),
        ("AuthFailure.SignatureFailure", Status.FAIL, "SECRET_KEY"),
        ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", Status.FAIL, "QcloudSMSFullAccess"),
        ("FailedOperation.SignatureIncorrectOrUnapproved", Status.FAIL, "审核"),
        ("InternalError.Timeout", Status.FAIL, "再试一次"),
    ],
)
async def test_the_key_of_the_sms_provider_is_tried_without_sending(
    code: str, expected: Status, advice: str, tmp_path: Path
) -> None:
    asked: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.read())
        error = {"Code": code, "Message": "no"}
        return web.json_response({"Response": {"Error": error, "RequestId": "x"}})

    app = web.Application()
    app.router.add_post("/", answer)
    async with TestServer(app) as server:
        sms = SmsSettings.model_validate(
            {
                "kind": "tencent",
                "secret_id": "id",
                "secret_key": "key",
                "app_id": "1400006666",
                "sign_name": "云岭",
                "template_id": "1110",
                "api_base": str(server.make_url("")).rstrip("/"),
            }
        )
        found = await examine(Settings(data_dir=tmp_path, sms=sms))
    shown = one(found, "sms", expected)
    assert shown.code == ("" if expected is Status.OK else code)
    assert advice in shown.advice
    assert all(json.loads(body)["PhoneNumberSet"] == [] for body in asked)
    assert asked


async def test_without_a_provider_of_sms_the_console_one_is_warned_of(tmp_path: Path) -> None:
    one(await examine(Settings(data_dir=tmp_path)), "sms", Status.SKIP)
    told = Settings(data_dir=tmp_path, sms=SmsSettings(kind="console"))
    one(await examine(told), "sms", Status.WARN)


async def test_the_command_prints_json_and_exits_by_the_worst_finding(tmp_path: Path) -> None:
    async with wenqu("migrate", folder=tmp_path) as migration:
        await migration.process.wait()
    sound, weak = {"WENQU_SECRET_KEY": KEY}, {"WENQU_SECRET_KEY": "short"}
    async with wenqu("doctor", "--json", folder=tmp_path, extra=weak) as doctor:
        assert await doctor.process.wait() == 1, doctor.said
        assert json.loads(doctor.said)["status"] == "fail"
    async with wenqu("doctor", folder=tmp_path, extra=sound) as doctor:
        assert await doctor.process.wait() == 0, doctor.said
        assert "✓ 数据库" in doctor.said
