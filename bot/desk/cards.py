"""The cards of the desk: what they show and what their buttons do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.context import Context
from bot.desk import ticket_work
from bot.desk.bench import Bench, serve
from bot.desk.sessions import claim, make_ticket, offer_colleagues
from bot.desk.words import NATIVE, ago, problem, refusal, shortened, who
from channels.update import CardPressed
from core.content import Address
from core.db import Tx
from core.desk import cards
from core.errors import Conflict, Invalid
from core.ports import CardButton, CardMessage
from core.sessions.queries import session_view
from core.views import ServiceMode, SessionState, SessionView
from knowledge.decisions import decisions_of_session
from knowledge.views import DecisionView

TAKE, PASS_ON, TICKET = "take", "pass", "ticket"
_BUTTONS: Final = (
    CardButton(TAKE, "接入", "primary"),
    CardButton(PASS_ON, "转给同事"),
    CardButton(TICKET, "建工单"),
)
_REASONS: Final = {
    "asked": "客户要求转人工",
    "misses": "机器人多次没有答上",
    "red_line": "涉及健康红线",
    "error": "系统出错转人工",
    "bot_disabled": "机器人未启用",
}


async def session_card(
    tx: Tx, address: Address, card_id: str, session: SessionView, *, number: int | None = None
) -> CardMessage:
    """number: the session is already this servicer's; else it waits for anyone."""
    tried = await decisions_of_session(tx, session.id)
    waiting = tx.now - (session.queued_at or session.opened_at)
    head = f"#{number} 已分配给您" if number is not None else "新会话等待接入"
    lines = [
        ("客户", session.customer_name or "客户"),
        ("机构", session.institution_name or "未登记"),
        ("问题", problem(session, 60)),
        ("机器人", bot_tried(tried)),
        ("转人工", _REASONS.get(session.handoff_reason, "转接") + f"，已等{ago(waiting)}"),
        ("入口", session.account_name),
    ]
    how = "到「微信客服」里回复" if session.mode is ServiceMode.NATIVE else "直接打字即可回复"
    note = f"{session.assigned_because}。{how}" if number is not None else "点「接入」开始接待"
    return CardMessage(
        address=address,
        message_id=card_id,
        task_id=card_id,
        title=f"{head}：{who(session)}",
        subtitle=note,
        lines=tuple(lines),
        buttons=_BUTTONS,
    )


def bot_tried(decisions: Sequence[DecisionView]) -> str:
    """What the bot did before people were asked."""
    words = []
    for one in decisions[-2:]:
        titles = [found.title for found in one.candidates[:2]]
        if one.band == "answer" and titles:
            verdict = "，客户说没解决" if one.verdict in {"unsolved", "wrong"} else ""
            words.append(f"答了《{shortened(titles[0], 20)}》{verdict}")
        elif one.band == "menu" and titles:
            words.append("给出候选：" + "、".join(shortened(title, 14) for title in titles))
        else:
            words.append("没有答案")
    return "；".join(words) or "没有回答过"


async def pressed(update: CardPressed, ctx: Context) -> None:
    """A button was pressed: its fresh code is kept, whatever becomes of the wish."""

    async def work(bench: Bench) -> None:
        card_id = update.task_id
        about = await cards.subject_of(bench.tx, card_id, bench.desk.servicer.id)
        if about is None:
            await bench.desk.answer(
                "这张卡片已经失效。发「会话」查看您的会话，发「接入」接下一位。"
            )
            return
        await cards.keep_code(bench.tx, card_id, update.response_code, bench.tx.now)
        if about.ticket_id is not None:
            await ticket_work.pressed(bench, card_id, about.ticket_id, update.button)
        elif about.session_id is not None:
            view = await session_view(bench.tx, about.session_id)
            await _ACTIONS.get(update.button, _take)(bench, card_id, view)

    await serve(ctx, work)


async def _take(bench: Bench, card_id: str, view: SessionView) -> None:
    """接入: claim what waits, or aim at what is one's own."""
    if view.state is SessionState.QUEUED:
        try:
            await claim(bench, view.id)
        except (Conflict, Invalid) as error:
            if error.code != "at_capacity":
                raise
            await bench.desk.answer(refusal(error))
        return
    if _is_mine(bench, view):
        number = await bench.desk.take(view.id, focus=True)
        await cards.close(bench.tx, card_id, f"您已接入 #{number}")
        native = f"\n{NATIVE}" if view.mode is ServiceMode.NATIVE else ""
        await bench.desk.answer(f"当前会话：#{number} {who(view)}，直接打字即可回复。{native}")
        return
    label = _gone(view)
    await cards.close(bench.tx, card_id, label)
    await bench.desk.answer(f"来晚了一步：{who(view)} {label}。发「接入」接下一位。")


async def _pass_on(bench: Bench, card_id: str, view: SessionView) -> None:
    """转给同事: names to choose from."""
    if _is_mine(bench, view):
        number = await bench.desk.take(view.id)
        await offer_colleagues(bench, number)
    elif view.state is SessionState.QUEUED:
        await bench.desk.answer(
            f"{who(view)} 还在排队。先点「接入」，再发「转接 姓名」转给同事，或留给同事接入。"
        )
    else:
        await cards.close(bench.tx, card_id, _gone(view))
        await bench.desk.answer(f"{who(view)} {_gone(view)}，不用再转。")


async def _ticket(bench: Bench, card_id: str, view: SessionView) -> None:
    """建工单: the card stays, so that the session can still be taken."""
    del card_id
    await make_ticket(bench, view)


_ACTIONS: Final = {TAKE: _take, PASS_ON: _pass_on, TICKET: _ticket}


def _is_mine(bench: Bench, view: SessionView) -> bool:
    return view.state is SessionState.SERVING and view.servicer_id == bench.desk.servicer.id


def _gone(view: SessionView) -> str:
    if view.state is SessionState.SERVING:
        return f"已由{view.servicer_name}接入"
    return "已结束" if view.state is SessionState.CLOSED else "已转回机器人"
