"""Rich text: harmless whatever was pasted, and readable as plain text in a chat."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from typing_extensions import override

from core.content import File, Image, Media, Text
from core.db import UnitOfWork
from knowledge import queries
from knowledge.chat_parts import Attachments, chat_parts
from knowledge.models import ArticleRow
from knowledge.richtext import derived, sanitised
from tests.knowledge_base.conftest import published

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='//evil.example/x'>x</a>",
    "<iframe src='https://evil.example'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x.swf'></object><embed src='x'>",
    "<form action='https://evil.example'><input name=q><button>go</button></form>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<p style='background:url(https://evil.example)'>x</p>",
    "<link rel=stylesheet href='https://evil.example'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<img src='https://evil.example/track.gif'>",
    "<img src='attachment:../../etc'>",
    "<a href='attachment:../../etc'>x</a>",
    "<a href='attachment:a1&quot; onclick=x()'>x</a>",
    "<img src='attachment:ok\" onerror=alert(1)'>",
    "<math><mtext></p><img src=x onerror=alert(1)></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<table background='javascript:alert(1)'><tr><td>x</td></tr></table>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details>",
    "<x onclick=alert(1)>x</x>",
    "<!--<img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p><b>unclosed",
    "<a href='https://ok.example' onclick='x()' target='_blank'>x</a>",
]
_SAFE_TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "strong", "b", "em", "i", "u", "s"}
_SAFE_TAGS |= {"sub", "sup", "blockquote", "pre", "code", "ul", "ol", "li", "a", "img"}
_SAFE_TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


class Inspector(HTMLParser):
    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SAFE_TAGS, tag
        for name, value in attrs:
            text = (value or "").lower()
            assert not name.startswith("on"), name
            assert name != "style"
            if name == "src":
                assert text.startswith("attachment:")
            if name == "href":
                assert text.startswith(("http://", "https://", "mailto:", "tel:", "#", "/"))
                assert not text.startswith("//")

    @override
    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_tracks_or_submits_survives(attack: str) -> None:
    clean = sanitised(attack)
    Inspector().feed(clean)
    assert sanitised(clean) == clean


@given(st.text(alphabet="<>/='\" abimgsrconxht:;&#\n", max_size=200))
def test_whatever_is_pasted_ends_harmless_and_stable(html: str) -> None:
    clean = sanitised(html)
    Inspector().feed(clean)
    assert sanitised(clean) == clean
    derived(clean)


async def test_what_an_older_release_stored_is_cleaned_on_the_way_out(uow: UnitOfWork) -> None:
    view = await published(uow, answer_html="<p>好</p>")
    evil = "<p>好<img src=x onerror=alert(1)></p>"
    async with uow.write() as tx:
        await tx.db.execute(update(ArticleRow).values(answer_html=evil))
    async with uow.read() as tx:
        assert "onerror" not in (await queries.get_article(tx, view.id)).answer_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>一</p><p>二<br>三</p>", "一\n二\n三"),
        ("<ul><li>甲</li><li>乙</li></ul>", "· 甲\n· 乙"),
        ("<ol start='3'><li>甲</li><li>乙</li></ol>", "3. 甲\n4. 乙"),
        ("<ol><li>甲<ul><li>子</li></ul></li><li>乙</li></ol>", "1. 甲\n· 子\n2. 乙"),
        ("<p>见<a href='https://a.cn/x'>说明</a>。</p>", "见说明（https://a.cn/x）。"),
        ("<p><a href='https://a.cn'>https://a.cn</a></p>", "https://a.cn"),
        (
            "<table><tr><th>错误</th><th>办法</th></tr><tr><td>E1</td><td>重启</td></tr></table>",
            "错误 | 办法\nE1 | 重启",
        ),
        (
            "<p>看图<img src='attachment:abc'>再看<img src='attachment:def'></p>",
            "看图（图1）再看（图2）",
        ),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<p>1 &lt; 2 &amp; 3</p>", "1 < 2 & 3"),
    ],
)
def test_a_chat_shows_lines_lists_links_and_tables(html: str, text: str) -> None:
    assert derived(sanitised(html)).text == text


def test_pictures_follow_the_text_each_once() -> None:
    html = "<img src='attachment:a1'><img src='attachment:b2'><img src='attachment:a1'>"
    assert derived(html).attachments == Attachments(("a1", "b2"))
    assert derived(html).text == "（图1）（图2）（图1）"


@pytest.mark.parametrize(
    ("text", "pictures", "room", "shown"),
    [
        ("只有文字", "", 4, ["只有文字"]),
        ("先点这里（图1）再点那里", "a", 4, ["先点这里", "[a]", "再点那里"]),
        ("（图1）看完图再点", "a", 4, ["[a]", "看完图再点"]),
        ("甲（图1）乙（图2）丙", "ab", 5, ["甲", "[a]", "乙", "[b]", "丙"]),
        ("甲（图1）乙（图2）丙", "ab", 4, ["甲", "[a]", "[b]", "乙\n（图2）\n丙"]),
        ("甲（图1）乙（图2）丙", "ab", 3, ["[a]", "[b]", "甲\n（图1）\n乙\n（图2）\n丙"]),
        (
            "甲（图1）（图2）乙（图3）丙",
            "abc",
            3,
            ["[a]", "[b]", "甲\n（图1）\n（图2）\n乙（图3）丙"],
        ),
        ("甲（图1）乙", "a", 1, ["甲（图1）乙"]),
        ("同一张（图1）又一次（图1）", "a", 4, ["同一张", "[a]", "又一次（图1）"]),
        ("写的（图7）不是图", "", 4, ["写的（图7）不是图"]),
        ("正文没有记号", "a", 4, ["正文没有记号", "[a]"]),
        ("（图1）（图2）", "ab", 4, ["[a]", "[b]"]),
    ],
)
def test_pictures_stand_in_their_places_as_far_as_there_is_room(
    text: str, pictures: str, room: int, shown: list[str]
) -> None:
    parts = chat_parts(text, Attachments(tuple(pictures)), room)
    assert [as_word(part) for part in parts] == shown


def test_files_are_named_in_the_text_and_follow_it() -> None:
    link = "<a href='attachment:f1'>手册.pdf</a>"
    bad = "<a href='attachment:'>坏</a>"
    html = f"<p>照{link}做，{link}里都有。</p><img src='attachment:p1'>{bad}"
    shown = derived(sanitised(html))
    assert shown.text == "照手册.pdf（附件1）做，手册.pdf（附件1）里都有。\n（图1）坏"
    assert shown.attachments.files == (Media(attachment_id="f1", name="手册.pdf"),)
    parts = chat_parts(shown.text, shown.attachments)
    assert [as_word(part) for part in parts][1:] == ["[p1]", "坏", "[f1]"]
    assert [as_word(part) for part in chat_parts(shown.text, shown.attachments, 1)] == [shown.text]


def as_word(part: Text | Image | File) -> str:
    return part.text if isinstance(part, Text) else f"[{part.media.attachment_id}]"
