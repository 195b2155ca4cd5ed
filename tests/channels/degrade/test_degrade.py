import regex
from hypothesis import given
from hypothesis import strategies as st

from channels.capabilities import Capabilities
from channels.degrade import fit, shorten
from channels.wecom_kf.compose import CAPABILITIES as KF
from core.content import (
    Card,
    Content,
    File,
    Image,
    Link,
    Location,
    Media,
    Menu,
    MenuItem,
    Text,
    Voice,
    split_text,
)

TEXT_ONLY = Capabilities(kinds=frozenset({"text"}), max_text_bytes=60)
FAMILY = "👨‍👩‍👧‍👦"
PIECES = st.sampled_from(
    ["好", "a", "é", FAMILY, "🇨🇳", "👍🏽", "\r\n", "。", "，", " ", "한", "\u0301"]
)
TEXTS = st.one_of(st.lists(PIECES).map("".join), st.text())


def clusters(text: str) -> list[str]:
    return regex.findall(r"\X", text)


@given(TEXTS, st.integers(min_value=4, max_value=200))
def test_splitting_loses_nothing_and_respects_the_limit(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert "".join(parts) == text
    assert all(0 < len(part.encode()) <= limit for part in parts)


@given(TEXTS)
def test_splitting_never_cuts_a_character_that_people_see(text: str) -> None:
    limit = max([40, *(len(cluster.encode()) for cluster in clusters(text))])
    parts = split_text(text, limit)
    starts, position = set(), 0
    for cluster in clusters(text):
        starts.add(position)
        position += len(cluster)
    position = 0
    for part in parts:
        assert position in starts
        position += len(part)


def test_a_split_prefers_the_end_of_a_sentence() -> None:
    assert split_text("第一句话在这里。第二句", 27) == ["第一句话在这里。", "第二句"]


def test_a_cluster_longer_than_a_part_is_cut_between_characters() -> None:
    zalgo = "a" + "\u0301" * 50
    parts = split_text(zalgo, 10)
    assert "".join(parts) == zalgo
    assert [len(part.encode()) for part in parts] == [9] + [10] * 9 + [2]


@given(TEXTS, st.integers(min_value=7, max_value=60))
def test_a_shortened_text_fits_and_begins_alike(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short.encode()) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


ITEMS = st.builds(
    MenuItem,
    kind=st.sampled_from(["click", "view", "text"]),
    id=st.just("x"),
    label=st.text("选项ab", min_size=1, max_size=80),
    url=st.just("https://e.example"),
)
MENUS = st.builds(
    Menu,
    head=st.text("头ab。", max_size=1500),
    items=st.lists(ITEMS, min_size=1, max_size=30).map(tuple),
    tail=st.text("尾ab", max_size=800),
)


@given(MENUS)
def test_every_menu_fits_and_keeps_its_words_and_order(menu: Menu) -> None:
    said, clicks = "", []
    for content in fit(menu, KF):
        if isinstance(content, Text):
            assert 0 < len(content.text.encode()) <= 2048
            said += content.text
            continue
        assert isinstance(content, Menu)
        assert 0 < len(content.items) <= 50
        assert sum(item.kind != "text" for item in content.items) <= 10
        assert max(len(item.label.encode()) for item in content.items) <= 128
        assert max(len(content.head.encode()), len(content.tail.encode())) <= 1024
        said += content.head + "".join(item.label for item in content.items) + content.tail
        clicks += [item for item in content.items if item.kind != "text"]
    assert len(clicks) == sum(item.kind != "text" for item in menu.items)
    assert said.startswith(menu.head)
    assert said.endswith(menu.tail)
    for item in menu.items:
        assert item.label in said


def test_a_channel_without_menus_gets_numbered_lines() -> None:
    menu = Menu(
        head="请选择",
        items=(
            MenuItem(id="a", label="物流"),
            MenuItem(kind="view", label="帮助", url="https://h.example"),
            MenuItem(id="b", label="人工"),
        ),
        tail="谢谢",
    )
    assert fit(menu, Capabilities(kinds=frozenset({"text"}), max_text_bytes=2048)) == [
        Text(text="请选择\n1. 物流\n帮助 https://h.example\n2. 人工\n谢谢")
    ]


def test_a_link_needs_its_picture_where_the_platform_does() -> None:
    link = Link(title="退货", url="https://h.example", description="七天")
    assert fit(link, KF) == [Text(text="退货\n七天\nhttps://h.example")]
    with_picture = link.model_copy(update={"thumb": Media(attachment_id="a1")})
    assert fit(with_picture, KF) == [with_picture]


def test_media_that_a_kind_refuses_go_as_files_or_as_words() -> None:
    mp3 = Media(attachment_id="a", name="a.mp3", mime="audio/mpeg", size=1000)
    assert fit(Voice(media=mp3), KF) == [File(media=mp3)]
    amr = Media(attachment_id="a", mime="audio/amr", size=1000)
    assert fit(Voice(media=amr), KF) == [Voice(media=amr)]
    large = Media(attachment_id="a", name="大图.png", mime="image/png", size=15 * 1024 * 1024)
    assert fit(Image(media=large), KF) == [File(media=large)]
    huge = large.model_copy(update={"size": 30 * 1024 * 1024})
    assert fit(Image(media=huge), KF) == [Text(text="[图片]大图.png")]


def test_what_cannot_be_shown_is_said_and_nothing_becomes_an_empty_message() -> None:
    odd: list[Content] = [
        Card(kind="订单", title="背包", lines=("待发货",)),
        Location(latitude=1, longitude=2, name="示例大厦"),
    ]
    assert [fit(content, TEXT_ONLY) for content in odd] == [
        [Text(text="[订单]背包\n待发货")],
        [Text(text="[位置]示例大厦")],
    ]
    assert fit(Text(text=""), KF) == []
    assert fit(Menu(head="只有头", items=()), KF) == [Text(text="只有头")]
