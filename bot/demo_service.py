"""The demo company's service desk: calendar, team, categories, promises, a score card."""

from __future__ import annotations

from typing import Final

from core.actor import Actor
from core.calendars import service as calendars
from core.calendars.service import CalendarDraft
from core.db import Tx
from core.fields import FieldSpec
from core.reviews import service as reviews
from core.reviews.service import ScoreItem
from core.sla import policies
from core.sla.policies import PolicyDraft
from core.sla.views import ChainStep, SlaConditions, SlaTargets
from core.teams import service as teams
from core.teams.service import TeamDraft
from core.tickets import categories
from core.tickets.categories import CategoryDraft, TicketTemplate
from core.views import Priority

_HOURS: Final = (("09:00", "12:00"), ("13:30", "17:30"))
_CHAIN: Final = (
    ChainStep(after_s=0, to="servicer"),
    ChainStep(after_s=1800, to="leader"),
    ChainStep(after_s=3600, to="supervisor"),
)
#: name, default priority, template.
_CATEGORIES: Final = (
    ("数据上报", Priority.HIGH, "上报失败：报错原文、发生时间、影响范围"),
    ("账号与权限", Priority.NORMAL, "账号问题：登录名、提示信息"),
    ("网络与 VPN", Priority.NORMAL, "连接问题：运营商、客户端版本、错误代码"),
    ("功能咨询", Priority.LOW, ""),
)
_CARD: Final = (
    ScoreItem(key="attitude", title="服务态度", weight=30),
    ScoreItem(key="solution", title="解决方案", weight=40),
    ScoreItem(key="timeliness", title="响应及时", weight=20),
    ScoreItem(key="safety", title="信息安全", weight=10, is_critical=True),
)


async def load_service_desk(tx: Tx, *, leader_id: str, member_ids: list[str], by: Actor) -> None:
    """What tickets need to be routed, promised and reviewed."""
    week = [_HOURS] * 5 + [(), ()]
    calendar = await calendars.create(tx, CalendarDraft("工作日", week), by=by)
    team = await teams.create(
        tx,
        TeamDraft(
            "实施支持组", leader_id=leader_id, calendar_id=calendar.id, member_ids=member_ids
        ),
        by=by,
    )
    version = FieldSpec(key="product_version", title="系统版本", is_public=True)
    for position, (name, priority, hint) in enumerate(_CATEGORIES):
        template = [TicketTemplate(name="标准", description=hint)] if hint else []
        draft = CategoryDraft(
            name,
            position=position,
            default_priority=priority,
            team_id=team.id,
            fields=[version],
            templates=template,
        )
        await categories.create(tx, draft, by=by)
    vip = SlaConditions(contract_levels=("VIP",))
    fast = SlaTargets(first_response_s=900, next_response_s=1800, resolution_s=4 * 3600)
    usual = SlaTargets(first_response_s=1800, next_response_s=3600, resolution_s=8 * 3600)
    await policies.create(tx, PolicyDraft("VIP", fast, vip, position=10, chain=_CHAIN), by=by)
    await policies.create(tx, PolicyDraft("标准", usual, chain=_CHAIN), by=by)
    await reviews.create_card(tx, "标准评分表", _CARD, by=by)
