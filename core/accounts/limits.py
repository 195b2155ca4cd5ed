"""What a channel allows, as data that lives with the account."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class AccountLimits(BaseModel):
    """window_messages, window_s: so many of ours within so many seconds; None: no limit.

    max_file_bytes: of any file; what is too large for a picture or video goes as a file. 0: the
    channel takes no files.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    window_messages: int | None = None
    window_s: int | None = None
    max_text_bytes: int = 4096
    max_menu_head_bytes: int = 1024
    max_menu_clicks: int = 0
    max_file_bytes: int | None = None
    has_native_handover: bool = False
    can_recall: bool = False
