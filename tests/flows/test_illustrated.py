"""An article reaches customers as text, picture, text, file; from bot and people alike."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from channels.wecom.sandbox.client import CustomerPhone
from tests.flows.company import company
from tests.knowledge_base.conftest import published
from tests.waiting import eventually

QUESTION = "鸢尾花报表的第七栏应该怎么填写？"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), "red").save(out, "PNG")
    return out.getvalue()


async def kinds(phone: CustomerPhone, count: int) -> list[str]:
    """The kinds of the last lines that the customer was shown."""
    shown = [line.msgtype for line in await phone.transcript() if line.side == "account"]
    return shown[-count:]


async def test_pictures_stand_where_the_article_has_them_and_files_follow(
    database_url: str, tmp_path: Path
) -> None:
    async with company(database_url, tmp_path) as demo:
        before = len(demo.app.answerer)
        file = await demo.app.files.store(picture(), name="第七栏.png")
        manual = await demo.app.files.store(b"%PDF-1.4\n%%EOF\n", name="填表手册.pdf")
        link = f"<a href='attachment:{manual}'>填表手册.pdf</a>"
        html = (
            f"<p>先点「编辑」。</p><img src='attachment:{file}'><p>再点「保存」，详见{link}。</p>"
        )
        article = await published(demo.app.uow, question=QUESTION, answer_html=html)

        async def is_live() -> bool:
            return len(demo.app.answerer) > before

        await eventually(is_live)
        wang = demo.customer(1)
        await wang.says(QUESTION)
        assert (await wang.hears("解决您的问题")).msgtype == "msgmenu"
        assert await kinds(wang, 4) == ["image", "text", "file", "msgmenu"]
        assert "填表手册.pdf（附件1）" in "".join(await wang.heard())

        desk = await demo.desk("chenjing")
        await wang.says("转人工")
        session = await desk.gets_session("王建国")
        sent = await desk.says(session, article.answer, source={"article_id": article.id})
        assert [line["content"]["type"] for line in sent] == ["text", "image", "text", "file"]
        assert sent[-1]["content"]["media"]["name"] == "填表手册.pdf"

        async def has_all() -> bool:
            return await kinds(wang, 4) == ["text", "image", "text", "file"]

        await eventually(has_all)
