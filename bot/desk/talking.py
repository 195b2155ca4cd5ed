"""What a servicer types or sends goes to a customer."""

from __future__ import annotations

from bot.context import Context
from bot.desk.bench import Bench, refuse, serve
from bot.desk.words import transcript_lines, who
from core.content import Content, Text
from core.conversations.queries import transcript
from core.desk import queries
from core.errors import DomainError, Invalid, NotFound
from core.sessions import talk
from core.sessions.talk import Posting

#: Lines of the transcript that 记录 shows.
_RECORD_LINES = 12


async def say(ctx: Context, content: Content, number: int | None = None) -> None:
    """To the numbered session, which is focused from then on; else to the focused one."""

    async def work(bench: Bench) -> None:
        await post(bench, [content], number=number)

    await serve(ctx, work)


async def send_file(ctx: Context, content: Content) -> None:
    """A picture, voice, video or file: fetched first, since the platform keeps it for 3 days."""
    try:
        kept = await ctx.tools.downloads.keep(ctx.update.address, content)
    except DomainError as error:
        await refuse(ctx, error)
        return
    await say(ctx, kept)


async def post(
    bench: Bench,
    contents: list[Content],
    *,
    number: int | None = None,
    source: dict[str, str] | None = None,
    hold_if_closed: bool = False,
) -> None:
    """Answer the customer. Raises: what `talk.post` raises."""
    found, session = await bench.session(number)
    posting = Posting(contents, source=source or {}, hold_if_closed=hold_if_closed)
    views = await talk.post(bench.tx, session.id, posting, by=bench.actor)
    if hold_if_closed and any(view.delivery == "held" for view in views):
        await bench.desk.answer(f"已为 #{found} {who(session)} 存下，客户再来消息时自动发出。")
    if bench.desk.focus_id != session.id:
        bench.desk.focus(session.id)
        await bench.desk.answer(f"已发送，当前会话切换为 #{found} {who(session)}。")


async def leave_message(ctx: Context, text: str) -> None:
    """留言: sent now if it may be, else as soon as the customer writes."""

    async def work(bench: Bench) -> None:
        await post(bench, [Text(text=text)], hold_if_closed=True)

    await serve(ctx, work)


async def note(ctx: Context, text: str) -> None:
    """备注: among colleagues."""

    async def work(bench: Bench) -> None:
        number, session = await bench.session()
        await talk.write_note(bench.tx, session.id, text, by=bench.actor)
        await bench.desk.answer(f"已记下 #{number} {who(session)} 的内部备注，客户看不到。")

    await serve(ctx, work)


async def recall(ctx: Context, _: str) -> None:
    """撤回: the newest own message of the focused session."""

    async def work(bench: Bench) -> None:
        number, session = await bench.session()
        last = await queries.last_said(bench.tx, session.id, bench.desk.servicer.id)
        if last is None:
            raise NotFound("nothing_to_recall")
        view = await talk.recall(bench.tx, last, by=bench.actor)
        if view.recalled_at is not None:
            raise Invalid("nothing_to_recall")
        await bench.desk.answer(f"正在撤回发给 #{number} {who(session)} 的最后一条消息。")

    await serve(ctx, work)


async def record(ctx: Context, rest: str) -> None:
    """记录: the last lines of a session."""

    async def work(bench: Bench) -> None:
        number, session = await bench.session(int(rest) if rest else None)
        lines, _ = await transcript(bench.tx, session.conversation_id, limit=_RECORD_LINES)
        head = f"#{number} {who(session)} 最近的聊天记录："
        await bench.desk.answer("\n".join([head, *transcript_lines(lines)]))

    await serve(ctx, work)
