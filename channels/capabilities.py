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
    needs_thumb: links and mini-programs cannot be sent without a picture.
    image_mimes, voice_mimes, video_mimes: what is taken as such (empty: all); others go as files.
    """

    kinds: frozenset[str]
    max_text_bytes: int
    max_menu_clicks: int = 0
    max_menu_text_bytes: int = 1024
    max_menu_items: int = 50
    max_menu_label_bytes: int = 128
    needs_thumb: bool = False
    image_mimes: frozenset[str] = frozenset()
    voice_mimes: frozenset[str] = frozenset()
    video_mimes: frozenset[str] = frozenset()
    max_image_bytes: int = 10 * 1024 * 1024
    max_voice_bytes: int = 2 * 1024 * 1024
    max_video_bytes: int = 10 * 1024 * 1024
    max_file_bytes: int = 20 * 1024 * 1024
    reply_window: ReplyWindow | None = None
    has_native_handover: bool = False
    can_recall: bool = False
