"""Every parameter that an administrator may change, typed, described and bounded.

One class per section, one field per parameter; the console draws its forms from the JSON Schema.
Durations are seconds (`unit`: "s"). A new parameter is one field here and nothing else.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from core.fields import FieldSpec
from core.settings.base import Line, Section, Words
from core.settings.base import unit as _unit
from core.settings.oa import Oa
from core.settings.reception import Conclusion, Rating, Reception, Window


class GreetingItem(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["question", "handoff", "link"] = Field("question", title="动作")
    label: Line = Field(title="文字")
    value: str = Field("", max_length=512, title="问题或网址", description="留空时等于文字")


class Bot(Section):
    key = "bot"
    title = "机器人"
    about = "欢迎语、应答阈值、连发合并与转人工条件"

    is_enabled: bool = Field(True, title="启用机器人", description="关闭后客户直接进入人工排队")
    greeting: Words = Field(
        "您好，这里是客户服务。请直接描述您遇到的问题，我会先为您查找解答；需要人工时请回复“转人工”。",
        title="欢迎语",
    )
    greeting_menu: tuple[GreetingItem, ...] = Field(
        (
            GreetingItem(label="系统登录不上怎么办"),
            GreetingItem(label="数据上报失败怎么处理"),
            GreetingItem(kind="handoff", label="转人工服务"),
        ),
        max_length=10,
        title="欢迎菜单",
    )
    handoff_words: tuple[Line, ...] = Field(
        ("转人工", "人工", "人工客服", "人工服务", "找人工", "真人"),
        max_length=50,
        title="转人工词",
        description="客户整句等于其中一词时直接转人工",
    )
    handoff_after_misses: int = Field(
        2, ge=1, le=10, title="连续未命中几次后转人工", json_schema_extra=_unit("次")
    )
    unknown_text: Words = Field(
        "抱歉，这个问题我还没有把握回答。您可以换个说法，或回复“转人工”由同事为您处理。",
        title="不知道时的回复",
    )
    apology_text: Words = Field(
        "抱歉，系统暂时出了点问题，已为您转接人工客服，请稍候。", title="出错时的回复"
    )
    burst_quiet_s: float = Field(
        1.5,
        ge=0,
        le=10,
        title="连发合并：静默时长",
        description="客户停顿这么久后，把连发的短句合成一个问题",
        json_schema_extra=_unit("s"),
    )
    burst_max_s: float = Field(
        6, ge=0, le=60, title="连发合并：最长等待", json_schema_extra=_unit("s")
    )
    answer_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        title="直接回答的把握",
        description="留空则使用随知识库校准的值",
    )
    menu_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        title="给出“您是想问”菜单的把握",
        description="留空则使用随知识库校准的值",
    )
    show_source: bool = Field(True, title="回答附出处", description="在回答后注明知识条目标题")
    notice_text: str = Field(
        "",
        max_length=300,
        title="临时公告",
        description="例如故障说明；机器人在每个会话里先说一次",
    )
    notice_until: AwareDatetime | None = Field(
        None,
        title="公告截止时间",
        description="带时区的时间，如 2026-03-02T18:00:00+08:00；留空则不播报",
    )

    @property
    def calls_for_people(self) -> frozenset[str]:
        """Lines that say nothing else."""
        labels = [item.label for item in self.greeting_menu if item.kind == "handoff"]
        return frozenset((*self.handoff_words, *labels))


MB: Final = 1024 * 1024


class Uploads(Section):
    key = "uploads"
    title = "文件上传"
    about = "各类文件的大小上限；内容与扩展名都会检查"

    image_max_bytes: int = Field(
        10 * MB, ge=1024, le=50 * MB, title="图片", json_schema_extra=_unit("byte")
    )
    voice_max_bytes: int = Field(
        2 * MB, ge=1024, le=50 * MB, title="语音", json_schema_extra=_unit("byte")
    )
    video_max_bytes: int = Field(
        10 * MB, ge=1024, le=200 * MB, title="视频", json_schema_extra=_unit("byte")
    )
    file_max_bytes: int = Field(
        20 * MB, ge=1024, le=200 * MB, title="文件", json_schema_extra=_unit("byte")
    )
    image_max_pixels: int = Field(
        50_000_000, ge=10_000, le=89_000_000, title="图片像素", json_schema_extra=_unit("px")
    )


class Security(Section):
    key = "security"
    title = "登录与安全"
    about = "密码规则、失败锁定与登录有效期"

    password_min_length: int = Field(
        8, ge=8, le=64, title="密码最短长度", json_schema_extra=_unit("字符")
    )
    password_min_classes: int = Field(
        2,
        ge=1,
        le=4,
        title="密码字符种类",
        description="大写、小写、数字、符号中至少几种",
    )
    lock_after_failures: int = Field(
        5, ge=3, le=20, title="连续失败几次后锁定", json_schema_extra=_unit("次")
    )
    lock_s: int = Field(900, ge=60, le=86400, title="锁定时长", json_schema_extra=_unit("s"))
    access_token_s: int = Field(
        900, ge=60, le=3600, title="访问令牌有效期", json_schema_extra=_unit("s")
    )
    refresh_token_s: int = Field(
        14 * 86400,
        ge=3600,
        le=90 * 86400,
        title="登录有效期",
        description="超过这么久没有使用就要重新登录",
        json_schema_extra=_unit("s"),
    )


class Tickets(Section):
    key = "tickets"
    title = "工单"
    about = "自动关闭、重开、催单与客户进度页"

    auto_close_s: int = Field(
        3 * 86400,
        ge=0,
        le=90 * 86400,
        title="解决后自动关闭",
        description="客户既不确认也不重开时；0 表示不自动关闭",
        json_schema_extra=_unit("s"),
    )
    reopen_within_s: int = Field(
        7 * 86400,
        ge=0,
        le=365 * 86400,
        title="关闭后可重开的期限",
        json_schema_extra=_unit("s"),
    )
    nudge_every_s: int = Field(
        3600,
        ge=60,
        le=86400,
        title="催单生效间隔",
        description="间隔内重复催单会被记录，但不再提高优先级",
        json_schema_extra=_unit("s"),
    )
    customer_link_s: int = Field(
        90 * 86400,
        ge=3600,
        le=366 * 86400,
        title="客户进度页链接有效期",
        json_schema_extra=_unit("s"),
    )


class Customers(Section):
    key = "customers"
    title = "客户"
    about = "客户档案的自定义字段"

    fields: tuple[FieldSpec, ...] = Field(
        (),
        max_length=50,
        title="自定义字段",
        description="从上到下就是档案、导入模板和分群里的顺序；键只用小写英文、数字和下划线，定下后不要改",
    )

    @field_validator("fields")
    @classmethod
    def _can_be_told_apart(cls, fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
        for names in ([one.key for one in fields], [one.title for one in fields]):
            if twice := next((name for name in names if names.count(name) > 1), ""):
                raise ValueError(f"“{twice}”用了两次")
        if bare := next((one for one in fields if one.kind == "choice" and not one.choices), None):
            raise ValueError(f"“{bare.title}”是单选，请列出选项")
        return fields


class Knowledge(Section):
    key = "knowledge"
    title = "知识库"
    about = "审核与统计"

    second_person: bool = Field(
        True,
        title="发布须由他人审核",
        description="开启后，作者不能发布自己写的知识条目；只有一人维护知识库时可以关闭",
    )
    handling_s: int = Field(
        300,
        ge=1,
        le=86400,
        title="人工处理一个问题的时长",
        description="用于估算机器人节省的工作量",
        json_schema_extra=_unit("s"),
    )
    surge_sessions: int = Field(
        8,
        ge=0,
        le=10_000,
        title="多少位客户问同一问题时提醒",
        description="短时间内许多人问同一件事，多半是出了故障；0 表示不提醒",
        json_schema_extra=_unit("位"),
    )
    surge_window_s: int = Field(
        600, ge=60, le=86400, title="集中提问的时间范围", json_schema_extra=_unit("s")
    )


class Retention(Section):
    key = "retention"
    title = "保存期限"
    about = "超过期限的数据由定期任务清除；0 表示一直保存"

    messages_days: int = Field(0, ge=0, le=3650, title="聊天记录", json_schema_extra=_unit("day"))
    attachments_days: int = Field(0, ge=0, le=3650, title="附件", json_schema_extra=_unit("day"))
    events_days: int = Field(180, ge=7, le=3650, title="事件日志", json_schema_extra=_unit("day"))
    audit_days: int = Field(0, ge=0, le=3650, title="审计日志", json_schema_extra=_unit("day"))


SECTIONS: Final[dict[str, type[Section]]] = {
    section.key: section
    for section in (
        Bot,
        Reception,
        Rating,
        Conclusion,
        Window,
        Uploads,
        Security,
        Tickets,
        Customers,
        Oa,
        Knowledge,
        Retention,
    )
}
