"""The signature, against vectors that openssl made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.api_keys import signature
from core.errors import Unauthenticated

ROOT = Path(__file__).parents[3]
#: printf 'WENQU-HMAC-SHA256\n1772416800\n…' | openssl dgst -sha256 -hmac SECRET
SECRET = "kZ3nq5Jx0V7yT2mC8wB1rF4sH6uL9pD0"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
VECTORS = [
    (
        "GET",
        "/api/v1/customers?limit=2&cursor=a%2Bb",
        b"",
        "2e7461fb55f53ecad20459516dda7b6de337e3e86c61878703eeb20860859aaa",
    ),
    (
        "POST",
        "/api/v1/oa/records",
        '{"items":[{"name":"苏州市疾控中心"}]}'.encode(),
        "9d74dc4888fac74752e090a347ac5069def53f0f98e1ae8f71cb57fe5231e08b",
    ),
]
HEADERS = {
    signature.KEY: "0m8k2wq6c1x4z7b9d3f5",
    signature.MOMENT: "1772416800",
    signature.NONCE: "7f3c9a52e1b84d06",
    signature.DIGEST: EMPTY,
    signature.SIGNATURE: "0" * 64,
}
NOON = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(("method", "path", "body", "wanted"), VECTORS)
def test_the_signature_is_what_openssl_says(
    method: str, path: str, body: bytes, wanted: str
) -> None:
    digest = signature.digest_of(body)
    headers = HEADERS | {signature.DIGEST: digest, signature.SIGNATURE: wanted}
    signed = signature.read(headers, method, path)
    assert signed.fits(SECRET)
    assert not signed.fits(SECRET[::-1])
    assert not signature.read(headers, method, path + "&x=1").fits(SECRET)
    assert not signature.read(headers | {signature.NONCE: "8" * 16}, method, path).fits(SECRET)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (signature.KEY, ""),
        (signature.MOMENT, "2026-03-02"),
        (signature.NONCE, "short"),
        (signature.DIGEST, EMPTY.upper()),
        (signature.SIGNATURE, "密" * 64),
    ],
)
def test_an_odd_header_is_named(header: str, value: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        signature.read(HEADERS | {header: value}, "GET", "/")
    assert (refused.value.code, refused.value.facts) == (
        "signature_incomplete",
        {"header": header},
    )


@pytest.mark.parametrize(
    ("late_s", "is_good"), [(0, True), (300, True), (-300, True), (301, False)]
)
def test_clocks_may_differ_by_five_minutes(late_s: int, is_good: bool) -> None:
    moment = str(int(NOON.timestamp()) - late_s)
    signed = signature.read(HEADERS | {signature.MOMENT: moment}, "GET", "/")
    if is_good:
        signature.check_moment(signed, NOON)
    else:
        with pytest.raises(Unauthenticated, match="clock_skew"):
            signature.check_moment(signed, NOON)


def test_the_example_of_the_manual_signs_so() -> None:
    page = (ROOT / "docs/howto/sign-requests.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own page
    for method, path, body, wanted in VECTORS:
        args = ("key", SECRET, method, path, body, 1772416800, "7f3c9a52e1b84d06")
        assert found["signed_headers"](*args)[signature.SIGNATURE] == wanted
        assert wanted in page
