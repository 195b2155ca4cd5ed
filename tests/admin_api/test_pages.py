"""Pages, their caching and the headers that keep browsers safe."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from admin_api.app import make_app
from tests.admin_api.conftest import Api


async def _get(api: Api, path: str) -> Any:
    return await api.client.get(path, allow_redirects=False)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "desk"),
        ("/desk/sessions/abc", "desk"),
        ("/index.html", "desk"),
        ("/h5/", "h5"),
        ("/h5/tickets/1", "h5"),
        ("/phone/", "phone"),
        ("/phone/zhang", "phone"),
    ],
)
async def test_pages_route_themselves_and_are_never_cached(
    api: Api, path: str, title: str
) -> None:
    response = await _get(api, path)
    assert f"<title>{title}</title>" in await response.text()
    assert response.headers["Cache-Control"] == "no-cache"
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_assets_are_cached_by_their_hash(api: Api) -> None:
    hashed = await _get(api, "/assets/index-abcdef12.js")
    assert "immutable" in hashed.headers["Cache-Control"]
    assert "javascript" in hashed.headers["Content-Type"]
    widget = await _get(api, "/widget.js")
    assert widget.headers["Cache-Control"] == "no-cache"
    assert (await _get(api, "/assets/missing-12345678.js")).status == 404
    assert (await _get(api, "/phone")).headers["Location"] == "/phone/"


async def test_compressed_files_are_sent_to_those_who_take_them(api: Api) -> None:
    script = api.services.config.static_dir / "assets" / "index-abcdef12.js"
    script.with_name(f"{script.name}.gz").write_bytes(gzip.compress(b"// packed"))
    for accepted, text in (("gzip", "// packed"), ("identity", "// app")):
        headers = {"Accept-Encoding": accepted}
        response = await api.client.get("/assets/index-abcdef12.js", headers=headers)
        assert await response.text() == text
        assert "immutable" in response.headers["Cache-Control"]
        assert "javascript" in response.headers["Content-Type"]


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2fblobs",
        "/assets/%00.js",
        "//etc/passwd",
        "/h5/..%2f..%2fsecret.txt",
    ],
)
async def test_nothing_outside_the_pages_is_served(api: Api, path: str, tmp_path: Any) -> None:
    (tmp_path / "secret.txt").write_text("top secret")
    from yarl import URL

    url = URL(str(api.client.make_url("/"))[:-1] + path, encoded=True)
    async with api.client.session.get(url) as response:
        text = await response.text()
        assert response.status in (200, 400, 404)
        assert "root:" not in text
        assert "top secret" not in text


async def test_machines_paths_never_answer_with_a_page(api: Api) -> None:
    for path in ("/api/v2/x", "/callback/wecom/kf", "/phone/api/x"):
        response = await _get(api, path)
        assert response.status == 404, path
        assert response.content_type == "application/problem+json"


async def test_data_may_not_run_or_be_cached(api: Api) -> None:
    response = await api.raw("GET", "/system")
    assert await response.json() == {"version": "0.1.0", "demo": True, "channels": ["sandbox"]}
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in response.headers
    https = await api.raw("GET", "/system", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in https.headers


async def test_the_phone_is_there_in_the_demo_only(api: Api) -> None:
    from dataclasses import replace

    config = api.services.config.model_copy(update={"is_demo": False})
    app = make_app(replace(api.services, config=config))
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/phone/")).status == 404
        assert (await client.get("/h5/")).status == 200


async def test_health_readiness_and_metrics(api: Api) -> None:
    assert await api.call("GET", "/healthz") == {"status": "ok"}
    assert await api.call("GET", "/readyz") == {"checks": {"database": True}}

    async def late() -> dict[str, bool]:
        return {"index": False}

    object.__setattr__(api.services, "readiness", late)
    checks = {"database": True, "index": False}
    assert await api.call("GET", "/readyz", status=503) == {"checks": checks}
    await api.raw("SURPRISE", "/readyz")
    text = await (await api.raw("GET", "/metrics")).text()
    assert "SURPRISE" not in text
    assert 'wenqu_http_request_seconds_count{method="GET",route="/readyz",status="503"}' in text


async def test_the_description_is_served(api: Api) -> None:
    document = await api.call("GET", "/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert "SessionView" in document["components"]["schemas"]


async def test_a_page_that_did_not_change_keeps_the_policy_it_came_with(api: Api) -> None:
    fresh = await _get(api, "/")
    headers = {"If-None-Match": fresh.headers["ETag"]}
    same = await api.client.get("/", headers=headers)
    assert same.status == 304
    assert "Content-Security-Policy" not in same.headers
