"""Who sends verification codes, by configuration."""

from __future__ import annotations

from channels.http import HttpClient
from channels.sms.config import SmsSettings
from channels.sms.tencent import TencentSms
from core.registration.sms import ConsoleSms, NoSms, SmsSender


def make_sms(settings: SmsSettings, http: HttpClient) -> SmsSender:
    match settings.kind:
        case "tencent":
            return TencentSms(http, settings)
        case "console":
            return ConsoleSms()
        case "off":
            return NoSms()
