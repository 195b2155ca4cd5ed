"""API keys over real HTTP: made, used, refused, revoked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from core.api_keys import signature
from core.db import UnitOfWork
from tests.admin_api.conftest import Api
from tests.admin_api.signing import Partner, partner

TREE = {"name": "苏州市疾病预防控制中心", "region_code": "320500"}


async def test_a_key_does_what_it_may_and_nothing_else(admin: Api, servicer: Api) -> None:
    oa = await partner(admin, "customer.manage", "session.serve")
    made = await oa.call("POST", "/institutions", TREE, status=201)
    found = await oa.call("GET", "/institution-search?q=%E8%8B%8F%E5%B7%9E&limit=5")
    assert [item["id"] for item in found["items"]] == [made["id"]]
    problem = await oa.call("GET", "/users", status=403)
    assert problem["facts"]["permission"] == "user.manage"
    assert (await oa.call("GET", "/auth/me", status=403))["code"] == "people_only"
    await oa.call("GET", "/read-marks", status=403)

    body = {"name": "不该有", "permissions": ["oa.sync"]}
    await servicer.refused("POST", "/api-keys", body, status=403, code="forbidden")
    wrong = body | {"permissions": ["api_key.manage"]}
    await admin.refused("POST", "/api-keys", wrong, status=422, code="not_grantable")
    audit = (await admin.call("GET", "/audit?action=institution.created"))["items"]
    assert audit[0]["actor"] == f"key:{oa.key_id}"


async def test_whoever_alters_or_repeats_a_request_is_told_what_does_not_fit(admin: Api) -> None:
    oa = await partner(admin, "customer.manage")
    path, body = "/institutions", '{"name": "常州市疾控中心"}'.encode()
    good = oa.headers("POST", path, body)
    wrong = good | {signature.SIGNATURE: "0" * 64}
    problem = await oa.refused("POST", path, body, wrong, code="signature_wrong")
    assert problem["facts"]["signed"].splitlines()[3:5] == ["POST", "/api/v1/institutions"]
    await oa.refused("POST", f"{path}?x=1", body, good, code="signature_wrong")
    await oa.refused("POST", path, body.replace(b"1", b"2") + b" ", good, code="body_altered")
    fresh = oa.headers("POST", path, body)
    assert (await oa.send("POST", path, body, fresh)).status == 201
    await oa.refused("POST", path, body, fresh, code="nonce_used")
    admin.clock.advance(seconds=301)
    await oa.refused("POST", path, body, fresh, code="clock_skew")
    del fresh[signature.NONCE]
    problem = await oa.refused("POST", path, body, fresh, code="signature_incomplete")
    assert signature.NONCE in problem["title"]


async def test_of_one_request_sent_many_times_at_once_one_is_done(admin: Api) -> None:
    oa = await partner(admin, "customer.manage")
    body = '{"name": "无锡市疾控中心"}'.encode()
    headers = oa.headers("POST", "/institutions", body)
    answers = await asyncio.gather(
        *(oa.send("POST", "/institutions", body, headers) for _ in range(8))
    )
    assert sorted(one.status for one in answers) == [201] + [401] * 7


async def test_a_revoked_or_expired_key_opens_nothing(admin: Api, uow: UnitOfWork) -> None:
    oa = await partner(admin, "session.serve")
    await oa.call("GET", "/regions?parent=320000")
    shown = (await admin.call("GET", "/api-keys"))["items"][0]
    assert shown["last_used_at"]
    assert shown["last_used_ip"] == "127.0.0.1"
    assert oa.secret not in str(shown)
    await admin.call("DELETE", f"/api-keys/{oa.key_id}")
    assert (await oa.call("GET", "/regions", status=401))["code"] == "api_key_refused"
    await admin.refused("DELETE", f"/api-keys/{oa.key_id}", status=409, code="already_done")

    until = (uow.clock.now() + timedelta(hours=1)).isoformat()
    body = {"name": "一小时", "permissions": ["session.serve"], "expires_at": until}
    made = await admin.call("POST", "/api-keys", body, status=201)
    brief = Partner(admin.as_(None), made["key"]["id"], made["secret"])
    await brief.call("GET", "/regions")
    admin.clock.advance(hours=1)
    assert (await brief.call("GET", "/regions", status=401))["code"] == "api_key_refused"
    actions = [one["action"] for one in (await oa_audit(admin))]
    assert actions == ["api_key.created", "api_key.revoked", "api_key.created"]


async def oa_audit(admin: Api) -> list[dict[str, str]]:
    fresh = await admin.as_(None).call(
        "POST", "/auth/login", {"username": "admin", "password": "Correct-horse-7"}
    )
    items = (await admin.as_(fresh["access_token"]).call("GET", "/audit"))["items"]
    return [one for one in reversed(items) if one["action"].startswith("api_key.")]


async def test_a_signed_upload_is_hashed_as_a_whole(admin: Api) -> None:
    oa = await partner(admin, "session.serve")
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello, this is text\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    headers = oa.headers("POST", "/attachments", form) | kind
    answer = await oa.send("POST", "/attachments", form, headers)
    assert answer.status == 201, await answer.text()
    headers = oa.headers("POST", "/attachments", form) | kind
    other = form.replace(b"hello", b"jello")
    await oa.refused("POST", "/attachments", other, headers, code="body_altered")
