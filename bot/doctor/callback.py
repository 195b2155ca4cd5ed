"""Calls our own callback URL as WeCom does when an administrator saves it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.subject import Outcome, Subject, fail, ok, warn
from bot.doctor.wecom import is_loopback
from channels.wecom.callback import callback_crypto
from channels.wecom.config import CallbackSettings

_WITHIN_S: Final = 6.0
_SLOW_S: Final = 1.0
_MISMATCH: Final = "运行中的问渠用的 Token 或 EncodingAESKey 与当前配置不同：改完配置后重启。"
_BY_STATUS: Final = {
    400: ("请求被拒绝，解密失败", _MISMATCH),
    403: ("签名不符", _MISMATCH),
    404: (
        "这个地址上没有回调",
        "确认运行中的问渠已配置企业微信并重启；反向代理要转发 /callback/。",
    ),
}


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    elapsed_s: float


async def self_test(subject: Subject) -> list[Outcome]:
    wecom = subject.settings.wecom
    rows = (("kf", wecom.kf_effective), ("app", wecom.app))
    return [
        await _test(subject, path, settings) for path, settings in rows if settings.has_callback
    ]


async def _test(subject: Subject, path: str, settings: CallbackSettings) -> Outcome:
    url = f"{subject.settings.public_url}/callback/wecom/{path}"
    is_local = is_loopback(urlsplit(url).hostname or "")
    echo = secrets.token_hex(10)
    query = _signed(subject, settings, echo)
    try:
        answer = await _call(url, query)
    except aiohttp.ClientConnectorCertificateError:
        return fail(f"{url} 的证书无效。", "更换有效的 HTTPS 证书，并带上完整的证书链。")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return _unreachable(url, type(error).__name__, is_local=is_local)
    return _judged(url, answer, echo.encode())


def _signed(subject: Subject, settings: CallbackSettings, echo: str) -> dict[str, str]:
    crypto = callback_crypto(settings, subject.settings.wecom.corp_id)
    envelope = crypto.encrypt(echo, timestamp=int(time.time()), nonce=secrets.token_hex(8))
    return {
        "msg_signature": envelope.signature,
        "timestamp": envelope.timestamp,
        "nonce": envelope.nonce,
        "echostr": envelope.encrypt,
    }


async def _call(url: str, query: dict[str, str]) -> _Answer:
    started = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=_WITHIN_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.get(url, params=query, allow_redirects=False) as answer,
    ):
        body = await answer.content.read(4096)
        return _Answer(answer.status, body, time.perf_counter() - started)


def _unreachable(url: str, reason: str, *, is_local: bool) -> Outcome:
    if is_local:
        advice = "启动问渠（wenqu run）后再检查一次。"
        return warn(f"{url} 没有回答（{reason}）：问渠似乎没有运行。", advice)
    advice = "检查 DNS、防火墙、反向代理，并确认问渠正在运行；必须能从公网访问。"
    return fail(f"{url} 访问不到（{reason}）。", advice)


def _judged(url: str, answer: _Answer, echo: bytes) -> Outcome:
    if answer.status == 200 and answer.body == echo:
        shown = f"{url}：{answer.elapsed_s * 1000:.0f} 毫秒。"
        if answer.elapsed_s > _SLOW_S:
            return warn(shown, "回答偏慢；企业微信 5 秒收不到回答就会重试。")
        return ok(shown)
    if 300 <= answer.status < 400:
        advice = "企业微信不跟随跳转：把 WENQU_HTTP__PUBLIC_URL 写成跳转后的地址。"
        return fail(f"{url} 跳转到了别处（{answer.status}）。", advice)
    if answer.status == 200:
        detail = f"{url} 有回答，但不是问渠的。"
        return fail(detail, "核对域名与反向代理：/callback/ 要原样转发，不能缓存或改写。")
    meaning, advice = _BY_STATUS.get(answer.status, ("回答异常", "查看反向代理与问渠的日志。"))
    return fail(f"{url}：{meaning}（{answer.status}）。", advice)
