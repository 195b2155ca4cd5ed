"""Tencent Cloud SMS against answers in the vendor's shapes (api/382/55981, api/382/59177)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from channels.errors import BadCredentials, ChannelError, Rejected, RetryLater
from channels.http import HttpClient
from channels.sms.config import SmsSettings
from channels.sms.tencent import TencentSms, signed

NOON = 1_551_113_065  # 2019-02-25 16:44:25 UTC, of the vendor's worked example


def status(code: str, message: str) -> dict[str, Any]:
    sent = {
        "SerialNo": "5000:1045710669157053657849499619",
        "PhoneNumber": "+8618511122233",
        "Fee": int(code == "Ok"),
        "SessionContext": "",
        "Code": code,
        "Message": message,
        "IsoCode": "CN",
    }
    return {"Response": {"SendStatusSet": [sent], "RequestId": "a0aabda6-cf91-4f3e"}}


def refusal(code: str, message: str = "no") -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "ed93f3cb"}}


@dataclass
class Vendor:
    answer: dict[str, Any] = field(default_factory=lambda: status("Ok", "send success"))
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.headers, self.body = dict(request.headers), await request.read()
        return web.json_response(self.answer)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    fake = Vendor()
    app = web.Application()
    app.router.add_post("/", fake.handle)
    server = TestServer(app)
    await server.start_server()
    fake.url = str(server.make_url("/")).rstrip("/")
    yield fake
    await server.close()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(timeout_s=5)
    yield client
    await client.close()


def settings(vendor: Vendor, **more: Any) -> SmsSettings:
    values: dict[str, Any] = {
        "kind": "tencent",
        "secret_id": "AKIDexample",
        "secret_key": "example-key",
        "app_id": "1400006666",
        "sign_name": "云岭软件",
        "template_id": "1110",
        "api_base": vendor.url,
    }
    return SmsSettings.model_validate(values | more)


def test_the_signature_is_that_of_the_vendors_worked_example() -> None:
    """Source: cloud.tencent.com/document/api/213/30654; its key is literally 32 asterisks."""
    escaped = "\\u672a\\u547d\\u540d"
    payload = f'{{"Limit": 1, "Filters": [{{"Values": ["{escaped}"], "Name": "instance-name"}}]}}'
    scope, signature = signed(
        "*" * 32, "cvm", "cvm.tencentcloudapi.com", "DescribeInstances", NOON, payload.encode()
    )
    assert scope == "2019-02-25/cvm/tc3_request"
    assert signature == "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"


@pytest.mark.parametrize(("has_minutes", "parts"), [(True, ["123456", "5"]), (False, ["123456"])])
async def test_a_code_leaves_signed_over_the_bytes_that_arrive(
    vendor: Vendor, http: HttpClient, has_minutes: bool, parts: list[str]
) -> None:
    chosen = settings(vendor, template_has_minutes=has_minutes)
    await TencentSms(http, chosen, now=lambda: NOON).send_code("18501234444", "123456", 5)
    assert json.loads(vendor.body) == {
        "PhoneNumberSet": ["+8618501234444"],
        "SmsSdkAppId": "1400006666",
        "SignName": "云岭软件",
        "TemplateId": "1110",
        "TemplateParamSet": parts,
    }
    host = vendor.headers["Host"]
    _, signature = signed("example-key", "sms", host, "SendSms", NOON, vendor.body)
    assert vendor.headers["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=AKIDexample/2019-02-25/sms/tc3_request, "
        f"SignedHeaders=content-type;host;x-tc-action, Signature={signature}"
    )
    asked = {name: vendor.headers[name] for name in ("X-TC-Action", "X-TC-Version", "X-TC-Region")}
    assert asked == {
        "X-TC-Action": "SendSms", "X-TC-Version": "2021-01-11", "X-TC-Region": "ap-guangzhou",
    }  # fmt: skip
    assert vendor.headers["X-TC-Timestamp"] == str(NOON)
    assert vendor.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "example-key" not in str(vendor.headers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("AuthFailure.SignatureFailure"), BadCredentials),
        (refusal("UnauthorizedOperation.RequestIpNotInWhitelist"), BadCredentials),
        (status("FailedOperation.TemplateIncorrectOrUnapproved", "template"), BadCredentials),
        (status("FailedOperation.InsufficientBalanceInSmsPackage", "balance"), BadCredentials),
        (status("LimitExceeded.PhoneNumberThirtySecondLimit", "limit"), RetryLater),
        (status("InvalidParameterValue.IncorrectPhoneNumber", "number"), Rejected),
        (status("FailedOperation.PhoneNumberInBlacklist", "blacklist"), Rejected),
        ({"Response": {"SendStatusSet": [], "RequestId": "x"}}, Rejected),
        ({"unknown": 1}, RetryLater),
    ],
)
async def test_a_refusal_keeps_the_vendors_code(
    vendor: Vendor, http: HttpClient, answer: dict[str, Any], kind: type[ChannelError]
) -> None:
    sms = TencentSms(http, settings(vendor))
    await sms.send_code("18501234444", "123456", 5)
    vendor.answer = answer
    with pytest.raises(kind) as caught:
        await sms.send_code("18501234444", "123456", 5)
    assert "123456" not in str(caught.value)


async def test_a_probe_sends_to_nobody_and_tells_whether_the_key_is_good(
    vendor: Vendor, http: HttpClient
) -> None:
    sms = TencentSms(http, settings(vendor))
    vendor.answer = refusal("InvalidParameterValue.ContentLengthLimit")
    await sms.probe()
    assert json.loads(vendor.body)["PhoneNumberSet"] == []
    vendor.answer = refusal("AuthFailure.SecretIdNotFound")
    with pytest.raises(BadCredentials):
        await sms.probe()


def test_half_a_configuration_is_refused_by_name(vendor: Vendor) -> None:
    with pytest.raises(ValidationError, match="sign_name"):
        settings(vendor, sign_name="")
