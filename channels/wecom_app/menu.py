"""The menu of a self-built app. Source: developer.work.weixin.qq.com/document/path/90231."""

from __future__ import annotations

from dataclasses import dataclass

from channels.degrade import shorten

Body = dict[str, object]

_NAME_BYTES = 16
_SUB_NAME_BYTES = 40


@dataclass(frozen=True, slots=True)
class MenuButton:
    """A line of the menu: `key` comes back in AppMenuPressed, `url` opens, `children` unfold."""

    name: str
    key: str = ""
    url: str = ""
    children: tuple[MenuButton, ...] = ()


def compose_menu(buttons: tuple[MenuButton, ...]) -> Body:
    """The body of `menu/create`: at most 3 buttons with at most 5 lines each."""
    return {"button": [_button(button, _NAME_BYTES) for button in buttons[:3]]}


def _button(button: MenuButton, name_bytes: int) -> Body:
    name = shorten(button.name, name_bytes)
    if button.children:
        lines = [_button(child, _SUB_NAME_BYTES) for child in button.children[:5]]
        return {"name": name, "sub_button": lines}
    if button.url:
        return {"type": "view", "name": name, "url": button.url}
    return {"type": "click", "name": name, "key": button.key}
