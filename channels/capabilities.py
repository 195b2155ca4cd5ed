"""What a platform can show and when it may be written to: data, not code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """At most `messages` of ours within `duration` of the customer's last message."""

    messages: int
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one channel offers.

    kinds: content types that can be sent as they are; others are degraded to text.
    max_text_bytes: UTF-8 bytes of one text; longer ones are split at character boundaries.
    max_menu_clicks: clickable lines of one menu (click, view and mini-program together).
    """

    kinds: frozenset[str]
    max_text_bytes: int
    max_menu_clicks: int = 0
    max_menu_text_bytes: int = 1024
    max_image_bytes: int = 10 * 1024 * 1024
    max_voice_bytes: int = 2 * 1024 * 1024
    max_video_bytes: int = 10 * 1024 * 1024
    max_file_bytes: int = 20 * 1024 * 1024
    reply_window: ReplyWindow | None = None
    has_native_handover: bool = False
    can_recall: bool = False
