"""What the bot says for each kind of decision. Called inside a write block; thinks nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.turn import Turn
from core.content import Content, Menu, MenuItem, Text
from core.conversations.queries import since_last_words, was_said
from core.events import AlarmRaised
from core.views import SessionState
from knowledge.chat_parts import ROOM, chat_parts
from knowledge.decisions import FaqDecision, Offer, record
from knowledge.gates import Gate, GateKind
from knowledge.retriever import Band

#: Menu ids. Platforms allow [a-zA-Z0-9_] only.
SOLVED, UNSOLVED, PEOPLE, ASK = "faqyes_", "faqno_", "people", "ask_"
PEOPLE_ITEM = MenuItem(id=PEOPLE, label="转人工")
_SEEN = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}


async def reply(turn: Turn, decision: FaqDecision, message_ids: Sequence[str]) -> None:
    """Answer, offer a menu, admit not to know, or follow a gate; and keep why."""
    if not turn.is_bots:
        return  # a person took it while we thought
    session_id = turn.session.id if turn.session else None
    decision_id = await record(turn.tx, decision, session_id=session_id, message_ids=message_ids)
    await _give_notice(turn)
    if decision.gate is not None:
        await _follow_gate(turn, decision)
    elif decision.band is Band.ANSWER:
        await _answer(turn, decision, decision_id)
    elif decision.band is Band.MENU:
        await _offer(turn, decision)
    else:
        await _admit(turn)


async def _give_notice(turn: Turn) -> None:
    """What supervisors want everyone to know for now, once per session."""
    text, until = turn.words.notice_text.strip(), turn.words.notice_until
    if not text or until is None or until <= turn.tx.now or turn.session is None:
        return
    if not await was_said(turn.tx, turn.session.id, text):
        await turn.say(text)


async def _follow_gate(turn: Turn, decision: FaqDecision) -> None:
    gate = decision.gate
    assert gate is not None  # noqa: S101 - the caller looked
    if gate.kind is GateKind.HUMAN:
        await turn.hand_off("asked")
        return
    text = gate.text or turn.words.unknown_text
    if gate.kind is GateKind.CHITCHAT:
        await turn.say(text)
        return
    await turn.say(Menu(head=text, items=(PEOPLE_ITEM,)))
    if gate.kind is GateKind.REDLINE:
        _alarm(turn, gate)


async def warn_people(turn: Turn, decision: FaqDecision, message_ids: Sequence[str]) -> None:
    """A red line while people have the session: who still waits gets the approved text."""
    gate = decision.gate
    if gate is None or gate.kind is not GateKind.REDLINE:
        return
    if turn.state is SessionState.QUEUED:
        session_id = turn.session.id if turn.session else None
        await record(turn.tx, decision, session_id=session_id, message_ids=message_ids)
        await turn.say(gate.text)
    _alarm(turn, gate)


def _alarm(turn: Turn, gate: Gate) -> None:
    session_id = turn.session.id if turn.session else None
    facts = {"gate": gate.name}
    turn.tx.emit(AlarmRaised(code="red_line", session_id=session_id, facts=facts))


async def _answer(turn: Turn, decision: FaqDecision, decision_id: str) -> None:
    """The article with its title as source, and three ways on: solved, not solved, people."""
    offer = decision.offers[0]
    text = offer.text
    if turn.words.show_source:
        text = f"{text}\n\n—— 来源：《{offer.title}》"
    items = (
        MenuItem(id=f"{SOLVED}{decision_id}", label="已解决"),
        MenuItem(id=f"{UNSOLVED}{decision_id}", label="没解决"),
        PEOPLE_ITEM,
    )
    before, head = _laid_out(text, offer, turn.thread.limits.max_menu_head_bytes)
    source = {
        "article_id": offer.article_id,
        "title": offer.title,
        "decision_id": decision_id,
        "confidence": f"{decision.confidence:.3f}",
    }
    if turn.session is not None:
        turn.session.bot_misses = 0
    await turn.say(*before, Menu(head=head, items=items), source=source)


def _laid_out(text: str, offer: Offer, max_head_bytes: int) -> tuple[list[Content], str]:
    """Text and pictures in the article's order, and the head of the menu that ends them."""
    *parts, last = chat_parts(text, offer.attachments)
    if isinstance(last, Text) and len(last.text.encode()) <= max_head_bytes:
        return [*parts], last.text
    return [*chat_parts(text, offer.attachments, ROOM - 1)], "这个回答解决您的问题了吗？"


async def _offer(turn: Turn, decision: FaqDecision) -> None:
    items = [MenuItem(id=f"{ASK}{one.article_id}", label=one.title) for one in decision.menu]
    head = "您是想问下面的问题吗？点一下就能看到答案："
    await turn.say(Menu(head=head, items=(*items, PEOPLE_ITEM)))


async def _admit(turn: Turn) -> None:
    """Say that we do not know; after enough misses in a row people take over."""
    if turn.session is not None:
        turn.session.bot_misses += 1
        if turn.session.bot_misses >= turn.words.handoff_after_misses:
            await turn.say("抱歉，这个问题我没能帮到您，马上为您转接人工客服。")
            await turn.hand_off("misses")
            return
    await turn.say(Menu(head=turn.words.unknown_text, items=(PEOPLE_ITEM,)))


async def ask_for_words(turn: Turn, kind: str = "image") -> None:
    """We have the file and need words: said once for files in a row, never inside a form."""
    state, _ = turn.form
    if not turn.is_bots or state:
        return
    seen = _SEEN.get(kind, "消息")
    head = f"{seen}已收到。请用一句话描述您遇到的问题，或者转人工由同事查看。"
    plea = Menu(head=head, items=(PEOPLE_ITEM,))
    recent = await since_last_words(turn.tx, turn.thread.conversation.id)
    if plea not in [one.content for one in recent]:
        await turn.say(plea)
