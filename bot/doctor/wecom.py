"""Checks of what WeCom was told, and of what it lets us do."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.subject import PLATFORM_WITHIN_S, Outcome, Subject, fail, ok, refused, skip, warn
from channels.base import AccountInfo, ServicerInfo
from channels.errors import ChannelError
from channels.wecom.config import CallbackSettings
from channels.wecom.crypto import AES_KEY_SHAPE
from channels.wecom.errcodes import explain
from channels.wecom_kf.accounts import Accounts
from core.diagnosis import Status
from core.servicers.queries import list_servicers

_CORP_ID: Final = re.compile(r"w[wxl][0-9a-zA-Z]{14,20}")
_TOKEN: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_RECEIVE_PAGE: Final = "管理后台 → 应用管理 → 自建应用 → 接收消息 → 设置API接收"
_SKEW_WARN_S, _SKEW_FAIL_S = 30.0, 300.0
_OUT_OF_SIGHT: Final = frozenset({"50002", "60011", "60021", "60030", "60111"})
_PEOPLE_LOOKED_UP: Final = 50
#: Source: developer.work.weixin.qq.com/document/path/94661 and 94645.
_MAX_ACCOUNTS, _UNVERIFIED_ACCOUNTS, _MAX_SERVICERS = 5000, 10, 2000


async def public_url(subject: Subject) -> list[Outcome]:
    url = urlsplit(subject.settings.public_url)
    if is_loopback(url.hostname or ""):
        advice = "设置 WENQU_HTTP__PUBLIC_URL 为公网 HTTPS 地址；只在本机试用时可以忽略。"
        return [warn(f"{subject.settings.public_url} 只有本机能访问，企业微信回调不到。", advice)]
    if url.scheme != "https":
        return [warn(f"{subject.settings.public_url} 不是 HTTPS。", "在反向代理上配置证书。")]
    return [ok(subject.settings.public_url)]


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return host in {"", "localhost"}


async def configured(subject: Subject) -> list[Outcome]:
    wecom = subject.settings.wecom
    secrets = subject.applications
    if not wecom.corp_id and not secrets:
        return [skip("没有配置企业微信；要接入请看文档《接入企业微信》。")]
    if not _CORP_ID.fullmatch(wecom.corp_id):
        advice = "在 管理后台 → 我的企业 → 企业信息 底部复制企业 ID，填入 WENQU_WECOM__CORP_ID。"
        return [fail("企业 ID 为空或格式不对（应以 ww 开头、18 位）。", advice)]
    if not secrets:
        advice = "在 管理后台 → 应用管理 → 自建应用 查看 Secret，填入 WENQU_WECOM__APP__SECRET。"
        return [fail("没有任何应用的 Secret。", advice)]
    if any(secret != secret.strip() or " " in secret for _, secret in secrets):
        return [fail("Secret 里有空格或换行。", "重新复制 Secret，前后不要带空白。")]
    found = [ok(f"企业 {wecom.corp_id}，应用：{'；'.join(name for name, _ in secrets)}。")]
    if wecom.app.secret.get_secret_value() and not wecom.app.agent_id:
        advice = (
            "在 管理后台 → 应用管理 → 自建应用 复制 AgentId，填入 WENQU_WECOM__APP__AGENT_ID。"
        )
        found.append(warn("没有 AgentId：不能给员工发应用消息。", advice))
    return found


async def callback_keys(subject: Subject) -> list[Outcome]:
    wecom = subject.settings.wecom
    rows: tuple[tuple[str, CallbackSettings], ...] = (
        ("微信客服", wecom.kf_effective),
        ("自建应用", wecom.app),
        ("客户联系", wecom.contact),
        ("智能机器人", wecom.bot),
    )
    found = [one for name, settings in rows for one in _keys(name, settings)]
    if not wecom.kf_effective.has_callback and not any(one.status is Status.FAIL for one in found):
        detail = f"没有回调密钥：消息靠每 {wecom.poll_interval_s:.0f} 秒一次的轮询收取。"
        found.append(fail(detail, f"在 {_RECEIVE_PAGE} 生成 Token 与 EncodingAESKey 并填入配置。"))
    return found or [ok("格式正确。")]


def _keys(name: str, settings: CallbackSettings) -> list[Outcome]:
    token, key = settings.token.get_secret_value(), settings.aes_key.get_secret_value()
    found = []
    if token and not _TOKEN.fullmatch(token):
        advice = f"在 {_RECEIVE_PAGE} 重新生成 Token。"
        found.append(fail(f"{name}的 Token 应为不超过 32 位的字母与数字。", advice))
    if key and not AES_KEY_SHAPE.fullmatch(key):
        advice = f"在 {_RECEIVE_PAGE} 重新生成 EncodingAESKey，完整复制。"
        found.append(fail(f"{name}的 EncodingAESKey 应为 43 位，现为 {len(key)} 位。", advice))
    if bool(token) != bool(key):
        found.append(fail(f"{name}的 Token 与 EncodingAESKey 只填了一个。", "两项都要填。"))
    return found


async def clock(subject: Subject) -> list[Outcome]:
    base = subject.settings.wecom.api_base
    timeout = aiohttp.ClientTimeout(total=PLATFORM_WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(base, allow_redirects=False) as answer,
        ):
            theirs = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        advice = "检查服务器能否访问企业微信接口（DNS、防火墙、代理）。"
        return [fail(f"{base} 没有回答（{type(error).__name__}）。", advice)]
    except (TypeError, ValueError):
        return [skip("对方没有给出时间。")]
    skew_s = abs(time.time() - theirs)
    shown = f"与企业微信相差 {skew_s:.0f} 秒。"
    advice = "开启时间同步（timedatectl set-ntp true 或 chrony）。"
    if skew_s >= _SKEW_FAIL_S:
        return [fail(shown, advice)]
    return [warn(shown, advice) if skew_s >= _SKEW_WARN_S else ok(shown)]


async def tokens(subject: Subject) -> list[Outcome]:
    found = []
    for name, secret in subject.applications:
        access = subject.tokens(secret)
        try:
            await access.renew(await access.get())
        except ChannelError as error:
            found.append(refused(error, name))
        else:
            found.append(ok(f"{name}：已取得。"))
    return found


async def accounts(subject: Subject) -> list[Outcome]:
    found = list(await Accounts(subject.kf).read())
    subject.accounts.extend(one for one in found if one.is_manageable)
    if not found:
        return [fail("还没有客服账号。", "在 管理后台 → 应用管理 → 微信客服 新建客服账号。")]
    others = [one.name or one.account for one in found if not one.is_manageable]
    outcomes = []
    if others:
        row = explain(48007)
        make = warn if subject.accounts else fail
        one = make(f"{'、'.join(others)}：{row.meaning}（否则会报 48007）。", row.advice)
        outcomes.append(Outcome(one.status, one.detail, one.advice, "48007"))
    if subject.accounts:
        names = "、".join(one.name or one.account for one in subject.accounts)
        outcomes.append(ok(f"由本应用管理：{names}。"))
    return outcomes


async def servicers(subject: Subject) -> list[Outcome]:
    async with subject.uow.read() as tx:
        known = {(one.wecom_userid or "").lower() for one in await list_servicers(tx)} - {""}
    manage = Accounts(subject.kf)
    everyone: dict[str, ServicerInfo] = {}
    outcomes = []
    for account in subject.accounts:
        people = await manage.servicers(account.account)
        everyone |= {one.servicer_ref: one for one in people}
        outcomes.append(_served(account, people, known))
    outcomes += _without_account(known, everyone)
    outcomes += await _visible(subject, sorted(everyone))
    return outcomes


def _served(account: AccountInfo, people: Sequence[ServicerInfo], known: set[str]) -> Outcome:
    name = account.name or account.account
    if not people:
        advice = "在 管理后台 → 微信客服 → 客服账号 → 接待人员 中添加。"
        return fail(f"{name}：没有接待人员，客户转人工时无人可接。", advice)
    if len(people) >= _MAX_SERVICERS * 0.9:
        return warn(f"{name}：{len(people)} 名，上限 {_MAX_SERVICERS} 人。", "分到多个客服账号。")
    strangers = [one.servicer_ref for one in people if one.servicer_ref.lower() not in known]
    shown = f"{name}：{len(people)} 名接待人员"
    if strangers:
        advice = "执行 wenqu user create 登录名 --role servicer --wecom-userid 成员帐号。"
        return warn(f"{shown}，其中 {'、'.join(strangers)} 还不是系统用户。", advice)
    return ok(f"{shown}，都与系统用户对应。")


def _without_account(known: set[str], everyone: dict[str, ServicerInfo]) -> list[Outcome]:
    idle = sorted(known - {one.lower() for one in everyone})
    if not idle:
        return []
    advice = "需要接待客户时，在 管理后台 → 微信客服 → 客服账号 → 接待人员 中添加。"
    return [warn(f"{'、'.join(idle)} 是系统用户，但不是任何账号的接待人员。", advice)]


async def _visible(subject: Subject, people: Sequence[str]) -> list[Outcome]:
    """Whoever the application cannot see cannot be assigned: 60030."""
    client, unseen = subject.kf, []
    for userid in people[:_PEOPLE_LOOKED_UP]:
        try:
            await client.get("user/get", {"userid": userid})
        except ChannelError as error:
            if error.vendor_code in _OUT_OF_SIGHT:
                unseen.append(userid)
            else:
                return [refused(error, "读取成员")]
    if not unseen:
        return []
    row = explain(60030)
    detail = f"{'、'.join(unseen)}：{row.meaning}。"
    return [Outcome(Status.FAIL, detail, row.advice, "60030")]


async def link(subject: Subject) -> list[Outcome]:
    account = subject.accounts[0]
    url = await Accounts(subject.kf).link(account.account)
    return [ok(f"{account.name or account.account}：{url}")]


async def limits(subject: Subject) -> list[Outcome]:
    count = len(subject.accounts)
    if count >= _MAX_ACCOUNTS * 0.9:
        return [warn(f"客服账号 {count} 个，上限 {_MAX_ACCOUNTS}。", "清理不用的账号。")]
    if count >= _UNVERIFIED_ACCOUNTS:
        advice = "已完成企业验证则无妨；否则在 管理后台 → 我的企业 → 企业信息 完成主体验证。"
        return [warn(f"客服账号 {count} 个，未验证企业上限为 {_UNVERIFIED_ACCOUNTS}。", advice)]
    return [ok(f"客服账号 {count} 个。")]
