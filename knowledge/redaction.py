"""Personal data out of chat lines, before they become knowledge. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_HAN: Final = "\u4e00-\u9fff"
_BIRTHDAY: Final = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"

#: In this order: longer patterns first, so that no part of one is taken for another.
_RULES: Final[tuple[tuple[str, str], ...]] = (
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "〔邮箱〕"),
    (r"https?://[^\s，。；]*(?:token|key|sign|password)=[^\s，。；]+", "〔含凭证的链接〕"),
    (
        r"(密码|口令|验证码|password|pwd)(\s*(?:是|为|:|：|=)\s*)[0-9a-z!@#$%^&*._+-]{3,32}",
        r"\1\2〔已隐去〕",
    ),
    (rf"(?<!\d)[1-9]\d{{5}}{_BIRTHDAY}\d{{3}}[\dx](?![\da-z])", "〔身份证号〕"),
    (r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)", "〔手机号〕"),
    (r"(?<!\d)0\d{2,3}[- ]?[2-8]\d{6,7}(?!\d)", "〔电话〕"),
    (r"(?<!\d)\d{15,19}(?!\d)", "〔证件或卡号〕"),
    (r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])", "〔IP 地址〕"),
    (r"(微信号?|wechat|qq号?)(\s*(?:是|:|：)?\s*)[a-z0-9][\w-]{4,19}", r"\1\2〔联系方式〕"),
    (rf"(?<=我[是叫])[{_HAN}]{{1,2}}(?=医生|主任|护士|老师|大夫)", "〔姓名〕"),
    (rf"(?<=我叫)[{_HAN}]{{2,4}}(?![{_HAN}])", "〔姓名〕"),
    (
        rf"((?:儿童)?姓名|患者|联系人|受种者|名字)(\s*(?:是|叫|:|：)\s*)[{_HAN}]{{2,4}}(?![{_HAN}])",
        r"\1\2〔姓名〕",
    ),
)
_COMPILED: Final = tuple((re.compile(p, re.IGNORECASE), word) for p, word in _RULES)


def redacted(text: str, *, names: Sequence[str] = ()) -> str:
    """The text with what names or reaches a person replaced by a word in 〔brackets〕.

    names: people who are known to take part; single characters are left alone.
    """
    for name in sorted(filter(None, names), key=len, reverse=True):
        if len(name) > 1:
            text = text.replace(name, "〔姓名〕")
    for pattern, word in _COMPILED:
        text = pattern.sub(word, text)
    return text
