"""Text in customers' screenshots: what is asked, who reads it, and what cannot be read."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from bot.pictures.question import READING_CHARS, question_in, reading_of
from bot.pictures.reader import PictureReader, is_installed

needs_ocr = pytest.mark.skipif(not is_installed(), reason="needs the extra `ocr`")
CHINESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
#: Where no font has Chinese, codes alone are drawn.
CHINESE_LINES = ("证书控件未安装",) if CHINESE.exists() else ()


@pytest.mark.parametrize(
    ("reading", "question"),
    [
        ("直报系统\n连接失败：ORA-12154\n确定\n取消", "连接失败：ORA-12154"),
        ("错误代码 0x80070005\n10:32\n证书控件未安装", "错误代码 0x80070005 证书控件未安装"),
        ("HTTP 500\n首页\n返回", "HTTP 500"),
        ("如何导出日报表\n2026-03-02 10:32\n98%\n确定", "如何导出日报表"),
        ("确定\n取消\n10:32\n——\n×", ""),
        ("", ""),
    ],
)
def test_lines_that_report_trouble_are_the_question(reading: str, question: str) -> None:
    assert question_in(reading) == question


def test_a_page_full_of_text_becomes_a_short_question_and_a_bounded_reading() -> None:
    lines = [f"第 {number} 行的内容很长很长很长很长很长很长" for number in range(500)]
    assert 0 < len(question_in("\n".join(lines))) <= 200
    assert len(reading_of(lines)) <= READING_CHARS


def test_letters_that_were_taken_for_digits_are_mended() -> None:
    assert reading_of(["0RA-12154", "错误 Ox80070005"]) == "ORA-12154\n错误 0x80070005"


def program(text: str, patience_s: float = 30) -> PictureReader:
    return PictureReader((sys.executable, "-c", text), patience_s=patience_s)


async def test_what_the_program_writes_is_what_was_read() -> None:
    echo = "import json,sys; print(json.dumps([str(len(sys.stdin.buffer.read()))]))"
    assert await program(echo).read(b"picture") == ("7",)


@pytest.mark.parametrize("text", ["import os; os.abort()", "print('{')", "print('[1]')", ""])
async def test_a_program_that_fails_reads_nothing(text: str) -> None:
    assert await program(text).read(b"picture") == ()


async def test_a_program_that_hangs_is_ended() -> None:
    hangs = program("import threading; threading.Event().wait()", patience_s=0.2)
    assert await hangs.read(b"picture") == ()


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def dialog(*lines: str) -> bytes:
    """An error box on a desktop, as a customer photographs it."""
    picture = Image.new("RGB", (1280, 720), "#3a6ea5")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((300, 200, 980, 500), fill="#f0f0f0", outline="#888888")
    font = (
        ImageFont.truetype(CHINESE, 18, index=2)
        if CHINESE.exists()
        else ImageFont.load_default(size=20)
    )
    for number, line in enumerate(lines):
        draw.text((340, 230 + 44 * number), line, font=font, fill="black")
    return png(picture)


@needs_ocr
async def test_the_words_and_codes_of_an_error_box_are_read() -> None:
    lines = ["ORA-12154: TNS", "0x80070005", "HTTP 500 Internal Server Error", *CHINESE_LINES]
    found = "".join(await PictureReader().read(dialog(*lines))).replace(" ", "")
    for line in lines:
        assert line.replace(" ", "") in found


def bomb(side: int) -> bytes:
    """A PNG that claims `side` × `side` pixels and packs them into a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        packed = kind + data
        return struct.pack(">I", len(data)) + packed + struct.pack(">I", zlib.crc32(packed))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000 * 1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    )


@needs_ocr
@pytest.mark.parametrize(
    "data",
    [bomb(20_000), bomb(6_000), dialog("HTTP 500")[:900], b"GIF89a", b"", b"\x00" * 1000],
    ids=["20k", "cut bomb", "cut short", "head only", "empty", "no picture"],
)
async def test_pictures_that_are_none_read_as_nothing(data: bytes) -> None:
    assert await PictureReader().read(data) == ()


@needs_ocr
async def test_a_picture_without_text_reads_as_nothing() -> None:
    assert await PictureReader().read(png(Image.new("RGB", (640, 480), "white"))) == ()
