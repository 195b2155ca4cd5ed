"""Reading attachment rows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from core.attachments.models import AttachmentRow
from core.db import Tx
from core.errors import NotFound
from core.views import AttachmentView


async def get(tx: Tx, attachment_id: str) -> AttachmentView:
    """Raises: NotFound."""
    row = await tx.db.get(AttachmentRow, attachment_id)
    if row is None:
        raise NotFound(noun="attachment", id=attachment_id)
    return attachment_view(row)


def attachment_view(row: AttachmentRow) -> AttachmentView:
    return AttachmentView.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "mime": row.mime,
            "size": row.size,
            "kind": row.kind,
            "created_at": row.created_at,
        }
    )


async def attachment_names(tx: Tx, ids: Collection[str]) -> dict[str, str]:
    """The file names of those that are stored."""
    if not ids:
        return {}
    query = select(AttachmentRow.id, AttachmentRow.name).where(AttachmentRow.id.in_(ids))
    return {row[0]: row[1] for row in await tx.db.execute(query)}
