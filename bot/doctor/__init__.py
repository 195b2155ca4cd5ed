"""`wenqu doctor`: examines an installation, check by check, and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from bot.doctor import callback, machine, wecom
from bot.doctor.subject import Outcome, Subject, fail, refused, skip
from channels.errors import ChannelError
from core.diagnosis import Diagnosis, Finding, Status

__all__ = ["CHECKS", "Check", "diagnose"]

_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """needs: checks that must not have failed or been skipped before this one makes sense."""

    name: str
    title: str
    about: str
    run: Callable[[Subject], Awaitable[Sequence[Outcome]]]
    needs: tuple[str, ...] = ()


CHECKS: Final = (
    Check("secret_key", "系统密钥", "签发登录令牌、加密敏感字段", machine.secret_key),
    Check("data_dir", "数据目录", "可写，磁盘有余量", machine.data_dir),
    Check("database", "数据库", "连得上，表结构为最新", machine.database),
    Check("users", "用户", "有人可以登录", machine.people, ("database",)),
    Check("backlog", "收发积压", "消息有人处理，没有发不出去的", machine.backlog, ("database",)),
    Check("redis", "Redis", "多进程时必需", machine.redis),
    Check("embedder", "语义模型", "能把一句话变成向量", machine.embedder),
    Check("pictures", "识图", "能读出客户截图里的文字", machine.pictures),
    Check("sms", "短信", "客户登记时的验证码发得出去", machine.sms),
    Check("console", "控制台", "网页已构建", machine.console),
    Check("public_url", "访问地址", "企业微信与浏览器能访问到", wecom.public_url),
    Check("wecom.configured", "企业微信配置", "企业 ID、Secret 齐全且格式正确", wecom.configured),
    Check(
        "wecom.callback_keys",
        "回调密钥",
        "Token 不超过 32 位，EncodingAESKey 为 43 位",
        wecom.callback_keys,
        ("wecom.configured",),
    ),
    Check(
        "wecom.clock",
        "时钟",
        "与企业微信的时间相差不大",
        wecom.clock,
        ("wecom.configured",),
    ),
    Check(
        "wecom.token",
        "接口凭证",
        "每个应用的 Secret 都能换到 access_token",
        wecom.tokens,
        ("wecom.configured",),
    ),
    Check(
        "wecom.accounts",
        "客服账号",
        "能读取账号，且已授权本应用管理",
        wecom.accounts,
        ("wecom.token",),
    ),
    Check(
        "wecom.servicers",
        "接待人员",
        "每个账号有人接待，在可见范围内，并与系统用户对应",
        wecom.servicers,
        ("wecom.accounts", "database"),
    ),
    Check("wecom.link", "客服链接", "能生成客户入口", wecom.link, ("wecom.accounts",)),
    Check("wecom.limits", "数量上限", "账号未接近平台上限", wecom.limits, ("wecom.accounts",)),
    Check(
        "wecom.callback",
        "回调自检",
        "按企业微信的方式加密访问自己的回调地址",
        callback.self_test,
        ("wecom.callback_keys",),
    ),
)  # fmt: skip


async def diagnose(
    subject: Subject, *, watch: Callable[[Finding], None] | None = None
) -> Diagnosis:
    """Run all checks in order. `watch` sees every finding as it is made."""
    subject = replace(subject, accounts=[])
    findings: list[Finding] = []
    unfit: dict[str, str] = {}
    for check in CHECKS:
        blocking = [unfit[name] for name in check.needs if name in unfit]
        outcomes = (
            [skip(f"先处理“{'”“'.join(blocking)}”。")] if blocking else await _run(check, subject)
        )
        if any(one.status in {Status.FAIL, Status.SKIP} for one in outcomes):
            unfit[check.name] = check.title
        for one in outcomes:
            finding = _finding(check, one)
            findings.append(finding)
            if watch is not None:
                watch(finding)
    return Diagnosis.of(tuple(findings), datetime.now(UTC))


async def _run(check: Check, subject: Subject) -> Sequence[Outcome]:
    try:
        async with asyncio.timeout(_WITHIN_S):
            return await check.run(subject)
    except ChannelError as error:
        return [refused(error)]
    except TimeoutError:
        return [fail(f"{_WITHIN_S:.0f} 秒内没有完成。", "检查网络与服务器负载后重试。")]
    except (SQLAlchemyError, OSError) as error:
        return [fail(f"检查没有完成（{type(error).__name__}）。", "先处理前面失败的项目。")]


def _finding(check: Check, outcome: Outcome) -> Finding:
    return Finding(
        check=check.name,
        title=check.title,
        about=check.about,
        status=outcome.status,
        detail=outcome.detail,
        advice=outcome.advice,
        code=outcome.code,
    )
