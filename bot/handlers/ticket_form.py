"""报修 in steps: category → one line → its own questions → pictures → confirm; 退出 leaves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.context import Context, Tools
from bot.filters.base import Filter, When
from bot.filters.content import MenuId, Says, spoken
from bot.handlers import ticket_fields
from bot.router import Router
from bot.ticket_words import LIST_WORDS, page_link
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived
from core.content import Content, Menu, MenuItem, Text, media_of
from core.errors import DomainError, Invalid
from core.fields import FieldSpec
from core.tickets import categories, entries, service
from core.tickets.access import CustomerActor
from core.tickets.customer_form import form_token
from core.tickets.service import TicketDraft
from core.views import FieldValue, TicketView

router = Router("ticket_form")

BEGIN_WORDS: Final = ("报修", "提工单", "我要报修", "提交工单")
_CATEGORY, _TEXT, _FIELD, _PICTURE, _CONFIRM = (
    "ticket.category",
    "ticket.text",
    "ticket.field",
    "ticket.picture",
    "ticket.confirm",
)
_REPLY: Final = "ticket.reply"
#: Menu ids of the form.
_ITEM: Final = "tform_"
_OTHER, _SKIP, _SUBMIT, _AGAIN = "other", "skip", "submit", "again"
QUIT_ITEM: Final = MenuItem(id="formquit", label="退出")
_MAX_CATEGORIES: Final = 7
_MAX_PICTURES: Final = 5
#: So many characters are no name of a category that was mistyped.
_DESCRIBES: Final = 5

in_ticket_form: Filter = When(
    lambda _, ctx: (
        ctx.situation is not None and ctx.situation.form.get("state", "").startswith("ticket.")
    )
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the customer sent: words, the key of a clicked line, a kept file, or why it was not."""

    text: str = ""
    key: str = ""
    attachment_id: str = ""
    problem: str = ""


def customer_of(turn: Turn) -> CustomerActor:
    return CustomerActor(turn.thread.customer.id, turn.thread.customer.name)


@router.on(MessageReceived, Says(BEGIN_WORDS))
async def begins(update: MessageReceived, ctx: Context) -> None:
    await _begin(ctx, update.message_id)


@router.on(MenuChosen, Says(BEGIN_WORDS))
async def clicks_begin(update: MenuChosen, ctx: Context) -> None:
    await _begin(ctx, update.message_id)


@router.on(MessageReceived, in_ticket_form & ~Says(LIST_WORDS))
async def answers(update: MessageReceived, ctx: Context) -> None:
    content: Content = update.content
    answer = _Answer(text=spoken(update).strip())
    if media_of(content) is not None:
        try:
            content = await ctx.tools.downloads.keep(update.address, content)
        except Invalid:
            answer = _Answer(problem="这个文件没能保存，请换一个文件，或用文字描述。")
        else:
            media = media_of(content)
            answer = _Answer(attachment_id=(media.attachment_id or "") if media else "")
    await _step(ctx, update.message_id, content, answer)


@router.on(MenuChosen, in_ticket_form & MenuId(_ITEM))
async def clicks(update: MenuChosen, ctx: Context) -> None:
    answer = _Answer(key=update.menu_id.removeprefix(_ITEM))
    await _step(ctx, update.message_id, Text(text=update.text), answer)


async def open_ticket(
    turn: Turn,
    text: str,
    *,
    category_id: str | None = None,
    fields: Mapping[str, FieldValue] | None = None,
    pictures: tuple[str, ...] = (),
) -> TicketView:
    """Open a ticket from what the customer described."""
    draft = TicketDraft(
        title=text.splitlines()[0][:60],
        description=text,
        customer_id=turn.thread.customer.id,
        category_id=category_id,
        source="bot",
        session_id=turn.session.id if turn.session else None,
        fields=fields or {},
        attachment_ids=pictures,
    )
    return await service.create(turn.tx, draft, by=customer_of(turn))


async def opened_words(turn: Turn, tools: Tools, made: TicketView) -> Content:
    """The number that people can say on the phone, and where progress is shown."""
    link = await page_link(turn.tx, tools.keys, tools.public_url, made)
    words = f"已为您登记工单 {made.number}，我们会尽快处理。"
    return Text(text=f"{words}发送“我的工单”随时查看，也可以打开：\n{link}")


async def _begin(ctx: Context, message_id: str) -> None:
    async with ctx.write() as turn:
        heard = Text(text=spoken(ctx.update))
        await turn.hear(message_id, heard, ctx.update.occurred_at)
        turn.forget_pending()
        menu = await _category_menu(turn, await _page_hint(ctx, turn))
        if menu is None:
            turn.fill_form(_TEXT, {})
            await turn.say(_ASK_TEXT)
            return
        turn.fill_form(_CATEGORY, {})
        await turn.say(menu)


async def _page_hint(ctx: Context, turn: Turn) -> str:
    """The same on a page, for those who would rather type there."""
    token = await form_token(turn.tx, ctx.tools.keys, turn.thread.customer.id)
    return f"打开页面填写：{ctx.tools.public_url.rstrip('/')}/h5/#/new/{token}\n或者在这里"


async def _step(ctx: Context, message_id: str, content: Content, answer: _Answer) -> None:
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at)
        state, data = turn.form
        if answer.problem:
            await turn.say(answer.problem)
            return
        try:
            result = await _STEPS[state](turn, data, answer)
        except DomainError:
            turn.leave_form()
            await turn.say("抱歉，没能提交。请重新发送“报修”，或回复“转人工”由同事处理。")
            return
        if isinstance(result, TicketView):
            result = await opened_words(turn, ctx.tools, result)
        await turn.say(result)


async def _category_menu(turn: Turn, problem: str = "") -> Menu | None:
    found = await categories.list_categories(turn.tx, only_active=True)
    roots = [one for one in found if one.parent_id is None][:_MAX_CATEGORIES]
    if not roots:
        return None
    items = [MenuItem(id=f"{_ITEM}{one.id}", label=one.name) for one in roots]
    other = MenuItem(id=f"{_ITEM}{_OTHER}", label="其他问题")
    head = f"{problem}请选择问题类别："
    return Menu(head=head, items=(*items, other, QUIT_ITEM))


async def _take_category(turn: Turn, data: dict[str, Any], answer: _Answer) -> Content:
    """A click, a number, or the name of a category."""
    found = await categories.list_categories(turn.tx, only_active=True)
    roots = [one for one in found if one.parent_id is None][:_MAX_CATEGORIES]
    by_word = {str(index): one for index, one in enumerate(roots, start=1)}
    by_word |= {one.name: one for one in roots} | {one.id: one for one in roots}
    chosen = by_word.get(answer.key or answer.text)
    is_other = answer.key == _OTHER or answer.text in ("其他", "其他问题")
    if chosen is None and not is_other:
        return await _ask_again(turn, data, answer.text)
    if chosen is not None:
        data |= {"category_id": chosen.id, "category": chosen.name}
    if said := data.pop("said", ""):
        return await _take_text(turn, data, _Answer(text=said))
    turn.fill_form(_TEXT, data)
    hint = chosen.templates[0].description if chosen and chosen.templates else ""
    return Text(text=f"{_ASK_TEXT}\n最好写明：{hint}" if hint else _ASK_TEXT)


async def _ask_again(turn: Turn, data: dict[str, Any], text: str) -> Content:
    """Many describe the matter at once: what is longer than a wrong name is kept."""
    problem = "没有这个类别。"
    if len(text) >= _DESCRIBES:
        data["said"] = f"{data.get('said', '')}\n{text}".strip()[:2000]
        turn.fill_form(_CATEGORY, data)
        problem = "已记下您的描述。"
    return await _category_menu(turn, problem) or Text(text=_ASK_TEXT)


async def _take_text(turn: Turn, data: dict[str, Any], answer: _Answer) -> Content:
    if len(answer.text) < 2:
        return Text(text="请用文字描述一下问题（图片下一步再发）；发送“退出”取消。")
    given = {"text": answer.text[:2000], "fields": {}, "passed": [], "pictures": []}
    return await _next_question(turn, data | given)


async def _questions(turn: Turn, data: Mapping[str, Any]) -> list[FieldSpec]:
    """What the category still wants to know from the customer."""
    if data.get("category_id") is None:
        return []
    category = await categories.get(turn.tx, data["category_id"])
    done = {*data["fields"], *data["passed"]}
    return [spec for spec in category.fields if spec.is_public and spec.key not in done]


async def _next_question(turn: Turn, data: dict[str, Any]) -> Content:
    open_questions = await _questions(turn, data)
    if open_questions:
        turn.fill_form(_FIELD, data)
        return ticket_fields.question(open_questions[0], _ITEM, QUIT_ITEM)
    turn.fill_form(_PICTURE, data)
    return _picture_menu("可以发送截图或文件（最多 5 个），没有就点“跳过”。")


async def _take_field(turn: Turn, data: dict[str, Any], answer: _Answer) -> Content:
    open_questions = await _questions(turn, data)
    if not open_questions:
        return await _next_question(turn, data)
    spec = open_questions[0]
    value = ticket_fields.value_of(spec, answer.text, answer.key)
    if value is None:
        return ticket_fields.question(spec, _ITEM, QUIT_ITEM, problem="没有看懂，请再填一次。")
    if value is ticket_fields.SKIPPED:
        data["passed"] = [*data["passed"], spec.key]
    else:
        data["fields"] = {**data["fields"], spec.key: value}
    return await _next_question(turn, data)


async def _take_picture(turn: Turn, data: dict[str, Any], answer: _Answer) -> Content:
    if answer.attachment_id:
        data["pictures"] = [*data["pictures"], answer.attachment_id]
        if len(data["pictures"]) < _MAX_PICTURES:
            turn.fill_form(_PICTURE, data)
            return _picture_menu(f"已收到 {len(data['pictures'])} 个文件，可以继续发送。")
    elif answer.key != _SKIP and answer.text not in ("跳过", "没有", "好了", "完成"):
        if answer.text:  # more words, not a picture: they belong to the description
            data["text"] = f"{data['text']}\n{answer.text}"[:2000]
            turn.fill_form(_PICTURE, data)
            return _picture_menu("已加到描述里。还可以发送截图，没有就点“跳过”。")
        return _picture_menu("请发送截图或文件，没有就点“跳过”。")
    turn.fill_form(_CONFIRM, data)
    return _summary(data)


async def _take_confirmation(
    turn: Turn, data: dict[str, Any], answer: _Answer
) -> Content | TicketView:
    if answer.key == _SUBMIT or answer.text in ("提交", "确认", "是", "好", "好的"):
        turn.leave_form()
        return await open_ticket(
            turn,
            data["text"],
            category_id=data.get("category_id"),
            fields=data["fields"],
            pictures=tuple(data["pictures"]),
        )
    if answer.key == _AGAIN or answer.text in ("重填", "重新填写"):
        turn.fill_form(_TEXT, {key: data[key] for key in data if key.startswith("category")})
        return Text(text=_ASK_TEXT)
    return _summary(data)


async def _take_reply(turn: Turn, data: dict[str, Any], answer: _Answer) -> Content:
    if not answer.text and not answer.attachment_id:
        return Text(text="请发送文字或图片；发送“退出”取消。")
    turn.leave_form()
    files = [answer.attachment_id] if answer.attachment_id else []
    by = customer_of(turn)
    await entries.reply(turn.tx, data["ticket_id"], answer.text, by=by, attachment_ids=files)
    return Text(text=f"已补充到工单 {data['number']}。")


def _picture_menu(head: str) -> Menu:
    label = "跳过" if not head.startswith("已收到") else "完成"
    return Menu(head=head, items=(MenuItem(id=f"{_ITEM}{_SKIP}", label=label), QUIT_ITEM))


def _summary(data: Mapping[str, Any]) -> Menu:
    lines = [
        "请确认：",
        f"类别：{data.get('category', '其他问题')}",
        f"描述：{data['text'][:200]}",
        f"附件：{len(data['pictures'])} 个",
    ]
    items = (
        MenuItem(id=f"{_ITEM}{_SUBMIT}", label="提交"),
        MenuItem(id=f"{_ITEM}{_AGAIN}", label="重新填写"),
        QUIT_ITEM,
    )
    return Menu(head="\n".join(lines), items=items)


_ASK_TEXT: Final = "请用一两句话描述问题，例如：数据上报失败，提示超时。发送“退出”可以取消。"
_Step = Callable[[Turn, dict[str, Any], _Answer], Awaitable[Content | TicketView]]
_STEPS: Final[Mapping[str, _Step]] = {
    _CATEGORY: _take_category,
    _TEXT: _take_text,
    _FIELD: _take_field,
    _PICTURE: _take_picture,
    _CONFIRM: _take_confirmation,
    _REPLY: _take_reply,
}
