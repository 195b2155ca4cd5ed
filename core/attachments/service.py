"""Keeping and reading files: checked, then stored once per content."""

from __future__ import annotations

import asyncio
import hashlib
import io
from typing import Final

from PIL import Image, ImageOps

from core.attachments import queries
from core.attachments.blobs import BlobStore
from core.attachments.content import BROKEN_PICTURE, judge
from core.attachments.models import AttachmentRow
from core.db import UnitOfWork
from core.errors import Invalid, NotFound
from core.ports import refuse_inside_write_block
from core.settings.live import LiveSettings
from core.settings.sections import Uploads
from core.views import AttachmentView

THUMB_SIDE: Final = 480
_THUMB_QUALITY: Final = 80


class AttachmentStore:
    """Slow work (hashing, disk): never called inside a write transaction."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, settings: LiveSettings) -> None:
        self._uow = uow
        self._blobs = blobs
        self._settings = settings
        self._shrinking = asyncio.Semaphore(1)  # a decoded picture may take 200 MB

    async def keep(self, data: bytes, *, name: str) -> AttachmentView:
        """Check and keep a file. The view carries this upload's name; equal bytes, equal id.

        Raises: Invalid, see `content.judge`.
        """
        refuse_inside_write_block("Storing a file")
        judged = await asyncio.to_thread(judge, data, name, self._settings.get(Uploads))
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        await self._blobs.put(digest, data)
        async with self._uow.write() as tx:
            await tx.db.execute(
                tx.upsert(AttachmentRow)
                .values(
                    id=digest,
                    name=judged.name,
                    mime=judged.mime,
                    kind=judged.kind,
                    size=len(data),
                    created_at=tx.now,
                )
                .on_conflict_do_update(index_elements=["id"], set_={"created_at": tx.now})
            )
            view = await queries.get(tx, digest)
        return view.model_copy(update={"name": judged.name})

    async def store(self, data: bytes, *, name: str) -> str:
        """`keep`, as `core.ports.Files` names it. Returns the attachment id."""
        return (await self.keep(data, name=name)).id

    async def read(self, attachment_id: str) -> bytes:
        """Raises: NotFound."""
        refuse_inside_write_block("Reading a file")
        return await self._blobs.get(attachment_id)

    async def discard(self, attachment_id: str) -> None:
        """Delete the bytes of a file whose row is gone."""
        refuse_inside_write_block("Deleting a file")
        await self._blobs.delete(attachment_id)
        await self._blobs.delete(f"{attachment_id}.thumb")

    async def describe(self, attachment_id: str) -> AttachmentView:
        """Raises: NotFound."""
        async with self._uow.read() as tx:
            return await queries.get(tx, attachment_id)

    async def thumbnail(self, attachment_id: str) -> bytes:
        """A WebP of at most 480 × 480, made at the first request.

        Raises: NotFound, also when the attachment is not an image; Invalid `file_broken` when
        its pixels cannot be read.
        """
        if (await self.describe(attachment_id)).kind != "image":
            raise NotFound(noun="thumbnail", id=attachment_id)
        key = f"{attachment_id}.thumb"
        if await self._blobs.has(key):
            return await self._blobs.get(key)
        data = await self._blobs.get(attachment_id)
        async with self._shrinking:
            small = await asyncio.to_thread(_shrink, data)
        await self._blobs.put(key, small)
        return small


def _shrink(data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
            return _as_webp(ImageOps.exif_transpose(picture))
    except BROKEN_PICTURE as error:
        raise Invalid("file_broken") from error


def _as_webp(picture: Image.Image) -> bytes:
    picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
    mode = "RGBA" if picture.mode in {"RGBA", "LA", "P"} else "RGB"
    out = io.BytesIO()
    picture.convert(mode).save(out, "WEBP", quality=_THUMB_QUALITY)
    return out.getvalue()
