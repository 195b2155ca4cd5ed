"""Customers send screenshots: what is printed on them is asked like a question."""

from __future__ import annotations

import io
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from bot.turn import MEDIA_TIMER, READING_TIMER
from core.timers.models import TimerRow
from tests.flows.company import Company, company
from tests.waiting import eventually

#: Stands where the extra `ocr` would: what it "reads" is decided by the colour of the picture.
ENGINE = """
from types import SimpleNamespace

PRINTED = {"red": ["忘记登录密码怎么重置？", "确定", "10:32"], "blue": ["转人工"], "white": []}
COLOURS = {(255, 0, 0): "red", (0, 0, 255): "blue", (255, 255, 255): "white"}

class RapidOCR:
    def __init__(self, params):
        pass

    def __call__(self, picture):
        lines = PRINTED[COLOURS[tuple(int(value) for value in picture[0][0])]]
        return SimpleNamespace(txts=tuple(lines), scores=tuple(0.99 for _ in lines))
"""


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def demo(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "rapidocr.py").write_text(textwrap.dedent(ENGINE), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'lib'}:{Path.cwd()}")
    async with company(database_url, tmp_path) as running:
        yield running


async def all_read(demo: Company) -> bool:
    async with demo.app.uow.read() as tx:
        waiting = await tx.db.scalar(
            select(func.count()).where(TimerRow.kind.in_((MEDIA_TIMER, READING_TIMER)))
        )
    return waiting == 0


async def test_a_screenshot_is_answered_and_its_words_are_shown_to_people(demo: Company) -> None:
    wang, desk = demo.customer(1), await demo.desk("chenjing")
    await wang.uploads("image", "a.png", picture("red"))
    answer = await wang.hears("来源", timeout_s=30)
    assert "密码" in answer.text

    await wang.says("转人工")
    session = await desk.gets_session("王建国")
    shown = await desk.reads(session, "忘记登录密码怎么重置？")
    assert shown["content"]["type"] == "image"
    assert shown["content"]["reading"] == "忘记登录密码怎么重置？\n确定\n10:32"
    (tried,) = (await desk.get(f"/sessions/{session['id']}/decisions"))["items"][:1]
    assert tried["question"] == "忘记登录密码怎么重置？"
    assert tried["message_ids"] == [shown["id"]]

    await wang.uploads("image", "b.png", picture("red"))
    later = await eventually(lambda: second_picture(desk, session), timeout_s=30)
    assert later["content"]["reading"]
    await demo.sandbox.settle()
    assert len([said for said in await wang.heard() if "来源" in said]) == 1  # people have it


async def second_picture(desk: object, session: dict[str, object]) -> dict[str, object] | None:
    lines = await desk.transcript(session)  # type: ignore[attr-defined]
    pictures = [one for one in lines if one["content"].get("reading")]
    return pictures[1] if len(pictures) > 1 else None


async def test_without_the_extra_words_are_asked_for_and_the_picture_is_kept(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.is_installed", lambda: False)
    async with company(database_url, tmp_path) as plain:
        wang, desk = plain.customer(1), await plain.desk("chenjing")
        await wang.uploads("image", "a.png", picture("red"))
        await wang.hears("图片已收到。请用一句话描述")
        await wang.says("转人工")
        session = await desk.gets_session("王建国")

        async def kept() -> str:
            lines = await desk.transcript(session)
            images = [one["content"] for one in lines if one["content"]["type"] == "image"]
            return images[0]["media"]["attachment_id"] or "" if images else ""

        assert await plain.app.files.read(await eventually(kept)) == picture("red")


async def test_pictures_without_a_question_ask_for_words_once(demo: Company) -> None:
    wang = demo.customer(2)
    for name, colour in (("a.png", "white"), ("b.png", "blue"), ("c.png", "white")):
        await wang.uploads("image", name, picture(colour))
    await wang.hears("请用一句话描述", timeout_s=30)
    await eventually(lambda: all_read(demo), timeout_s=30)
    await demo.sandbox.settle()
    said = await wang.heard()
    assert len([line for line in said if "请用一句话描述" in line]) == 1
    assert not [line for line in said if "转接" in line]  # a caption is no wish

    li = demo.customer(3)
    await li.uploads("image", "broken.png", picture("red")[:40])
    await li.hears("请用一句话描述", timeout_s=30)
