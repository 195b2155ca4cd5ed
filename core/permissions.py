"""Who may do what: roles → permissions, in one table."""

from __future__ import annotations

from enum import StrEnum

from core.views import Role


class Permission(StrEnum):
    SESSION_SERVE = "session.serve"
    SESSION_SUPERVISE = "session.supervise"
    ARTICLE_EDIT = "article.edit"
    ARTICLE_PUBLISH = "article.publish"
    USER_MANAGE = "user.manage"
    ACCOUNT_MANAGE = "account.manage"
    SETTING_MANAGE = "setting.manage"
    AUDIT_READ = "audit.read"
    CUSTOMER_EDIT = "customer.edit"
    CUSTOMER_REVEAL = "customer.reveal"
    CUSTOMER_MANAGE = "customer.manage"
    TEAM_MANAGE = "team.manage"
    TICKET_WORK = "ticket.work"
    TICKET_MANAGE = "ticket.manage"
    SLA_MANAGE = "sla.manage"
    REVIEW_WRITE = "review.write"
    API_KEY_MANAGE = "api_key.manage"
    OA_SYNC = "oa.sync"


_SERVICER = frozenset(
    {
        Permission.SESSION_SERVE,
        Permission.ARTICLE_EDIT,
        Permission.CUSTOMER_EDIT,
        Permission.TICKET_WORK,
    }
)
_SUPERVISOR = _SERVICER | {
    Permission.SESSION_SUPERVISE,
    Permission.ARTICLE_PUBLISH,
    Permission.CUSTOMER_REVEAL,
    Permission.CUSTOMER_MANAGE,
    Permission.TEAM_MANAGE,
    Permission.TICKET_MANAGE,
    Permission.SLA_MANAGE,
    Permission.REVIEW_WRITE,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.SERVICER: _SERVICER,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: frozenset(Permission),
}


def permissions_of(role: Role) -> frozenset[str]:
    return frozenset(ROLE_PERMISSIONS[role])
