"""Content that a channel cannot show becomes content that it can. Pure; nothing is lost."""

from __future__ import annotations

from channels.capabilities import Capabilities
from core.content import (
    Content,
    File,
    Image,
    Link,
    Menu,
    MenuItem,
    MiniProgram,
    Text,
    Video,
    Voice,
    plain_text,
    split_text,
)


def fit(content: Content, capabilities: Capabilities) -> list[Content]:
    """The same said in one or more contents that the channel can send as they are.

    Empty texts vanish. The number of contents counts towards a reply window.
    """
    if isinstance(content, Menu):
        return _fit_menu(content, capabilities)
    if _is_sendable(content, capabilities) and not isinstance(content, Text):
        return [content]
    if isinstance(content, Image | Voice | Video):
        as_file = File(media=content.media)
        if _is_sendable(as_file, capabilities):
            return [as_file]
    return _texts(_in_words(content), capabilities)


def shorten(text: str, max_bytes: int) -> str:
    """The text, or its beginning with an ellipsis, in at most `max_bytes`."""
    if len(text.encode()) <= max_bytes:
        return text
    return split_text(text, max_bytes - len("…".encode()))[0] + "…"


def _is_sendable(content: Content, capabilities: Capabilities) -> bool:
    if content.type not in capabilities.kinds:
        return False
    match content:
        case Image():
            limit, mimes = capabilities.max_image_bytes, capabilities.image_mimes
        case Voice():
            limit, mimes = capabilities.max_voice_bytes, capabilities.voice_mimes
        case Video():
            limit, mimes = capabilities.max_video_bytes, capabilities.video_mimes
        case File():
            limit, mimes = capabilities.max_file_bytes, frozenset[str]()
        case Link() | MiniProgram():
            return content.thumb is not None or not capabilities.needs_thumb
        case _:
            return True
    media = content.media
    is_known = not mimes or not media.mime or media.mime in mimes
    return is_known and (media.size is None or media.size <= limit)


def _in_words(content: Content) -> str:
    if isinstance(content, Link):
        return "\n".join(
            line for line in (content.title, content.description, content.url) if line
        )
    return plain_text(content)


def _texts(text: str, capabilities: Capabilities) -> list[Content]:
    return [Text(text=part) for part in split_text(text, capabilities.max_text_bytes)]


# --- menus -------------------------------------------------------------------------------------


def _fit_menu(menu: Menu, capabilities: Capabilities) -> list[Content]:
    if menu.type not in capabilities.kinds or not menu.items:
        return _texts(_menu_in_words(menu), capabilities)
    before, head = _peel(menu.head, capabilities, keep_last=True)
    tail, after = _peel(menu.tail, capabilities, keep_last=False)
    pages = _pages(_fit_items(menu.items, capabilities), capabilities)
    last = len(pages) - 1
    menus: list[Content] = [
        Menu(head=head if i == 0 else "", items=page, tail=tail if i == last else "")
        for i, page in enumerate(pages)
    ]
    return [*_texts(before, capabilities), *menus, *_texts(after, capabilities)]


def _menu_in_words(menu: Menu) -> str:
    lines = [menu.head] if menu.head else []
    number = 0
    for item in menu.items:
        if item.kind == "click":
            number += 1
            lines.append(f"{number}. {item.label}")
        elif item.kind == "view":
            lines.append(f"{item.label} {item.url}")
        else:
            lines.append(item.label)
    return "\n".join([*lines, menu.tail] if menu.tail else lines)


def _peel(text: str, capabilities: Capabilities, *, keep_last: bool) -> tuple[str, str]:
    """Cut a head into (what goes before, head) and a tail into (tail, what goes after)."""
    limit = capabilities.max_menu_text_bytes
    if len(text.encode()) <= limit:
        return ("", text) if keep_last else (text, "")
    if not keep_last:
        first = split_text(text, limit)[0]
        return first, text[len(first) :]
    last = split_text(text, limit)[-1]
    return text[: len(text) - len(last)], last


def _fit_items(items: tuple[MenuItem, ...], capabilities: Capabilities) -> list[MenuItem]:
    """Over-long clickable labels are shown in full as text above their shortened line."""
    fitted: list[MenuItem] = []
    for item in items:
        limit = capabilities.max_menu_label_bytes
        if len(item.label.encode()) <= limit:
            fitted.append(item)
            continue
        fitted += [MenuItem(kind="text", label=part) for part in split_text(item.label, limit)]
        if item.kind != "text":
            fitted.append(item.model_copy(update={"label": shorten(item.label, limit)}))
    return fitted


def _pages(items: list[MenuItem], capabilities: Capabilities) -> list[tuple[MenuItem, ...]]:
    """Consecutive items in menus that respect the number of lines and of clickable lines."""
    pages: list[list[MenuItem]] = [[]]
    clicks = 0
    for item in items:
        is_clickable = item.kind != "text"
        is_full = is_clickable and clicks == capabilities.max_menu_clicks
        if is_full or len(pages[-1]) == capabilities.max_menu_items:
            pages.append([])
            clicks = 0
        pages[-1].append(item)
        clicks += is_clickable
    return [tuple(page) for page in pages]
