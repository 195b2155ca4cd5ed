"""Notes: said among colleagues, never to a customer."""

from __future__ import annotations

from core.conversations.models import NoteRow
from core.conversations.queries import note_view
from core.conversations.threads import Thread
from core.db import Tx
from core.events import NoteAdded
from core.ids import new_id
from core.views import NoteView


async def add_note(
    tx: Tx, thread: Thread, session_id: str | None, text: str, *, author: tuple[str, str]
) -> NoteView:
    """Say something among colleagues. author: (id, name)."""
    row = NoteRow(
        id=new_id(),
        conversation_id=thread.conversation.id,
        session_id=session_id,
        author_id=author[0],
        author_name=author[1],
        text=text,
        created_at=tx.now,
    )
    tx.db.add(row)
    await tx.db.flush()
    view = note_view(row)
    tx.emit(NoteAdded(note=view))
    return view
