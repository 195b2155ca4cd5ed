"""The app's own menu: lines that do what the command of the same word does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MenuLine:
    """key comes back when the line is pressed; word is the command that it stands for."""

    label: str
    key: str
    word: str


#: At most 3 menus of 5 lines. Source: developer.work.weixin.qq.com/document/path/90231.
MENU: Final[dict[str, tuple[MenuLine, ...]]] = {
    "会话": (
        MenuLine("我的会话", "desk.sessions", "会话"),
        MenuLine("接入下一位", "desk.next", "接入"),
        MenuLine("聊天记录", "desk.record", "记录"),
        MenuLine("转接给同事", "desk.transfer", "转接"),
        MenuLine("结束当前会话", "desk.end", "结束"),
    ),
    "状态": (
        MenuLine("在线", "desk.online", "在线"),
        MenuLine("忙碌", "desk.busy", "忙碌"),
        MenuLine("离线", "desk.offline", "离线"),
    ),
    "更多": (
        MenuLine("快捷回复", "desk.canned", "快捷"),
        MenuLine("撤回上一条", "desk.recall", "撤回"),
        MenuLine("建工单", "desk.ticket", "工单"),
        MenuLine("帮助", "desk.help", "帮助"),
    ),
}
_WORDS: Final = {line.key: line.word for lines in MENU.values() for line in lines}


def word_of(key: str) -> str | None:
    """The command that a menu key stands for; None for a key that is not ours."""
    return _WORDS.get(key)
