"""How customers are received: waiting and time-outs, the rating, the reply window."""

from __future__ import annotations

from pydantic import Field

from core.settings.base import Line, Section, Words, unit


class Reception(Section):
    key = "reception"
    title = "接待与排队"
    about = "接待上限、排队话术与超时；分配策略在各团队里选"

    default_capacity: int = Field(
        5, ge=1, le=100, title="默认接待上限", json_schema_extra=unit("个会话")
    )
    last_servicer_first: bool = Field(True, title="优先分给上次的接待人员")
    last_servicer_within_s: int = Field(
        7 * 86400, ge=0, le=365 * 86400, title="“上次接待”有效期", json_schema_extra=unit("s")
    )
    queued_text: Words = Field(
        "正在为您转接人工客服，您前面还有 {ahead} 位，预计等待 {wait}。",
        title="进入排队",
        description="可用 {position} {ahead} {wait}",
    )
    soon_text: Words = Field("正在为您转接人工客服，马上就到。", title="马上接入")
    nobody_online_text: Words = Field(
        "正在为您转接人工客服。当前没有客服在线，您排在第 {position} 位；{wait}后仍没有客服上线，"
        "您可以留言，我们建成工单后回复。",
        title="无人在线",
        description="可用 {position} {ahead} {wait}；{wait} 是请客户留言之前的时间",
    )
    assigned_text: Words = Field(
        "客服 {servicer} 已接入，请问有什么可以帮您？",
        title="已接入",
        description="可用 {servicer}",
    )
    transferred_text: Words = Field(
        "已为您转接给 {servicer}，请稍候。", title="已转接", description="可用 {servicer}"
    )
    closed_text: Words = Field(
        "本次服务已结束，感谢您的咨询。",
        title="会话结束",
        description="不邀请评价时，会话结束告诉客户的话；留空则不说",
    )
    expected_service_s: int = Field(
        480,
        ge=30,
        le=7200,
        title="单个会话的预计时长",
        description="没有足够历史数据时用于估计等待时间",
        json_schema_extra=unit("s"),
    )
    vip_levels: tuple[Line, ...] = Field(
        ("VIP", "钻石"),
        max_length=20,
        title="优先接待的合同等级",
        description="这些等级的机构在排队时靠前",
    )
    vip_bonus_s: int = Field(
        600,
        ge=0,
        le=3600,
        title="优先等级相当于多等了多久",
        description="优先客户最多只能越过比他早这么久进入排队的客户",
        json_schema_extra=unit("s"),
    )
    returned_bonus_s: int = Field(
        900,
        ge=0,
        le=3600,
        title="转接后重新排队相当于多等了多久",
        json_schema_extra=unit("s"),
    )
    queue_max: int = Field(
        20,
        ge=1,
        le=10_000,
        title="无人在线时最多排队人数",
        description="超过后客户改为留言，建成工单",
        json_schema_extra=unit("位"),
    )
    queue_updates_max: int = Field(
        2,
        ge=0,
        le=3,
        title="排队进展最多通知几次",
        description="前面的人少了一半，或轮到下一位时通知；总会留出两条给接待和结束语",
        json_schema_extra=unit("次"),
    )
    nobody_online_s: int = Field(
        900,
        ge=60,
        le=86400,
        title="无人在线多久后请客户留言",
        description="等候中遇到下班也会请客户留言；每次排队只问一次",
        json_schema_extra=unit("s"),
    )
    servicer_slow_s: int = Field(
        300,
        ge=30,
        le=86400,
        title="接待人员超时未回复先提醒主管",
        description="团队组长（没有组长则是所有主管）和本人收到提醒；应短于重新分配的时间",
        json_schema_extra=unit("s"),
    )
    servicer_silent_s: int = Field(
        600,
        ge=60,
        le=86400,
        title="接待人员超时未回复则重新分配",
        json_schema_extra=unit("s"),
    )
    keep_when_offline: bool = Field(
        False,
        title="离线时默认保留手上的会话",
        description="关闭时，离线后有客户在等就分给别人；接待人员也可以在离线时自己选",
    )
    keep_for_s: int = Field(
        3600,
        ge=300,
        le=86400,
        title="离线后会话最多保留多久",
        description="超过后照常分给别人",
        json_schema_extra=unit("s"),
    )
    customer_silent_s: int = Field(
        1800, ge=60, le=172800, title="客户超时未回复则提醒", json_schema_extra=unit("s")
    )
    customer_silent_text: Words = Field(
        "请问还有其他可以帮您的吗？如果长时间没有回复，本次会话将自动结束。",
        title="提醒未回复的客户",
    )
    customer_close_s: int = Field(
        7200, ge=120, le=172800, title="客户超时未回复则结束会话", json_schema_extra=unit("s")
    )
    bot_close_s: int = Field(
        7200, ge=120, le=172800, title="机器人会话无消息则结束", json_schema_extra=unit("s")
    )
    away_grace_s: int = Field(
        60,
        ge=45,
        le=3600,
        title="断线多久后视为离开",
        description="控制台断开超过此时长，状态改为离线",
        json_schema_extra=unit("s"),
    )


class Rating(Section):
    key = "rating"
    title = "满意度评价"
    about = "会话结束后的评价邀请"

    is_enabled: bool = Field(True, title="启用评价")
    ask_after_bot: bool = Field(False, title="机器人会话也邀请评价")
    question: Words = Field("请您对本次服务做出评价：", title="邀请语")
    labels: tuple[Line, Line, Line, Line, Line] = Field(
        ("非常满意", "满意", "一般", "不满意", "非常不满意"),
        title="选项",
        description="依次为 5、4、3、2、1 分",
    )
    reasons_from: int = Field(
        2,
        ge=0,
        le=4,
        title="几分及以下时追问原因",
        description="追问只有一次；0 表示不追问",
        json_schema_extra=unit("分"),
    )
    reasons: tuple[Line, ...] = Field(
        ("回复太慢", "问题没有解决", "答复不专业", "态度不好", "其他"),
        max_length=9,
        title="不满意的原因",
        description="追问时供客户点选；留空则只请客户留言",
    )
    reason_question: Words = Field("很抱歉没能让您满意，请问是哪方面的问题？", title="追问原因")
    comment_question: Words = Field(
        "已记下。方便的话请直接写一句具体情况，我们会认真改进；不想写请点“跳过”。",
        title="请客户留言",
    )
    thanks: Words = Field("感谢您的评价，我们会继续努力。", title="致谢")
    valid_s: int = Field(
        48 * 3600, ge=300, le=7 * 86400, title="评价有效期", json_schema_extra=unit("s")
    )


class Conclusion(Section):
    key = "conclusion"
    title = "会话小结"
    about = "结束会话时填写的原因分类与小结"

    category_required: bool = Field(
        False,
        title="必须选择原因分类",
        description="开启后，接待人员结束会话时须选择问题分类；系统自动结束的会话不受影响",
    )
    summary_required: bool = Field(
        False, title="必须填写小结", description="开启后，接待人员结束会话时须填写小结"
    )


class Window(Section):
    key = "window"
    title = "回复窗口"
    about = "微信客服：客户最后一次发言后 48 小时内最多 5 条"

    reserve_last: bool = Field(
        True, title="保留最后一条", description="系统通知不占用最后一条，留给人工的结果或结束语"
    )
    join_left: int = Field(
        2,
        ge=0,
        le=5,
        title="剩余几条以内时合并发送",
        description="接待人员连着发的几句文字合成一条，省下回复次数；0 表示不合并",
        json_schema_extra=unit("条"),
    )
    join_wait_s: int = Field(
        4,
        ge=1,
        le=30,
        title="合并发送时等下一句多久",
        description="每来一句重新等，最多等三次",
        json_schema_extra=unit("s"),
    )
    warn_left: int = Field(
        1, ge=0, le=5, title="剩余几条时提醒接待人员", json_schema_extra=unit("条")
    )
    warn_before_s: int = Field(
        2 * 3600, ge=0, le=48 * 3600, title="到期前多久提醒", json_schema_extra=unit("s")
    )
