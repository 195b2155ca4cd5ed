"""Checks of what is ours: keys, database, Redis, disk, model, console."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from admin_api.config import STATIC
from bot.doctor.subject import Outcome, Subject, fail, ok, skip, warn
from bot.pictures.reader import is_installed
from bot.secrets import KEPT_SECRET
from channels.errors import ChannelError
from channels.sms.tencent import TencentSms
from core.diagnosis import Status
from core.migrate import head, revision_of
from core.sealing import MIN_SECRET_CHARS
from core.statistics.backlog import read_backlog
from core.users.queries import count_users
from knowledge.encoders import EncoderError

_MAKE_KEY: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_GOOD_KEY_CHARS: Final = 32
_GOOD_KEY_VARIETY: Final = 10
_SAMPLES: Final = ("change", "example", "secret", "password", "test", "demo", "123456")
_MIN_POSTGRESQL: Final = 150_000
_GB: Final = 1024**3
_LITTLE_DISK, _NO_DISK = 2 * _GB, _GB // 4
_STUCK_S: Final = 300.0
_SLOW_MODEL_S: Final = 20.0


async def secret_key(subject: Subject) -> list[Outcome]:
    configured = subject.settings.secret_key.get_secret_value()
    if not configured:
        return [_kept_key(subject)]
    keys = [one.strip() for one in configured.split(",") if one.strip()]
    if not keys or any(len(one) < MIN_SECRET_CHARS for one in keys):
        detail = f"WENQU_SECRET_KEY 少于 {MIN_SECRET_CHARS} 个字符，容易被猜出。"
        return [fail(detail, f"重新生成：{_MAKE_KEY}")]
    if any(word in keys[0].lower() for word in _SAMPLES) or len(set(keys[0])) < _GOOD_KEY_VARIETY:
        return [fail("WENQU_SECRET_KEY 是容易猜到的示例值。", f"重新生成：{_MAKE_KEY}")]
    if len(keys[0]) < _GOOD_KEY_CHARS:
        return [warn(f"WENQU_SECRET_KEY 只有 {len(keys[0])} 个字符。", f"重新生成：{_MAKE_KEY}")]
    more = f"，另有 {len(keys) - 1} 个旧密钥可解密" if len(keys) > 1 else ""
    return [ok(f"已设置，长度足够{more}。")]


def _kept_key(subject: Subject) -> Outcome:
    path = subject.settings.data_dir / KEPT_SECRET
    if subject.settings.redis_url:
        advice = f"给所有进程设置同一个 WENQU_SECRET_KEY：{_MAKE_KEY}"
        return fail("多进程部署，却没有设置 WENQU_SECRET_KEY：各机器的密钥会不同。", advice)
    if not path.exists():
        return ok("没有设置；首次启动时会生成并保存在数据目录。")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        return warn(f"{path} 可被其他系统用户读取。", f"执行 chmod 600 {path}")
    return ok(f"使用数据目录里的 {KEPT_SECRET}；备份时请另行保存。")


async def database(subject: Subject) -> list[Outcome]:
    url = make_url(subject.settings.database)
    if _is_missing_file(url):
        return [skip(f"{url.database} 还不存在：执行 wenqu migrate；首次启动也会自动建立。")]
    try:
        async with subject.uow.read() as tx:
            known, needed = await revision_of(tx), head()
            if subject.uow.dialect == "postgresql":
                version = int(str(await tx.db.scalar(text("SHOW server_version_num"))))
                if version < _MIN_POSTGRESQL:
                    return [fail(f"PostgreSQL {version // 10000} 过旧。", "升级到 15 以上。")]
    except (SQLAlchemyError, OSError) as error:
        shown = url.render_as_string(hide_password=True)
        advice = "核对 WENQU_DATABASE_URL 的主机、库名、帐号与密码，并确认数据库已启动。"
        return [fail(f"连接不上 {shown}（{type(error).__name__}）。", advice)]
    if known != needed:
        detail = f"表结构是 {known or '空'}，程序需要 {needed}。"
        return [fail(detail, "先备份，再执行 wenqu migrate；版本比程序新时请升级程序。")]
    return [ok(f"{subject.uow.dialect} 可用，表结构为最新（{needed}）。")]


def _is_missing_file(url: URL) -> bool:
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return is_file and not Path(str(url.database)).exists()


async def people(subject: Subject) -> list[Outcome]:
    has_password = bool(subject.settings.admin_password.get_secret_value())
    async with subject.uow.read() as tx:
        users = await count_users(tx)
    if users and has_password:
        advice = "首次登录改密之后，从环境变量或配置文件里删掉它。"
        return [warn("已经有用户，WENQU_ADMIN_PASSWORD 仍留在配置里。", advice)]
    if not users and not has_password:
        advice = "执行 wenqu user create 名字 --role admin，或设置 WENQU_ADMIN_PASSWORD 后启动。"
        return [warn("还没有任何用户，无人能够登录。", advice)]
    return [ok(f"{users} 个用户。" if users else "首次启动时会创建 admin。")]


async def backlog(subject: Subject) -> list[Outcome]:
    async with subject.uow.read() as tx:
        found = await read_backlog(tx)
    shown = f"等待处理 {found.received}，等待发送 {found.pending}，等客户再次发言 {found.held}。"
    outcomes = []
    if found.oldest_s > _STUCK_S:
        minutes = found.oldest_s / 60
        advice = "确认 worker 进程（或 wenqu run）正在运行，再看日志里的 ERROR。"
        outcomes.append(fail(f"{shown}最早的一条已等了 {minutes:.0f} 分钟。", advice))
    if found.failed:
        advice = "在控制台的会话里查看未送达的消息；错误码见文档《企业微信错误码》。"
        outcomes.append(warn(f"有 {found.failed} 条消息没能送达客户。", advice))
    return outcomes or [ok(shown)]


async def redis(subject: Subject) -> list[Outcome]:
    url = subject.settings.redis_url
    if not url:
        if subject.uow.dialect == "postgresql":
            return [warn("没有设置；只能运行一个进程。", "多进程部署请设置 WENQU_REDIS_URL。")]
        return [skip("没有设置：一个进程时不需要。")]
    try:
        client = Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
        async with client:
            await client.ping()
    except (RedisError, OSError, ValueError) as error:
        advice = "核对 WENQU_REDIS_URL，确认 Redis / Valkey 已启动；断开期间不丢数据，但会变慢。"
        return [fail(f"连接不上（{type(error).__name__}）。", advice)]
    return [ok("可用。")]


async def data_dir(subject: Subject) -> list[Outcome]:
    folder = subject.settings.data_dir.absolute()
    return [await asyncio.to_thread(_look_at, folder)]


def _look_at(folder: Path) -> Outcome:
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        advice = "把 WENQU_DATA_DIR 指向服务帐号可写的目录，或修改其属主。"
        return fail(f"{existing} 不可写（{error.strerror}）。", advice)
    free = shutil.disk_usage(existing).free
    shown = f"{folder} 可写，剩余 {free / _GB:.1f} GB。"
    if free < _NO_DISK:
        return fail(shown, "磁盘将满：清理或扩容，否则附件与数据库都写不进去。")
    if free < _LITTLE_DISK:
        return warn(shown, "空间不多：清理、扩容，或在系统参数里缩短保存期限。")
    return ok(shown)


async def embedder(subject: Subject) -> list[Outcome]:
    kind = subject.settings.embedder.kind
    started = time.perf_counter()
    try:
        await subject.encode("怎么重置密码")
    except (EncoderError, TimeoutError) as error:
        advice = {
            "bundled": "重新安装：pip install --force-reinstall wenqu。",
            "sentence-transformers": "确认已安装 wenqu[sentence-transformers]，且"
            " WENQU_EMBEDDER__MODEL 是模型目录或可下载的名字。",
            "openai": "核对 WENQU_EMBEDDER__URL、MODEL 与 API_KEY，并确认服务器能访问它。",
        }[kind]
        return [fail(f"模型不可用（{str(error) or type(error).__name__}）。", advice)]
    elapsed_s = time.perf_counter() - started
    if elapsed_s > _SLOW_MODEL_S:
        return [warn(f"{kind} 用了 {elapsed_s:.0f} 秒。", "机器过慢或模型过大。")]
    return [ok(f"{kind} 可用，{elapsed_s:.1f} 秒。")]


async def pictures(subject: Subject) -> list[Outcome]:
    del subject
    if is_installed():
        return [ok("已安装，客户的截图会先读出文字再查知识库。")]
    return [skip("没有安装：收到截图时只请客户用文字描述。启用：pip install 'wenqu[ocr]'。")]


#: What an error code of Tencent Cloud begins with → what to do; "" is any other, or no answer.
#: Source: cloud.tencent.com/document/api/382/55981 (error codes).
_SMS_ADVICE: Final = (
    ("AuthFailure.SecretIdNotFound", "SecretId 不存在或已停用：核对 WENQU_SMS__SECRET_ID。"),
    ("AuthFailure.SignatureExpire", "服务器时间相差超过 5 分钟：请校准时钟。"),
    ("AuthFailure", "密钥不对：到“访问管理 → API 密钥”核对 WENQU_SMS__SECRET_ID 与 SECRET_KEY。"),
    ("UnauthorizedOperation", "这个子用户没有短信权限：请授予 QcloudSMSFullAccess。"),
    (
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "签名没有审核通过，或与 WENQU_SMS__SIGN_NAME 不一致（只填签名内容，不带【】）。",
    ),
    (
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "正文模板没有审核通过，或不属于这个应用：核对 WENQU_SMS__TEMPLATE_ID 与 APP_ID。",
    ),
    ("FailedOperation.InsufficientBalance", "短信套餐已用完：请在腾讯云短信控制台购买。"),
    ("LimitExceeded", "超过腾讯云的发送频率限制：稍后再试，或在短信控制台调整。"),
    ("RequestLimitExceeded", "请求太频繁：稍后再试。"),
    ("", "确认这台服务器能访问 sms.tencentcloudapi.com，再试一次。"),
)


async def sms(subject: Subject) -> list[Outcome]:
    settings = subject.settings.sms
    if settings.kind == "off":
        return [skip("没有设置：客户登记时收不到验证码，由同事登记。需要时设置 WENQU_SMS__KIND。")]
    if settings.kind == "console":
        advice = "正式使用请设置 WENQU_SMS__KIND=tencent 及腾讯云的密钥、签名与模板。"
        return [warn("验证码只写进日志，不会发给客户。", advice)]
    try:
        await TencentSms(subject.http, settings).probe()
    except ChannelError as error:
        code = error.vendor_code
        advice = next((text for start, text in _SMS_ADVICE if code.startswith(start)), "")
        return [Outcome(Status.FAIL, f"腾讯云没有接受（{error.reason}）。", advice, code)]
    return [ok(f"腾讯云接受了密钥；签名“{settings.sign_name}”，模板 {settings.template_id}。")]


async def console(subject: Subject) -> list[Outcome]:
    del subject
    if (STATIC / "index.html").is_file():
        return [ok("已构建。")]
    return [fail("控制台网页还没有构建。", "源码安装请执行 make console；安装包自带，无需构建。")]
