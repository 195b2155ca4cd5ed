"""How the desk in the app speaks to servicers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from core.clock import LOCAL_ZONE
from core.content import Content, Text, media_of, plain_text
from core.errors import DomainError
from core.views import MessageView, NoteView, Presence, Sender, ServiceMode, SessionView

_MEDIA: Final = {"image": "图片", "voice": "语音", "video": "视频", "file": "文件"}
_STATES: Final = {
    "new": "还没有转人工",
    "bot": "还由机器人接待",
    "queued": "还在排队",
    "serving": "已由同事接待",
    "closed": "已经结束",
}
PRESENCES: Final = {
    Presence.ONLINE: "在线",
    Presence.BUSY: "忙碌",
    Presence.AWAY: "离开",
    Presence.OFFLINE: "离线",
}
HOW_TO_AIM: Final = "发「#编号 内容」发给指定会话，或发「会话」查看列表、「切换 编号」选定会话。"
NATIVE: Final = (
    "这个会话在企业微信的「微信客服」里接待：请到「消息 → 微信客服」中直接回复客户，这里不能代发。"
)

#: Refusals: what is the matter, and what to do. Facts of the error fill the braces.
_REFUSALS: Final[Mapping[str, str]] = {
    "no_such_number": "没有编号为 #{number} 的会话。发「会话」查看您现在的会话和编号。",
    "no_aim": "现在没有选定的会话。" + HOW_TO_AIM,
    "no_sessions": (
        "您现在没有会话。发「接入」接排队中的下一位客户；发「在线」开始自动分到新会话。"
    ),
    "native_mode": NATIVE,
    "not_my_session": "这个会话不在您名下。发「会话」查看您的会话，需要时请同事转接给您。",
    "not_serving": "这个会话{state}，不能发消息。发「会话」查看您现在的会话。",
    "not_queued": "来晚了一步，这个会话{state}。发「接入」接下一位。",
    "session_moved": "来晚了一步，这个会话刚被别人处理了。发「会话」查看最新情况。",
    "invalid_transition": "这个会话{state}，不能这样操作。发「会话」查看最新情况。",
    "at_capacity": "您的会话数已到接待上限。请先结束或转接一个会话，再发「接入」。",
    "colleague_at_capacity": "{servicer}的会话数已到接待上限，请换一位同事，或先留在您这里。",
    "transfer_to_self": "会话已经在您这里，不用转接。",
    "servicer_unavailable": "这位同事现在不在线。发「转接」查看可以转接的同事。",
    "no_such_colleague": "没有找到叫「{name}」的同事或团队。发「转接」查看可以转接的同事。",
    "several_colleagues": "「{name}」对应多位同事：{names}。请写全名。",
    "nobody_there": "现在没有其他同事在线，暂时不能转接。",
    "no_such_category": (
        "会话没有结束：没有叫「{name}」的分类，可用的有：{names}。发「结束 编号」则由系统拟定。"
    ),
    "category_required": "结束会话要选分类：发「结束 编号 分类 小结」，例如「结束 4 功能咨询」。",
    "summary_required": "结束会话要写小结：发「结束 编号 分类 小结」。",
    "no_such_ticket": "没有找到工单 {number}。发「待办」查看您的工单。",
    "ticket_closed": "这张工单已经结束，不能这样操作。",
    "already_assigned": "来晚了一步，这张工单已有同事处理。",
    "already_done": "这件事已经办过了。",
    "not_eligible": "这个会话属于其他团队，或对应的客服帐号没有让您接待，不能由您接入。",
    "queue_empty": "现在没有客户在排队。",
    "nothing_shown": "没有可选的条目。先发「知识 关键词」或「快捷」，再发「引用 编号」。",
    "article_not_found": "这条知识已经下线，请重新搜索。",
    "article_not_live": "这条知识已经下线，请重新搜索。",
    "reply_not_found": "没有叫「{name}」的快捷回复。发「快捷」查看全部。",
    "nothing_to_recall": "这个会话里没有可以撤回的消息。",
    "recall_too_late": "发出超过 2 分钟的消息不能撤回。",
    "recall_unsupported": "这个客服帐号不支持撤回。",
    "not_sent_yet": "消息还没有送达平台，稍等片刻再撤回。",
    "session_not_found": "没有找到这个会话。发「会话」查看最新情况。",
    "media_unavailable": "没能从企业微信取到这个文件，请重新发送。",
    "forbidden": "您没有这项操作的权限，请联系管理员。",
    "window_closed": (
        "现在发不出去：{why}。客户再发来消息后就能继续。"
        "要先存下这句话，请发「留言 内容」，客户一开口就会自动发出；也可以改打电话联系。"
    ),
}


def refusal(error: DomainError) -> str:
    """Why something was not done, in plain words."""
    facts = dict(error.facts)
    code = error.code
    if code == "no_focus":
        code = "no_aim" if facts.get("count") else "no_sessions"
    if code == "at_capacity" and "servicer" in facts:
        code = "colleague_at_capacity"
    if code == "window_closed":
        left = facts.get("left")
        facts["why"] = f"本轮只能再发 {left} 条" if left else "回复次数已用完，或已超过 48 小时"
    if "state" in facts:
        facts["state"] = _STATES.get(str(facts["state"]), "的状态已变化")
    template = _REFUSALS.get(code)
    if template is None:
        return f"没有办成（{code}）。请稍后再试，或到控制台处理。"
    return template.format_map(_Facts(facts))


class _Facts(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return ""


def who(session: SessionView) -> str:
    """王建国（云岭县疾控中心）."""
    name = session.customer_name or "客户"
    return f"{name}（{session.institution_name}）" if session.institution_name else name


def problem(session: SessionView, most: int) -> str:
    """What the customer began with, and what they said last."""
    said = dict.fromkeys((session.topic, session.last_customer_text))
    return shortened(" … ".join(text for text in said if text), most)


def line_of(number: int, name: str, content: Content) -> str:
    """#4 王建国：您好."""
    if media_of(content) is not None:
        return f"#{number} {name} 发来{_MEDIA.get(content.type, '文件')}："
    return f"#{number} {name}：{plain_text(content)}"


def clock(moment: datetime) -> str:
    return moment.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M")


def ago(span: timedelta) -> str:
    """约 3 分钟: goes on after a Chinese word without a space."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "不到 1 分钟"
    return f"约 {minutes} 分钟" if minutes < 120 else f"约 {minutes // 60} 小时"


def shortened(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def transcript_lines(messages: Sequence[MessageView]) -> list[str]:
    speakers = {Sender.BOT: "机器人", Sender.SYSTEM: "系统", Sender.CUSTOMER: "客户"}
    return [
        f"{speakers.get(one.sender) or one.servicer_name or '客服'}："
        + ("（已撤回）" if one.recalled_at else shortened(plain_text(one.content), 120))
        for one in messages
    ]


def room_left(session: SessionView, now: datetime) -> str:
    """还可发 4 条，至 11-22 18:30."""
    left, until = session.window.left, session.window.until
    if left is None or until is None:
        return ""
    if not left or until <= now:
        return "回复窗口已关闭"
    return f"还可发 {left} 条，至 {clock(until)}"


def session_row(number: int, session: SessionView, now: datetime, *, is_focused: bool) -> str:
    """Two lines of the list of sessions."""
    facts = [room_left(session, now)]
    if session.mode is ServiceMode.NATIVE:
        facts = ["在「微信客服」中接待"]
    if session.waiting_since is not None:
        facts.insert(0, f"等了{ago(now - session.waiting_since)}")
    mark = " ◀ 当前" if is_focused else ""
    last = shortened(session.last_customer_text, 40)
    tail = "，".join(fact for fact in facts if fact)
    return f"#{number} {who(session)}{mark}\n　{last}\n　{tail}"


def note_lines(notes: Sequence[NoteView]) -> list[str]:
    return [f"内部备注（{one.author_name}）：{one.text}" for one in notes]


def as_text(content: Content) -> str:
    return content.text if isinstance(content, Text) else plain_text(content)


HELP: Final = """您可以在这里完成全部接待工作（发「帮助」再看一遍）：
· 直接打字、发图片或语音 → 发给当前会话
· #4 你好 → 发给 4 号会话，并切换过去
· 会话 / 切换 4 / 记录 → 看列表、换会话、看聊天记录
· 接入 → 接排队中的下一位
· 转接 李军 说明 / 结束 / 撤回
· 结束 4 数据上报 已重新上报 → 结束时写明分类和小结（不写则自动拟好）
· 知识 关键词，再「引用 2」→ 把答案发给客户
· 快捷 / 快捷 nh → 常用回复
· 备注 内容 → 内部备注，客户看不到
· 留言 内容 → 现在发不出去时先存下
· 工单 标题 → 给当前客户建工单；待办 → 看自己的工单
· 受理 / 解决 / 转单 / 催办 / 升级，后面写工单号和说明
· 补充 工单号 内容 → 填必填项；跟进 工单号 明天 10:00 内容
· 回单 工单号 内容 → 写给客户；等客户 工单号 要补充什么
· 在线 / 忙碌 / 离线 → 改状态；「离线 保留」把手上的会话留到您回来
· 通知 关 / 通知 开 → 只用控制台时可以关掉提醒
想把「在线」这样的词发给客户，请写「#编号 在线」。"""
