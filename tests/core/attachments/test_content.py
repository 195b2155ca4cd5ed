"""What a file really is."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.attachments.content import clean_name, judge
from core.errors import Invalid
from core.settings.sections import Uploads

LIMITS = Uploads()


def picture(kind: str, size: tuple[int, int] = (2, 2)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size).save(out, kind)
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def refusal(data: bytes, name: str, limits: Uploads = LIMITS) -> str:
    with pytest.raises(Invalid) as caught:
        judge(data, name, limits)
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (picture("PNG"), "a.png", ("image", "image/png", "a.png")),
        (picture("JPEG"), "a.PNG", ("image", "image/jpeg", "a.jpg")),
        (picture("GIF"), "no extension", ("image", "image/gif", "no extension.gif")),
        (picture("WEBP"), "", ("image", "image/webp", "file.webp")),
        (b"#!AMR\n" + b"\x00" * 40, "v.amr", ("voice", "audio/amr", "v.amr")),
        (b"%PDF-1.4\n", "手册.pdf", ("file", "application/pdf", "手册.pdf")),
        ("姓名,电话\n".encode("gb18030"), "名单.csv", ("file", "text/plain", "名单.csv")),
        ("日志".encode(), "error.log", ("file", "text/plain", "error.log")),
        (b"port = 1", "settings.conf", ("file", "text/plain", "settings.conf")),
        (zipped(a=b"x"), "a.zip", ("file", "application/zip", "a.zip")),
    ],
)
def test_ordinary_files_are_kept(data: bytes, name: str, expected: tuple[str, ...]) -> None:
    judged = judge(data, name, LIMITS)
    assert (judged.kind, judged.mime, judged.name) == expected


def test_office_files_are_told_apart_by_their_name() -> None:
    judged = judge(zipped(**{"word__document.xml": b"<x/>"}), "报告.docx", LIMITS)
    assert judged.mime.endswith("wordprocessingml.document")
    old = judge(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "表.xls", LIMITS)
    assert old.mime == "application/vnd.ms-excel"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"<html>", "a.txt", "file_type_refused"),
        (b"\xef\xbb\xbf \n<SVG xmlns=x>", "a.svg", "file_type_refused"),
        (b"<?xml version='1.0'?><x/>", "a.xml", "file_type_refused"),
        (b"#!/bin/sh\nrm -rf /", "a.sh", "file_type_refused"),
        (b"alert(1)", "a.js", "file_type_refused"),
        (b"MZ" + b"\x00" * 100, "a.pdf", "file_type_refused"),
        (b"\x7fELF" + b"\x00" * 100, "a", "file_type_refused"),
        (zipped(x=b"x"), "a.docm", "file_type_refused"),
        (zipped(x=b"x"), "photo.jpg", "file_name_mismatch"),
        (b"just words", "photo.jpg", "file_name_mismatch"),
        (picture("PNG"), "photo.mp4", "file_name_mismatch"),
        (picture("PNG")[:40], "a.png", "file_broken"),
        (b"PK\x03\x04broken", "a.zip", "file_broken"),
        (b"\x00\x01\x02\x03" * 50, "a.txt", "file_type_refused"),
    ],
)
def test_dangerous_and_lying_files_are_refused(data: bytes, name: str, code: str) -> None:
    assert refusal(data, name) == code


def test_a_picture_that_is_a_script_too_stays_a_picture() -> None:
    polyglot = picture("GIF") + b"<script>alert(1)</script>"
    assert judge(polyglot, "a.gif", LIMITS).mime == "image/gif"
    assert refusal(b"GIF89a/*" + b"*/=alert(1)//", "a.gif") in ("file_broken", "file_bomb")
    assert refusal(picture("GIF"), "a.html") == "file_type_refused"


def test_bombs_are_seen_without_unpacking() -> None:
    bomb = zipped(zeros=b"\x00" * 20_000_000)
    assert len(bomb) < 30_000
    assert refusal(bomb, "a.zip") == "file_bomb"
    assert refusal(bomb, "a.xlsx") == "file_bomb"
    assert refusal(_png_claiming(60_000, 60_000), "a.png") == "file_bomb"


def test_many_entries_are_a_bomb_too() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(20_001):
            archive.writestr(str(number), b"")
    assert refusal(out.getvalue(), "a.zip") == "file_bomb"


def test_each_kind_has_its_own_size_limit() -> None:
    limits = Uploads(image_max_bytes=1024, file_max_bytes=2048)
    noise = bytes(range(256)) * 8
    assert judge(b"a" * 2048, "a.txt", limits).kind == "file"
    assert refusal(b"a" * 2049, "a.txt", limits) == "file_too_large"
    assert refusal(picture("PNG") + noise, "a.png", limits) == "file_too_large"


def _png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = zlib.compress(b"\x00" * 1000)
    idat = b"IDAT" + data
    body += struct.pack(">I", len(data)) + idat + struct.pack(">I", zlib.crc32(idat))
    end = b"IEND"
    return (
        b"\x89PNG\r\n\x1a\n"
        + body
        + struct.pack(">I", 0)
        + end
        + struct.pack(">I", zlib.crc32(end))
    )


@given(st.text(max_size=300))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 112
    assert not set(cleaned) & set('<>:"|?*/\\\x00\r\n\u202e')
    assert cleaned not in (".", "..")
    assert clean_name(cleaned) == cleaned


@given(st.binary(max_size=2000), st.text(max_size=20))
def test_no_bytes_can_break_the_judge(data: bytes, name: str) -> None:
    try:
        judged = judge(data, name, LIMITS)
    except Invalid:
        return
    assert judged.name
