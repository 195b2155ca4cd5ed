"""What a ticket from a session would say."""

from __future__ import annotations

from core.settings.sections import Bot
from core.tickets.categories import TicketCategoryView
from core.tickets.proposal import proposed
from core.views import Priority

WORDS = Bot().handoff_words


def category(name: str) -> TicketCategoryView:
    return TicketCategoryView(
        id=name,
        name=name,
        path=(name,),
        parent_id=None,
        position=1,
        is_active=True,
        default_priority=Priority.NORMAL,
        team_id=None,
        version=1,
    )


KNOWN = [category("数据上报"), category("网络与 VPN"), category("功能咨询")]


def test_a_call_for_people_and_greetings_are_not_the_matter() -> None:
    found = proposed(["转人工", "你好", "VPN 一直连不上", "换了网线也不行"], KNOWN, WORDS)
    assert found.title == "VPN 一直连不上"
    assert found.description == "VPN 一直连不上\n换了网线也不行"
    assert found.category_id == "网络与 VPN"


def test_where_little_was_said_the_little_is_proposed() -> None:
    assert proposed(["转人工", "在吗"], KNOWN, WORDS).title == "在吗"
    nothing = proposed(["转人工", ""], KNOWN, WORDS)
    assert (nothing.title, nothing.description, nothing.category_id) == ("", "", None)


def test_a_long_talk_keeps_its_beginning_and_its_end() -> None:
    said = [f"第 {number} 句话说了一些情况" for number in range(30)]
    lines = proposed(said, KNOWN, WORDS).description.splitlines()
    assert (lines[0], lines[-1], len(lines)) == (said[0], said[-1], 9)
