"""Contents and cards as bodies of `message/send`. Pure.

Source: developer.work.weixin.qq.com/document/path/90236 and 94888.
"""

from __future__ import annotations

from channels.capabilities import Capabilities
from channels.degrade import shorten
from channels.errors import Rejected
from core.content import Content, File, Image, Link, Text, Video, Voice
from core.ports import CardMessage, CardUpdate

Body = dict[str, object]

CAPABILITIES = Capabilities(
    kinds=frozenset({"text", "image", "voice", "video", "file", "link"}),
    max_text_bytes=2048,
    image_mimes=frozenset({"image/jpeg", "image/png"}),
    voice_mimes=frozenset({"audio/amr", "audio/AMR"}),
    video_mimes=frozenset({"video/mp4"}),
    can_recall=True,
)

_MAX_LINES = 6
_MAX_BUTTONS = 6
_STYLES = {"primary": 1, "plain": 2, "danger": 3}


def compose(content: Content, media_id: str = "", *, is_markdown: bool = False) -> Body:
    """`{"msgtype": …, <msgtype>: {…}}`.

    Raises: Rejected for what `degrade.fit` would have changed.
    """
    match content:
        case Text() if is_markdown:
            return _body("markdown", {"content": content.text})
        case Text():
            return _body("text", {"content": content.text})
        case Image() | Voice() | Video() | File():
            return _body(content.type, {"media_id": media_id})
        case Link():
            return _body("news", {"articles": [_article(content)]})
        case _:
            raise Rejected(f"{content.type} cannot be sent")


def _body(msgtype: str, fields: Body) -> Body:
    return {"msgtype": msgtype, msgtype: fields}


def _article(link: Link) -> Body:
    article: Body = {
        "title": shorten(link.title or link.url, 128),
        "description": shorten(link.description, 512),
        "url": link.url,
    }
    return {**article, "picurl": link.picture_url} if link.picture_url else article


def compose_card(card: CardMessage) -> Body:
    """A card with buttons, a card that opens a page, or Markdown where it has neither."""
    if not card.buttons and not card.url:
        return _body("markdown", {"content": _in_markdown(card)})
    fields: Body = {
        "card_type": "button_interaction" if card.buttons else "text_notice",
        "main_title": {"title": card.title},
        "task_id": card.task_id,
        "horizontal_content_list": [
            {"keyname": name, "value": value} for name, value in card.lines[:_MAX_LINES]
        ],
    }
    if card.subtitle:
        fields["sub_title_text"] = card.subtitle
    if card.url:
        fields["card_action"] = {"type": 1, "url": card.url}
    if card.buttons:
        fields["button_list"] = [
            {"text": button.label, "style": _STYLES[button.style], "key": button.id}
            for button in card.buttons[:_MAX_BUTTONS]
        ]
    return _body("template_card", fields)


def _in_markdown(card: CardMessage) -> str:
    lines = [
        f"**{card.title}**",
        card.subtitle,
        *(f"> {name}：{value}" for name, value in card.lines),
    ]
    return shorten("\n".join(line for line in lines if line), CAPABILITIES.max_text_bytes)


def compose_update(update: CardUpdate, agent_id: int) -> Body:
    """The body of `message/update_template_card`: a grey button with other words."""
    return {
        "userids": list(update.user_refs),
        "agentid": agent_id,
        "response_code": update.response_code,
        "button": {"replace_name": update.label},
    }
