"""Uploads and downloads over HTTP."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiohttp import FormData, MultipartWriter
from PIL import Image

from core.settings.sections import Uploads
from tests.admin_api.conftest import Api


def _png(width: int = 4, height: int = 3) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


def _form(data: bytes, name: str, field: str = "file") -> FormData:
    form = FormData()
    form.add_field(field, data, filename=name)
    return form


async def _upload(api: Api, data: bytes, name: str, status: int = 201) -> Any:
    return await api.call("POST", "/attachments", data=_form(data, name), status=status)


async def test_an_image_comes_back_as_it_was_sent_and_strangers_get_nothing(
    servicer: Api,
) -> None:
    data = _png(1000, 500)
    view = await _upload(servicer, data, "截图 1.png")
    assert (view["kind"], view["mime"], view["name"]) == ("image", "image/png", "截图 1.png")
    path = f"/attachments/{view['id']}"
    response = await servicer.raw("GET", path)
    assert await response.read() == data
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Disposition"].startswith("inline; filename*=UTF-8''%E6")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]

    thumb = await servicer.raw("GET", f"{path}?thumb=1")
    with Image.open(io.BytesIO(await thumb.read())) as small:
        assert (small.format, small.size) == ("WEBP", (480, 240))

    known = {"If-None-Match": response.headers["ETag"]}
    assert (await servicer.raw("GET", path, headers=known)).status == 304
    anonymous = servicer.as_(None)
    await anonymous.refused("GET", path, status=401, code="unauthenticated")
    await anonymous.refused("GET", path, status=401, code="unauthenticated", headers=known)
    await anonymous.refused(
        "POST", "/attachments", status=401, code="unauthenticated", data=_form(data, "a.png")
    )


async def test_a_ticket_opens_one_file_for_a_minute(servicer: Api) -> None:
    first = await _upload(servicer, _png(), "a.png")
    other = await _upload(servicer, _png(9, 9), "b.png")
    url = (await servicer.call("POST", f"/attachments/{first['id']}/ticket"))["url"]
    anonymous = servicer.as_(None)
    path = url.removeprefix("/api/v1")
    assert (await anonymous.raw("GET", path)).status == 200
    stolen = path.replace(first["id"], other["id"])
    await anonymous.refused("GET", stolen, status=401, code="bad_ticket")
    for ticket in ("", "x", "1.x", "99999999999.x", "１.x", "9" * 40 + ".x"):
        response = await anonymous.raw("GET", f"/attachments/{first['id']}?ticket={ticket}")
        assert response.status == 401, ticket
    servicer.clock.advance(seconds=61)
    await anonymous.refused("GET", path, status=401, code="bad_ticket")
    await servicer.refused("POST", f"/attachments/{'0' * 64}/ticket", status=404, code="not_found")


async def test_equal_bytes_are_kept_once_under_each_uploads_name(servicer: Api) -> None:
    first = await _upload(servicer, b"plain words", "one.txt")
    second = await _upload(servicer, b"plain words", "two.txt")
    assert first["id"] == second["id"]
    assert (first["name"], second["name"]) == ("one.txt", "two.txt")
    response = await servicer.raw("GET", f"/attachments/{first['id']}")
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("data", "name", "status", "code"),
    [
        (b"", "empty.txt", 422, "file_empty"),
        (b"<!doctype html><script>alert(1)</script>", "x.html", 415, "file_type_refused"),
        (b"<svg onload=alert(1)>", "x.png", 415, "file_type_refused"),
        (b"MZ\x90\x00" + b"\x00" * 60, "setup.exe", 415, "file_type_refused"),
        (b"%PDF-1.7 x", "x.jpg", 415, "file_name_mismatch"),
        (b"\x89PNG\r\n\x1a\nbroken", "x.png", 422, "file_broken"),
    ],
)
async def test_unfit_files_are_refused(
    servicer: Api, data: bytes, name: str, status: int, code: str
) -> None:
    await servicer.refused(
        "POST", "/attachments", status=status, code=code, data=_form(data, name)
    )
    assert not list((servicer.services.config.static_dir.parent / "blobs").rglob("*"))


async def test_names_cannot_run_in_a_browser_or_leave_their_place(servicer: Api) -> None:
    for is_quoted, given, kept in (
        (False, "截图 1.png.txt", "截图 1.png.txt"),
        (True, "../../etc/<img src=x onerror=alert(1)>.txt", "img src=x onerror=alert(1).txt"),
        (True, 'a"; filename="b.exe.txt', "a; filename=b.exe.txt"),
        (True, "invoice\u202efdp.txt", "invoicefdp.txt"),
        (True, "C:\\temp\\a.txt", "a.txt"),
    ):
        form = MultipartWriter("form-data")
        part = form.append(f"text {given}".encode())
        part.set_content_disposition(
            "form-data", quote_fields=is_quoted, name="file", filename=given
        )
        view = await servicer.call("POST", "/attachments", data=form, status=201)
        assert view["name"] == kept
        response = await servicer.raw("GET", f"/attachments/{view['id']}")
        assert "\n" not in response.headers["Content-Disposition"]
        assert "<" not in response.headers["Content-Disposition"]


async def test_a_request_without_a_file_is_refused(servicer: Api) -> None:
    refused: Any = {"status": 400, "code": "file_missing"}
    await servicer.refused("POST", "/attachments", {"file": "x"}, **refused)
    wrong_field = _form(b"x", "x.txt", field="other")
    await servicer.refused("POST", "/attachments", data=wrong_field, **refused)
    for body in (
        b"",
        b"--x\r\n",
        b"--x\r\n\r\n\r\n--x--",
        b"nonsense",
        b"--x\r\nA: \x12\r\n\r\nb\r\n--x--",
    ):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        await servicer.refused("POST", "/attachments", data=body, headers=headers, **refused)
    headers = {"Content-Type": "multipart/form-data"}
    await servicer.refused("POST", "/attachments", data=b"x", headers=headers, **refused)


async def test_the_cap_holds_while_reading(servicer: Api) -> None:
    form = FormData()
    form.add_field("file", io.BytesIO(b"x" * (Uploads().file_max_bytes + 1)), filename="x.txt")
    await servicer.refused("POST", "/attachments", status=413, code="too_large", data=form)
    form = FormData()
    form.add_field("file", io.BytesIO(b"y" * 5_000_000), filename="y.txt")
    view = await servicer.call("POST", "/attachments", data=form, status=201)
    assert view["size"] == 5_000_000
