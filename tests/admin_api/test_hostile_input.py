"""What strangers may send: refused with a clear problem, never a 500."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.admin_api.conftest import Api

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"", 422, "invalid_fields"),
        (b"[]", 422, "invalid_fields"),
        (b"null", 422, "invalid_fields"),
        (b'"x"', 422, "invalid_fields"),
        (b"\xff\xfe{}", 400, "malformed_json"),
        (b'{"username": "a", "password": "\\ud800"}', 400, "malformed_json"),
        (b'{"username": "a\\u0000b", "password": "x"}', 422, "invalid_fields"),
        (b'{"username": "a", "password": NaN}', 422, "invalid_fields"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"a":' * 50_000, 400, "malformed_json"),
        (b'{"username": 1e400, "password": {}}', 422, "invalid_fields"),
    ],
)
async def test_broken_bodies_are_refused(api: Api, body: bytes, status: int, code: str) -> None:
    await api.refused("POST", "/auth/login", status=status, code=code, data=body, headers=JSON)


async def test_a_body_of_ten_megabytes_is_refused_whether_its_length_is_told_or_not(
    api: Api,
) -> None:
    big = json.dumps({"username": "a", "password": "x" * 10_000_000}).encode()
    await api.refused(
        "POST", "/auth/login", status=413, code="too_large", data=io.BytesIO(big), headers=JSON
    )

    async def stream() -> Any:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    response = await api.raw("POST", "/auth/login", data=stream(), headers=JSON)
    assert response.status == 413
    await api.call("GET", "/system")


async def test_nul_and_wild_text_in_paths_and_queries_is_refused(servicer: Api) -> None:
    for path in (
        "/sessions/%00",
        "/customers/a%00b",
        "/customers?q=%00",
        "/sessions?state=weird",
        "/sessions?limit=0",
        "/sessions?limit=100000",
        "/sessions?limit=abc",
        "/articles?q=%00",
    ):
        response = await servicer.raw("GET", path)
        assert response.status in (400, 422), path
        assert response.content_type == "application/problem+json"
    for path in ("/customers/%FF%FE", "/sessions/%ED%A0%80", "/sessions/" + "x" * 4000):
        response = await servicer.raw("GET", path)
        assert response.status in (400, 404), path


@pytest.mark.parametrize(
    "cursor", ["x", "====", "e30", "bnVsbA", "WzFd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OV0", "%F0%9F"]
)
async def test_bad_cursors_are_refused(admin: Api, cursor: str) -> None:
    for path in ("/users", "/sessions", "/customers", "/articles"):
        response = await admin.raw("GET", f"{path}?cursor={cursor}")
        assert response.status == 400, (path, await response.text())
        assert (await response.json(content_type=None))["code"] == "bad_cursor"
    await admin.refused("GET", "/audit?cursor=x", status=400, code="bad_cursor")
    await admin.refused("GET", f"/users?cursor={'a' * 600}", status=422, code="invalid_fields")


async def test_numbers_beyond_the_database_are_refused(servicer: Api) -> None:
    huge = 2**70
    for path, body in (
        ("/customers/x", {"version": huge}),
        ("/replies/x", {"version": -1}),
        ("/articles/x", {"version": huge}),
    ):
        await servicer.refused("PATCH", path, body, status=422, code="invalid_fields")
    await servicer.refused(
        "GET", f"/sessions/x/messages?before_seq={huge}", status=422, code="invalid_fields"
    )


async def test_unknown_routes_and_methods_are_problems_too(api: Api) -> None:
    await api.refused("GET", "/nothing/here", status=404, code="not_found")
    problem = await api.raw("PUT", "/auth/login", json={})
    assert problem.status == 405
    assert "POST" in problem.headers["Allow"]
    assert (await problem.json(content_type=None))["code"] == "method_not_allowed"


async def test_an_unexpected_failure_is_a_problem_with_an_incident_number(
    servicer: Api, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def search(self, text: str, limit: int = 5) -> Any:
            raise RuntimeError("secret detail of the inside")

    object.__setattr__(servicer.services, "knowledge", Broken())
    problem = await servicer.refused(
        "POST", "/articles/search", {"text": "x"}, status=500, code="internal"
    )
    incident = problem["facts"]["incident"]
    assert incident in problem["title"]
    assert "secret detail" not in json.dumps(problem)
    assert any(getattr(record, "incident", "") == incident for record in caplog.records)


async def test_too_many_requests_are_told_when_to_come_back(api: Api) -> None:
    limited = api.services.config.model_copy(update={"requests_per_minute": 3})
    object.__setattr__(api.services, "config", limited)
    for _ in range(3):
        await api.call("GET", "/system")
    response = await api.raw("GET", "/system")
    assert response.status == 429
    assert response.headers["Retry-After"] == "60"


async def test_forwarded_addresses_count_only_behind_a_trusted_proxy(admin: Api) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9"}
    await admin.call("GET", "/users", headers=forged)
    body = {"username": "p1", "name": "p", "password": "Kf-desk-2026", "role": "servicer"}
    await admin.call("POST", "/users", body, status=201, headers=forged)
    trusted = admin.services.config.model_copy(
        update={"trusted_proxies": frozenset({"127.0.0.1"})}
    )
    object.__setattr__(admin.services, "config", trusted)
    chain = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9, 127.0.0.1"}
    await admin.call("POST", "/users", body | {"username": "p2"}, status=201, headers=chain)
    items = (await admin.call("GET", "/audit?action=user.created"))["items"]
    assert [item["ip"] for item in items[:2]] == ["203.0.113.9", "127.0.0.1"]
