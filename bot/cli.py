"""The command `wenqu`."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.console import Console

from admin_api.errors import worded
from bot import app as application
from bot import demo as demo_company
from bot.backup import BackupError
from bot.backup.installation import put_back, save
from bot.config import Settings, load
from bot.doctor import diagnose
from bot.doctor.show import show, sum_up
from bot.doctor.subject import open_subject
from bot.embedding import post_json
from bot.logs import set_up
from bot.migrate import migrate as migrate_database
from bot.people import Person, check_password, create_person, ensure_admin, first_admin
from bot.ports import check_port, is_taken
from bot.rotation import rotate
from bot.secrets import key_ring, secrets_of
from bot.stopping import run_until_stopped
from channels.wecom.crypto import BadKey
from core.actor import Actor
from core.audit.queries import verify
from core.clock import SystemClock
from core.db import UnitOfWork, make_engine
from core.diagnosis import Diagnosis, Status
from core.errors import DomainError
from core.history.index import rebuild
from core.sealing import MIN_SECRET_CHARS, SealBroken
from core.views import Role
from knowledge.cli import Tools, faq_app, kb_app
from knowledge.config import make_encoder

RoleName = Literal["all", "web", "worker"]
cli = typer.Typer(help="问渠 Wenqu：以聊天平台为中心的客户服务系统", no_args_is_help=True)
user_cli = typer.Typer(help="用户", no_args_is_help=True)
secrets_cli = typer.Typer(help="密钥", no_args_is_help=True)
audit_cli = typer.Typer(help="审计日志", no_args_is_help=True)
search_cli = typer.Typer(help="聊天记录的搜索索引", no_args_is_help=True)
console = Console()


def _settings() -> Settings:
    try:
        settings = load()
    except (ValidationError, OSError) as error:
        console.print(f"[red]配置有误[/red]：{error}")
        raise typer.Exit(2) from error
    set_up(settings.log)
    return settings


def _serve(work: Coroutine[Any, Any, None], settings: Settings) -> None:
    try:
        run_until_stopped(work, settings.stop_within_s)
    except BadKey as error:
        console.print(
            "[red]没有启动[/red]：EncodingAESKey 应为 43 位字母与数字，"
            "请从企业微信管理后台完整复制。\n是哪一项不对：wenqu doctor",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        raise typer.Exit(2) from error
    except OSError as error:
        if not is_taken(error):
            raise
        port = settings.http.port
        console.print(
            f"[red]没有启动[/red]：端口 {port} 已被占用，可能问渠已在运行。\n"
            f"换一个端口：WENQU_HTTP__PORT={port + 1} wenqu …",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        raise typer.Exit(3) from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[UnitOfWork]:
    """Transactions on the configured database, brought up to date first."""
    await migrate_database(settings.database)
    uow = UnitOfWork(make_engine(settings.database), SystemClock())
    try:
        yield uow
    finally:
        await uow.close()


@cli.command()
def run(
    role: Annotated[
        RoleName, typer.Option(help="all：全部；web：网页与接口；worker：后台")
    ] = "all",
) -> None:
    """启动服务。"""
    settings = _settings()

    async def serve() -> None:
        if role != "worker":
            check_port(settings.http)
        async with _database(settings) as uow:
            await _first_admin(uow, settings.admin_password.get_secret_value())
        _remark_on_secret(settings)
        await application.run(settings, role)

    _serve(serve(), settings)


async def _first_admin(uow: UnitOfWork, password: str) -> None:
    try:
        if await ensure_admin(uow, password):
            _remark(uow, first_admin(password))
    except DomainError as error:
        words = f"[red]没有启动[/red]：WENQU_ADMIN_PASSWORD {worded(error)}"
        console.print(words, soft_wrap=True, highlight=False)
        raise typer.Exit(2) from error


def _remark(uow: UnitOfWork, person: Person) -> None:
    """Whoever commands this machine may set a weak password, and is told that it is one."""
    try:
        check_password(uow, person)
    except DomainError as error:
        words = f"[yellow]{person.username} 的{worded(error)}，请登录后尽快修改。[/yellow]"
        console.print(words, soft_wrap=True, highlight=False)


def _remark_on_secret(settings: Settings) -> None:
    if any(len(one) < MIN_SECRET_CHARS for one in secrets_of(settings)):
        words = f"WENQU_SECRET_KEY 少于 {MIN_SECRET_CHARS} 个字符，容易被猜出，请尽快更换。"
        console.print(f"[yellow]{words}[/yellow]", soft_wrap=True, highlight=False)


@cli.command()
def demo() -> None:
    """启动演示公司：自带企业微信沙箱，无需联网。"""
    settings = _settings()
    _serve(demo_company.run(settings), settings)


@cli.command()
def migrate() -> None:
    """建立或升级数据库表；可重复执行。"""
    settings = _settings()
    asyncio.run(migrate_database(settings.database))
    console.print("数据库已是最新。")


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON，供程序读取")] = False,
) -> None:
    """检查配置、数据库与企业微信，逐项说明怎样处理；有失败项时退出码为 1。"""
    settings = _settings()
    logging.getLogger().setLevel(logging.CRITICAL)  # the findings say all
    watch = None if as_json else partial(show, console)

    async def examine() -> Diagnosis:
        async with open_subject(settings) as subject:
            return await diagnose(subject, watch=watch)

    diagnosis = asyncio.run(examine())
    if as_json:
        print(diagnosis.model_dump_json(indent=2))
    else:
        sum_up(console, diagnosis)
    raise typer.Exit(1 if diagnosis.status is Status.FAIL else 0)


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="要写的备份文件，如 wenqu.zip")],
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="同时包含系统密钥；请格外小心保管")
    ] = False,
) -> None:
    """备份数据库与附件到一个文件；可在运行中执行。"""
    settings = _settings()
    try:
        manifest = asyncio.run(save(settings, file, with_secrets=with_secrets))
    except (BackupError, OSError) as error:
        console.print(f"[red]没有备份[/red]：{error}")
        raise typer.Exit(1) from error
    counted = f"{sum(manifest.tables.values())} 行，{manifest.attachments} 个附件"
    console.print(f"已备份到 {file}：{counted}。")
    if manifest.missing_attachments:
        console.print(f"[yellow]有 {manifest.missing_attachments} 个附件的文件找不到。[/yellow]")


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(help="备份文件")],
    force: Annotated[bool, typer.Option("--force", help="覆盖数据库里已有的数据")] = False,
) -> None:
    """从备份文件恢复；可以恢复到另一种数据库。先停掉所有进程。"""
    settings = _settings()
    try:
        manifest, remarks = asyncio.run(put_back(settings, file, is_forced=force))
    except (BackupError, OSError) as error:
        console.print(f"[red]没有恢复，数据库没有变化[/red]：{error}")
        raise typer.Exit(1) from error
    console.print(f"已恢复 {manifest.created_at:%Y-%m-%d %H:%M} UTC 的备份。")
    for remark in remarks:
        console.print(f"[yellow]{remark}[/yellow]")


@user_cli.command("create")
def user_create(
    name: Annotated[str, typer.Argument(help="登录名")],
    role: Annotated[Role, typer.Option(help="admin、supervisor 或 servicer")],
    wecom_userid: Annotated[str | None, typer.Option(help="企业微信里的成员帐号")] = None,
    display_name: Annotated[str, typer.Option(help="显示的姓名")] = "",
    password_stdin: Annotated[bool, typer.Option(help="从标准输入读取密码")] = False,
) -> None:
    """新建用户；同时成为可以接待的客服。"""
    settings = _settings()
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else typer.prompt("密码", hide_input=True, confirmation_prompt=True)
    )
    person = Person(name, display_name or name, role, password, wecom_userid)

    async def create() -> None:
        async with _database(settings) as uow:
            if not password_stdin:
                check_password(uow, person)  # somebody sits there who can think of another
            await create_person(uow, person, by=Actor.system("cli"))
            _remark(uow, person)

    try:
        asyncio.run(create())
    except DomainError as error:
        console.print(f"[red]没有创建[/red]：{worded(error)}", soft_wrap=True)
        raise typer.Exit(1) from error
    console.print(f"已创建用户 {name}。")


@secrets_cli.command("rotate")
def secrets_rotate() -> None:
    """换密钥之后，用新密钥重新加密手机号、邮箱、证件号与 VPN 档案；可以在运行中执行、重复执行。"""
    settings = _settings()

    async def renew() -> None:
        async with _database(settings) as uow:
            await rotate(uow, key_ring(settings))

    try:
        asyncio.run(renew())
    except SealBroken as error:
        console.print(
            f"[red]没有全部完成[/red]：{error}。\n"
            "有数据是用别的密钥加密的：把那个旧密钥加到 WENQU_SECRET_KEY 末尾，再执行一次。",
            soft_wrap=True,
        )
        raise typer.Exit(1) from error
    console.print("已全部改用新密钥加密。旧密钥何时可以去掉，见运维手册“换密钥”。")


@audit_cli.command("verify")
def audit_verify() -> None:
    """检查审计日志是否被改动。"""
    settings = _settings()
    broken: list[str] = []

    async def check() -> None:
        async with _database(settings) as uow, uow.read() as tx:
            verdict = await verify(tx)
            if not verdict.is_intact:
                broken.append(str(verdict))
            else:
                console.print(f"审计日志完整：{verdict}")

    asyncio.run(check())
    if broken:
        console.print(f"[red]审计日志已被改动[/red]：{broken[0]}")
        raise typer.Exit(1)


@search_cli.command("rebuild")
def search_rebuild() -> None:
    """重建聊天记录的搜索索引；可在运行中执行。"""
    settings = _settings()

    async def write() -> int:
        async with _database(settings) as uow:
            return await rebuild(uow)

    console.print(f"已重建索引，共 {asyncio.run(write())} 条消息。")


@asynccontextmanager
async def _knowledge() -> AsyncIterator[Tools]:
    settings = _settings()
    models = settings.data_dir / "models"
    async with _database(settings) as uow:
        yield Tools(uow, make_encoder(settings.embedder, post_json, models), models)


cli.add_typer(user_cli, name="user")
cli.add_typer(secrets_cli, name="secrets")
cli.add_typer(audit_cli, name="audit")
cli.add_typer(search_cli, name="search")
cli.add_typer(kb_app(_knowledge), name="kb")
cli.add_typer(faq_app(_knowledge), name="faq")


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
