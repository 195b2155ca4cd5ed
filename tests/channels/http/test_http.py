import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.errors import Rejected, RetryLater
from channels.http import HttpClient, ResponseTooLarge, Upload, redacted
from core.ports import WriteBlockError, in_write_block


class Vendor:
    """Answers what the test has put into `reply`; keeps the last body."""

    def __init__(self) -> None:
        self.reply = web.Response(text="{}")
        self.body = b""
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.body = await request.read()
        return self.reply


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    fake = Vendor()
    app = web.Application()
    app.router.add_route("*", "/api", fake.handle)
    server = TestServer(app)
    await server.start_server()
    fake.url = str(server.make_url("/api"))
    yield fake
    await server.close()


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(timeout_s=60, max_json_bytes=1000)
    yield client
    await client.close()


async def test_json_goes_out_as_raw_utf8(http: HttpClient, vendor: Vendor) -> None:
    await http.post_json(vendor.url, {"content": "你好"})
    assert vendor.body == '{"content":"你好"}'.encode()


async def test_an_answer_that_is_no_json_object_is_a_reason_to_retry(
    http: HttpClient, vendor: Vendor
) -> None:
    for text in ("<html>", "[1]", '{"cut', "[" * 900):
        vendor.reply = web.Response(text=text)
        with pytest.raises(RetryLater):
            await http.get_json(vendor.url)
    vendor.reply = web.Response(text='{"a": 1}')
    assert await http.get_json(vendor.url) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "error"), [(500, RetryLater), (502, RetryLater), (429, RetryLater), (404, Rejected)]
)
async def test_a_status_becomes_an_error_of_ours(
    http: HttpClient, vendor: Vendor, status: int, error: type[Exception]
) -> None:
    vendor.reply = web.Response(status=status, text="{}")
    with pytest.raises(error):
        await http.get_json(vendor.url)


async def test_an_answer_beyond_the_cap_is_not_held(http: HttpClient, vendor: Vendor) -> None:
    vendor.reply = web.Response(body=b"x" * 5000)
    with pytest.raises(ResponseTooLarge):
        await http.download(vendor.url, max_bytes=4999)
    vendor.reply = web.Response(body=b"x" * 5000)
    assert len((await http.download(vendor.url, max_bytes=5000)).body) == 5000


async def test_text_that_no_database_takes_is_replaced(http: HttpClient, vendor: Vendor) -> None:
    vendor.reply = web.Response(text=r'{"a": [{"b": "x\u0000y\ud800z"}], "emoji": "\ud83d\ude00"}')
    assert await http.get_json(vendor.url) == {"a": [{"b": "x�y�z"}], "emoji": "😀"}


async def test_an_unreachable_platform_is_a_reason_to_retry_and_keeps_the_secret(
    http: HttpClient, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await http.get_json(vendor.url, {"access_token": "s3cret"})
    with pytest.raises(RetryLater) as caught:
        await http.get_json("http://127.0.0.1:1/api?corpsecret=s3cret", {"a": "s3cret"})
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in "".join(
        r.getMessage() for r in caplog.records if r.name == "channels.http"
    )
    assert any("answered 200" in record.getMessage() for record in caplog.records)


def test_a_redacted_address_keeps_names_and_hides_values() -> None:
    hidden = redacted("https://u:p@x.example/cgi-bin/gettoken?corpid=ww1&corpsecret=abc")
    assert hidden == "https://x.example/cgi-bin/gettoken?corpid=…&corpsecret=…"
    assert redacted("https://x.example/plain") == "https://x.example/plain"


async def test_no_call_inside_a_write_transaction(http: HttpClient, vendor: Vendor) -> None:
    token = in_write_block.set(True)
    with pytest.raises(WriteBlockError):
        await http.get_json(vendor.url)
    in_write_block.reset(token)
    assert await http.get_json(vendor.url) == {}


async def test_a_file_goes_out_with_its_chinese_name(http: HttpClient, vendor: Vendor) -> None:
    await http.post_file(vendor.url, Upload("media", "图片.png", b"\x89PNG", "image/png"))
    assert 'name="media"; filename="图片.png"'.encode() in vendor.body
    assert b"\x89PNG" in vendor.body


async def test_a_redirect_is_not_followed(http: HttpClient, vendor: Vendor) -> None:
    vendor.reply = web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})
    with pytest.raises(RetryLater, match="no JSON"):
        await http.get_json(vendor.url)
