"""Folders of Markdown files, and archives that come back unchanged."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from core.actor import Actor
from core.db import UnitOfWork
from core.errors import Invalid
from knowledge.importer import import_records
from knowledge.markdown import read_archive, read_folder, write_archive
from knowledge.queries import every_article
from tests.knowledge_base.conftest import published


async def test_a_folder_becomes_articles_with_its_folders_as_categories(
    uow: UnitOfWork, tmp_path: Path
) -> None:
    (tmp_path / "账号" / "登录").mkdir(parents=True)
    (tmp_path / "账号" / "登录" / "密码.md").write_text(
        "---\ntags: 密码 | 重置\nsimilar: 密码忘了|登不上\n---\n# 怎么重置密码？\n\n"
        "1. 打开**登录页**\n2. 点[这里](https://a.cn)\n\n<script>alert(1)</script>\n",
        encoding="utf-8",
    )
    (tmp_path / "打印.md").write_bytes("点打印。".encode("gbk"))
    (tmp_path / "说明.txt").write_text("不是条目")
    for _ in range(2):
        report = await import_records(uow, read_folder(tmp_path), by=Actor.system())
    assert (report.unchanged, report.errors) == (2, [])
    found = {view.external_id: view async for view in every_article(uow)}
    login = found["账号/登录/密码"]
    assert (login.question, login.category) == ("怎么重置密码？", "账号/登录")
    assert (login.tags, login.similar) == (("密码", "重置"), ("密码忘了", "登不上"))
    assert login.answer.startswith("1. 打开登录页\n2. 点这里（https://a.cn）")
    assert "<script" not in login.answer_html
    assert (found["打印"].question, found["打印"].answer) == ("打印", "点打印。")


async def test_an_archive_imports_back_unchanged(uow: UnitOfWork) -> None:
    await published(uow, external_id="a/../b", answer="# 不是标题\n---\n两行", tags=["甲", "乙"])
    await published(uow, question="富文本", answer_html="<p>看<b>图</b></p>", category="甲/乙")
    before = [view async for view in every_article(uow)]
    out = io.BytesIO()
    assert await write_archive(every_article(uow), out) == 2
    names = zipfile.ZipFile(out).namelist()
    assert all("/" not in name and ".." not in name.removesuffix(".md") for name in names)
    report = await import_records(uow, read_archive(out.getvalue()), by=Actor.system())
    assert (report.unchanged, report.errors) == (2, [])
    assert [view async for view in every_article(uow)] == before


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(Invalid):
        list(read_archive(b"PK nothing"))
