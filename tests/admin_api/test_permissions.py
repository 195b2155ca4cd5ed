"""Every route and what it asks for, in one table."""

from __future__ import annotations

import pytest

from admin_api.routes import ENDPOINTS
from core.permissions import ROLE_PERMISSIONS, Permission
from core.views import Role
from tests.admin_api.conftest import Api

TABLE = {
    "public": {
        "POST /auth/login",
        "POST /auth/refresh",
        "GET /attachments/{attachment_id}",
        "GET /system",
    },
    "login": {
        "POST /auth/logout",
        "GET /auth/me",
        "POST /auth/password",
        "GET /auth/devices",
        "DELETE /auth/devices/{device_id}",
    },
    "session.serve": {
        "GET /servicers",
        "PUT /servicers/me/presence",
        "GET /accounts",
        "POST /accounts/{account_id}/link",
        "GET /sessions",
        "GET /queue",
        "GET /sessions/{session_id}",
        "GET /sessions/{session_id}/messages",
        "POST /sessions/{session_id}/messages",
        "POST /sessions/{session_id}/recall",
        "GET /sessions/{session_id}/notes",
        "POST /sessions/{session_id}/notes",
        "POST /sessions/{session_id}/claim",
        "POST /sessions/{session_id}/transfer",
        "POST /sessions/{session_id}/close",
        "POST /sessions/{session_id}/read",
        "GET /read-marks",
        "GET /sessions/{session_id}/suggestions",
        "GET /sessions/{session_id}/decisions",
        "GET /customers",
        "GET /customers/{customer_id}",
        "GET /customers/{customer_id}/sessions",
        "GET /institutions",
        "POST /attachments",
        "POST /attachments/{attachment_id}/ticket",
        "GET /articles",
        "GET /articles/{article_id}",
        "GET /articles/{article_id}/revisions",
        "POST /articles/search",
        "GET /articles/find",
        "GET /articles/{article_id}/diff",
        "GET /synonyms",
        "GET /decisions",
        "GET /decisions/{decision_id}",
        "POST /decisions/{decision_id}/replay",
        "POST /bot/ask",
        "GET /bot/figures",
        "POST /decisions/{decision_id}/correction",
        "GET /categories",
        "GET /replies",
        "POST /replies",
        "PATCH /replies/{reply_id}",
        "DELETE /replies/{reply_id}",
        "GET /dashboard",
    },
    "session.supervise": {
        "POST /sessions/{session_id}/takeover",
        "PUT /servicers/{servicer_id}/presence",
    },
    "customer.edit": {"PATCH /customers/{customer_id}"},
    "article.edit": {
        "POST /articles",
        "PATCH /articles/{article_id}",
        "DELETE /articles/{article_id}",
        "POST /articles/{article_id}/submit",
        "POST /articles/{article_id}/discard",
        "GET /articles/export",
        "POST /categories",
    },
    "article.publish": {
        "POST /articles/{article_id}/approve",
        "POST /articles/{article_id}/reject",
        "POST /articles/{article_id}/roll-back",
        "POST /articles/import",
        "POST /categories/move",
        "DELETE /categories",
        "PUT /synonyms",
        "DELETE /synonyms",
        "PUT /synonyms/table",
    },
    "user.manage": {
        "GET /users",
        "POST /users",
        "PATCH /users/{user_id}",
        "POST /servicers",
        "PATCH /servicers/{servicer_id}",
    },
    "account.manage": {"PATCH /accounts/{account_id}"},
    "setting.manage": {"GET /settings", "PUT /settings/{key}"},
    "audit.read": {"GET /audit"},
}


def test_the_table_is_what_the_routes_ask_for() -> None:
    found: dict[str, set[str]] = {}
    for item in ENDPOINTS:
        found.setdefault(str(item.access), set()).add(f"{item.method} {item.path}")
    assert found == TABLE


def test_roles_include_each_other() -> None:
    servicer, supervisor, admin = (
        ROLE_PERMISSIONS[role] for role in (Role.SERVICER, Role.SUPERVISOR, Role.ADMIN)
    )
    assert servicer < supervisor < admin
    assert admin == set(Permission)


@pytest.mark.parametrize("role", ["servicer", "supervisor"])
async def test_each_route_refuses_strangers_and_those_without_the_permission(
    api: Api, log_in: object, role: str
) -> None:
    someone: Api = await log_in(role)  # type: ignore[operator]
    held = ROLE_PERMISSIONS[Role(role)]
    for item in ENDPOINTS:
        path = item.path.replace("{", "").replace("}", "")
        if item.access == "public":
            continue
        await api.refused(item.method, path, {}, status=401, code="unauthenticated")
        if isinstance(item.access, Permission) and item.access not in held:
            problem = await someone.refused(item.method, path, {}, status=403, code="forbidden")
            assert problem["facts"]["permission"] == item.access
