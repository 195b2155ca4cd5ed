"""What a screenshot asks: the lines that report trouble, without buttons and clocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: A reading is kept up to this length.
READING_CHARS: Final = 2000
_QUESTION_CHARS: Final = 200

_BUTTON_WORDS: Final = """
确定 取消 是 否 关闭 重试 帮助 返回 保存 提交 刷新 登录 退出 复制 详情 更多 上一步 下一步
我知道了 文件 编辑 查看 工具 ok cancel yes no close retry help back save login abort ignore
"""
_BUTTONS: Final = frozenset(_BUTTON_WORDS.split())
_CLOCKWORK: Final = re.compile(r"[\d\s:：/\-.%年月日]+|[^\w]+|\w")
_CODE: Final = re.compile(
    r"\b[A-Z]{2,}[-_]\d{3,}|\b0[xX][0-9A-Fa-f]{4,}|\bHTTP\W{0,3}[45]\d\d|\b[A-Z]\d{4,}"
    r"|(?:错误|代码|code|error)\W{0,3}\d{2,}",
    re.IGNORECASE,
)
_TROUBLE: Final = re.compile(
    r"错误|失败|异常|无法|不能|无效|超时|过期|拒绝|不存在|不正确|不可用|报错|警告|中断|冲突|重复"
    r"|未(?:安装|找到|连接|授权|登录|响应|注册|启动|通过|知)|没有权限|证书控件"
    r"|error|fail|exception|denied|time[d ]*out|invalid|not found|unable|refused|forbidden",
    re.IGNORECASE,
)
#: Letters that are taken for digits, and the other way round, where only one can be meant.
_MISREAD: Final = (
    (re.compile(r"\b0RA-(?=\d)"), "ORA-"),
    (re.compile(r"\b[oO0][xX×](?=[0-9A-Fa-foO]{4,})"), "0x"),
)


def reading_of(lines: Sequence[str]) -> str:
    """The text of a picture as people see it under the picture."""
    return "\n".join(_mended(line) for line in lines)[:READING_CHARS].strip()


def question_in(reading: str) -> str:
    """What to ask the knowledge base; empty when there is nothing to ask.

    Lines with an error code or a word of trouble are the question where there are any; else all
    that is neither a button nor a clock.
    """
    kept = [line.strip() for line in reading.splitlines() if _says_something(line.strip())]
    trouble = [line for line in kept if _CODE.search(line) or _TROUBLE.search(line)]
    question = ""
    for line in trouble or kept:
        longer = f"{question} {line}".strip()
        if question and len(longer) > _QUESTION_CHARS:
            break
        question = longer
    return question[:_QUESTION_CHARS]


def _says_something(line: str) -> bool:
    return bool(line) and line.lower() not in _BUTTONS and not _CLOCKWORK.fullmatch(line)


def _mended(line: str) -> str:
    for pattern, meant in _MISREAD:
        line = pattern.sub(meant, line)
    return line
