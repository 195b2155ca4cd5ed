"""Quick registration by chat: name → institution → phone → SMS code; left and resumed anywhere.

Where the customer is lives in `core.registration`; the chat's form only says that it is running.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.context import Context
from bot.filters.base import Filter, When
from bot.filters.content import MenuId, Says, spoken
from bot.handlers.ticket_form import QUIT_ITEM
from bot.router import Router
from bot.ticket_words import LIST_WORDS
from bot.turn import Turn
from channels.update import MenuChosen, MessageReceived
from core.content import Content, Menu, MenuItem, Text
from core.registration import service as registration
from core.registration.service import Prompt, RegistrationStep
from core.registration.sms import deliver

router = Router("registration")

FORM: Final = "registration"
BEGIN: Final = "register"
BEGIN_ITEM: Final = MenuItem(id=BEGIN, label="登记单位信息")
_OPTION: Final = "regopt_"
_BEGIN_WORDS: Final = ("登记", "注册", "登记单位", "登记单位信息")
_BACK_WORDS: Final = ("上一步", "返回", "改手机号")
_QUESTIONS: Final[Mapping[RegistrationStep, str]] = {
    RegistrationStep.NAME: "请问怎么称呼您？请发送您的姓名。",
    RegistrationStep.INSTITUTION: "请发送您的单位名称，写一部分也可以，例如：云岭疾控。",
    RegistrationStep.CHOICE: "请选择您的单位；都不是的话，请换个名称再发一次。",
    RegistrationStep.PHONE: "请发送您的手机号，我们会发一条验证码短信。",
    RegistrationStep.CODE: "验证码已发送到 {phone}，请发送收到的 6 位数字。没收到可以发送“重发”。",
}
_PROBLEMS: Final[Mapping[str, str]] = {
    "bad_name": "姓名应为 1 到 32 个字，不能全是数字。",
    "institution_unknown": "没有找到这个单位，请换个写法，或回复“转人工”由同事为您登记。",
    "bad_phone": "手机号不正确，应为 11 位数字。",
    "sms_limit": "短信发得太频繁了，请在 {retry_after_s} 秒后再试。",
    "sms_not_sent": "短信没有发出去。请过一分钟发送“重发”，或回复“转人工”由同事为您登记。",
    "wrong_code": "验证码不正确。",
    "code_expired": "验证码已过期，请发送“重发”。",
    "too_many_attempts": "验证码错误次数太多，请发送“重发”。",
}

_in_registration: Filter = When(
    lambda _, ctx: ctx.situation is not None and ctx.situation.form.get("state") == FORM
)
_asks: Filter = Says(_BEGIN_WORDS) | MenuId(BEGIN)


@router.on(MessageReceived, _asks)
async def asked(update: MessageReceived, ctx: Context) -> None:
    await _begin(ctx, update.message_id)


@router.on(MenuChosen, _asks)
async def clicked(update: MenuChosen, ctx: Context) -> None:
    await _begin(ctx, update.message_id)


@router.on(MessageReceived, _in_registration & ~Says(LIST_WORDS))
async def answered(update: MessageReceived, ctx: Context) -> None:
    await _answer(ctx, update.message_id, update.content, spoken(update))


@router.on(MenuChosen, _in_registration & MenuId(_OPTION))
async def chose(update: MenuChosen, ctx: Context) -> None:
    institution_id = update.menu_id.removeprefix(_OPTION)
    await _answer(ctx, update.message_id, Text(text=update.text), institution_id)


async def _begin(ctx: Context, message_id: str) -> None:
    """From the start, or where the customer left."""
    async with ctx.write() as turn:
        await turn.hear(message_id, Text(text=spoken(ctx.update)), ctx.update.occurred_at)
        turn.forget_pending()
        prompt = await registration.begin(turn.tx, turn.thread.customer.id)
        if prompt.step is RegistrationStep.DONE:
            await turn.say("您已经登记过了。单位或电话有变化，请回复“转人工”由同事修改。")
            return
        turn.fill_form(FORM, {})
        token = registration.link_token(ctx.tools.keys, turn.thread.customer.id, turn.tx.now)
        form = f"\n或点这里填表：{ctx.tools.public_url.rstrip('/')}/h5/#/register/{token}"
        await turn.say(_question(prompt, more=form))


async def _answer(ctx: Context, message_id: str, content: Content, text: str) -> None:
    """Take one answer; the SMS, if one is due, leaves after the transaction."""
    tools = ctx.tools
    async with ctx.write() as turn:
        await turn.hear(message_id, content, ctx.update.occurred_at)
        customer_id = turn.thread.customer.id
        if text.strip() in _BACK_WORDS:
            prompt = await registration.back(turn.tx, customer_id)
        else:
            prompt = await registration.answer(turn.tx, tools.keys, customer_id, text)
        if prompt.step is RegistrationStep.DONE:
            await _done(turn)
        else:
            await turn.say(_question(prompt))
    if prompt.order is not None and (problem := await deliver(tools.sms, prompt.order)):
        async with ctx.write() as turn:
            await turn.say(_PROBLEMS[problem])


async def _done(turn: Turn) -> None:
    turn.leave_form()
    name = turn.thread.customer.name
    await turn.say(f"登记完成，{name}您好！以后我们会直接知道您和您的单位。请问有什么可以帮您？")


def _question(prompt: Prompt, *, more: str = "") -> Content:
    """more: said below the question, before the way out."""
    problem = _PROBLEMS.get(prompt.problem, "") if prompt.problem else ""
    text = f"{problem}\n{_QUESTIONS[prompt.step]}".strip()
    for key, value in prompt.facts.items():
        text = text.replace(f"{{{key}}}", value)
    text += more
    if prompt.step is not RegistrationStep.CHOICE:
        return Text(text=f"{text}\n（发送“退出”可以先不填）")
    options = [MenuItem(id=f"{_OPTION}{one.id}", label=one.label) for one in prompt.options]
    return Menu(head=text, items=(*options, QUIT_ITEM))
