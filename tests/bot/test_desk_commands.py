"""What a typed line means: a command, a word for a numbered session, or for the customer."""

from __future__ import annotations

import pytest

from bot.desk.commands import COMMANDS, aimed, command_in
from bot.desk.menu import MENU, word_of
from bot.desk.words import HELP, refusal
from core.errors import Conflict, Forbidden, Invalid, NotFound, WindowClosed


@pytest.mark.parametrize(
    ("line", "word", "rest"),
    [
        ("会话", "会话", ""),
        (" 切换 #4 ", "切换", "4"),
        ("切换 4", "切换", "4"),
        ("结束", "结束", ""),
        ("结束 4 数据上报 已 重报", "结束", "4 数据上报 已 重报"),
        ("转接 4 李军 VPN 连不上", "转接", "4 李军 VPN 连不上"),
        ("备注 第一行\n第二行", "备注", "第一行\n第二行"),
        ("通知 关", "通知", "关"),
    ],
)
def test_a_command_is_known_by_its_first_word(line: str, word: str, rest: str) -> None:
    assert command_in(line) == (COMMANDS[word], rest)


@pytest.mark.parametrize(
    "line",
    [
        "在线的话请等我",
        "在线 就能看到",
        "结束 了吗",
        "知识",
        "备注",
        "引用 第二条",
        "通知 一下",
        "你好",
        "",
    ],
)
def test_what_only_looks_like_a_command_goes_to_the_customer(line: str) -> None:
    assert command_in(line) is None


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("#4 你好", (4, "你好")),
        ("＃4你好", (4, "你好")),
        ("#4：在线", (4, "在线")),
        ("#12", (12, "")),
        ("# 3 第一行\n第二行", (3, "第一行\n第二行")),
        ("#123 号工单", None),
        ("请看 #4 你好", None),
        ("#号键", None),
    ],
)
def test_a_number_aims(line: str, target: tuple[int, str] | None) -> None:
    assert aimed(line) == target


def test_every_line_of_the_menu_is_a_command_that_needs_nothing_more() -> None:
    assert len(MENU) <= 3
    for name, lines in MENU.items():
        assert len(name.encode()) <= 16
        assert len(lines) <= 5
        for line in lines:
            assert len(line.label.encode()) <= 40
            assert word_of(line.key) == line.word
            assert command_in(line.word) is not None
    assert word_of("somebody.elses") is None


def test_the_help_names_every_command() -> None:
    assert [word for word in COMMANDS if word not in HELP] == []
    assert len(HELP.encode()) <= 2000


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (WindowClosed(left=0, until=None, needed=1), "回复次数已用完"),
        (WindowClosed(left=1, until=None, needed=2), "本轮只能再发 1 条"),
        (Conflict("at_capacity"), "请先结束或转接"),
        (Conflict("at_capacity", servicer="李军"), "李军的会话数已到接待上限"),
        (Conflict("native_mode"), "微信客服"),
        (Conflict("not_serving", state="closed"), "已经结束"),
        (Invalid("no_focus", count=2), "#编号"),
        (Invalid("no_focus", count=0), "发「接入」"),
        (NotFound("no_such_number", number=7), "#7"),
        (Forbidden("not_my_session"), "不在您名下"),
        (Conflict("something_new"), "something_new"),
    ],
)
def test_every_refusal_says_what_to_do(error: Exception, part: str) -> None:
    text = refusal(error)  # type: ignore[arg-type]
    assert part in text
    assert "{" not in text
