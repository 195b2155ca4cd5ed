"""Keeping files: once per content, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from core.attachments.blobs import LocalBlobs
from core.attachments.service import AttachmentStore
from core.db import UnitOfWork
from core.errors import Invalid, NotFound
from core.ports import WriteBlockError
from core.settings.live import LiveSettings
from tests.core.attachments.test_content import picture


@pytest.fixture
def store(uow: UnitOfWork, tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(uow, LocalBlobs(tmp_path / "blobs"), LiveSettings(uow))


async def test_the_same_file_sent_at_once_many_times_is_one(
    store: AttachmentStore, tmp_path: Path
) -> None:
    data = picture("PNG")
    found = await asyncio.gather(*(store.store(data, name=f"{n}.png") for n in range(8)))
    assert set(found) == {hashlib.sha256(data).hexdigest()}
    assert await store.read(found[0]) == data
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [found[0]]
    assert files[0].parent.parent.name == found[0][:2]


async def test_what_is_refused_leaves_nothing(store: AttachmentStore, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        await store.store(b"<html>", name="a.html")
    assert not (tmp_path / "blobs").exists()
    for missing in ("0" * 64, "../../etc/passwd", ""):
        with pytest.raises(NotFound):
            await store.read(missing)
        with pytest.raises(NotFound):
            await store.describe(missing)


async def test_files_are_not_touched_inside_a_write_block(
    store: AttachmentStore, uow: UnitOfWork
) -> None:
    async with uow.write():
        with pytest.raises(WriteBlockError):
            await store.store(b"x", name="x.txt")


async def test_thumbnails_are_made_of_images_only(store: AttachmentStore) -> None:
    picture_id = await store.store(picture("JPEG", (2000, 1000)), name="a.jpg")
    small = await store.thumbnail(picture_id)
    assert small[8:12] == b"WEBP"
    assert await store.thumbnail(picture_id) == small
    text_id = await store.store(b"words", name="a.txt")
    with pytest.raises(NotFound):
        await store.thumbnail(text_id)


async def test_a_picture_whose_pixels_are_cut_off_has_no_thumbnail(
    store: AttachmentStore,
) -> None:
    noise = Image.effect_noise((200, 200), 50)
    out = io.BytesIO()
    noise.save(out, "JPEG")
    cut = await store.store(out.getvalue()[:3000], name="a.jpg")
    with pytest.raises(Invalid) as caught:
        await store.thumbnail(cut)
    assert caught.value.code == "file_broken"
