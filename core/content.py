"""What can be said in a chat, and to whom. A leaf module: it imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import regex
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_CLUSTER = regex.compile(r"\X")
_GOOD_BREAKS = ("\n", "。！？!?；;", "，, 、")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One customer (or servicer) on one account of one channel: the unit of ordering.

    `account` and `user` are the platform's own ids (open_kfid, external_userid, chat id).
    """

    channel: str
    account: str
    user: str

    @property
    def key(self) -> str:
        """A text that is equal for equal addresses; stored in tables and used as lock name."""
        return f"{self.channel}|{self.account}|{self.user}"

    @classmethod
    def parse(cls, key: str) -> Self:
        channel, account, user = key.split("|", 2)
        return cls(channel, account, user)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Media(_Frozen):
    """A file, known by the platform, by us, or by both.

    vendor_ref: the platform's media id (WeCom: valid 3 days); attachment_id: our stored copy.
    """

    vendor_ref: str | None = None
    attachment_id: str | None = None
    name: str = ""
    mime: str = ""
    size: int | None = None


class Text(_Frozen):
    type: Literal["text"] = "text"
    text: str


class Image(_Frozen):
    """reading: the text recognised in the picture, a line per line; empty until it was read."""

    type: Literal["image"] = "image"
    media: Media
    reading: str = ""


class Voice(_Frozen):
    type: Literal["voice"] = "voice"
    media: Media


class Video(_Frozen):
    type: Literal["video"] = "video"
    media: Media


class File(_Frozen):
    type: Literal["file"] = "file"
    media: Media


class Location(_Frozen):
    type: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Link(_Frozen):
    type: Literal["link"] = "link"
    title: str
    url: str
    description: str = ""
    picture_url: str = ""
    thumb: Media | None = None


class MiniProgram(_Frozen):
    type: Literal["miniprogram"] = "miniprogram"
    appid: str
    page: str
    title: str = ""
    thumb: Media | None = None


class MenuItem(_Frozen):
    """One line of a menu. click: answers with `id`; view: opens `url`; text: only shown."""

    kind: Literal["click", "view", "miniprogram", "text"] = "click"
    id: str = ""
    label: str
    url: str = ""
    appid: str = ""


class Menu(_Frozen):
    type: Literal["menu"] = "menu"
    head: str = ""
    items: tuple[MenuItem, ...]
    tail: str = ""


class Card(_Frozen):
    """A structured object that we show but do not act on (business card, 视频号, order …)."""

    type: Literal["card"] = "card"
    kind: str
    title: str = ""
    lines: tuple[str, ...] = ()
    url: str = ""


class MergedItem(_Frozen):
    sender: str
    sent_at_s: int
    text: str


class Merged(_Frozen):
    """A bundle of forwarded chat lines."""

    type: Literal["merged"] = "merged"
    title: str
    items: tuple[MergedItem, ...]


class Unsupported(_Frozen):
    """A message kind that the platform sends and we cannot show; `kind` is the platform's word.

    raw: the platform's JSON text, cut to 4,000 characters, for later.
    """

    type: Literal["unsupported"] = "unsupported"
    kind: str
    raw: str = ""


Content = Annotated[
    Text
    | Image
    | Voice
    | Video
    | File
    | Location
    | Link
    | MiniProgram
    | Menu
    | Card
    | Merged
    | Unsupported,
    Field(discriminator="type"),
]

CONTENT: TypeAdapter[Content] = TypeAdapter(Content)

_MEDIA_WORDS = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "file": "[文件]"}


def media_of(content: Content) -> Media | None:
    """The file that a message carries, if it carries one."""
    return content.media if isinstance(content, Image | Voice | Video | File) else None


def with_media(content: Content, media: Media) -> Content:
    """The same message around another description of its file."""
    if isinstance(content, Image | Voice | Video | File):
        return content.model_copy(update={"media": media})
    return content


def plain_text(content: Content) -> str:  # noqa: PLR0911 - one line per member
    """The message as one searchable, previewable text; media are shown as a word in brackets."""
    match content:
        case Text():
            return content.text
        case Image() | Voice() | Video() | File():
            return _file_text(content)
        case Location():
            return f"[位置]{content.name} {content.address}".strip()
        case Link():
            return f"[链接]{content.title} {content.url}".strip()
        case MiniProgram():
            return f"[小程序]{content.title}"
        case Menu():
            lines = [content.head, *(item.label for item in content.items), content.tail]
            return "\n".join(line for line in lines if line)
        case Card():
            return "\n".join([f"[{content.kind}]{content.title}", *content.lines])
        case Merged():
            lines = [f"{item.sender}: {item.text}" for item in content.items]
            return "\n".join([f"[聊天记录]{content.title}", *lines])
        case Unsupported():
            return "[暂不支持的消息]"


def _file_text(content: Image | Voice | Video | File) -> str:
    named = f"{_MEDIA_WORDS[content.type]}{content.media.name}"
    reading = content.reading if isinstance(content, Image) else ""
    return f"{named}\n{reading}" if reading else named


def joined(one: Content, more: Content, max_bytes: int) -> Text | None:
    """Two texts as one, a line each; None where they are no texts or too long together."""
    if not isinstance(one, Text) or not isinstance(more, Text):
        return None
    both = f"{one.text}\n{more.text}"
    return Text(text=both) if len(both.encode()) <= max_bytes else None


def split_text(text: str, max_bytes: int) -> list[str]:
    """Cut a text into parts of at most `max_bytes` of UTF-8; joined they are the text again.

    Breaks after a line, a sentence or a comma where one is near; never inside a character, an
    emoji sequence or a letter with its accents, unless that alone is longer than a part.
    """
    if len(text.encode()) <= max_bytes:
        return [text] if text else []
    parts: list[str] = []
    rest = text
    while rest:
        head = _longest_head(rest, max_bytes)
        parts.append(head)
        rest = rest[len(head) :]
    return parts


def _longest_head(text: str, max_bytes: int) -> str:
    """The longest beginning within the limit, preferably ending at a good place to break."""
    size = end = 0
    for cluster in _CLUSTER.finditer(text):
        size += len(cluster.group().encode())
        if size > max_bytes:
            break
        end = cluster.end()
    if end == len(text):
        return text
    if end == 0:
        return _longest_piece(text, max_bytes)
    head = text[:end]
    for marks in _GOOD_BREAKS:
        cut = max(head.rfind(mark) for mark in marks) + 1
        if cut > end // 2 and _CLUSTER.match(text, cut - 1).end() == cut:
            return head[:cut]
    return head


def _longest_piece(text: str, max_bytes: int) -> str:
    """Whole characters of a cluster that is itself too long; at least one."""
    size = 0
    for index, character in enumerate(text):
        size += len(character.encode())
        if size > max_bytes:
            return text[: max(index, 1)]
    return text
