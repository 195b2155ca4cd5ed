"""Every route and what it asks for, in one table."""

from __future__ import annotations

import pytest

from admin_api.routes import ENDPOINTS
from core.permissions import ROLE_PERMISSIONS, Permission
from core.views import Role
from tests.admin_api.conftest import Api

TABLE = {
    "public": {
        "GET /h5/tickets/{token}",
        "POST /h5/tickets/{token}/replies",
        "POST /h5/tickets/{token}/actions",
        "POST /h5/tickets/{token}/rating",
        "POST /h5/registrations/{token}",
        "POST /h5/registrations/{token}/answers",
        "POST /h5/registrations/{token}/back",
        "GET /h5/registrations/{token}/institutions",
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
        "GET /messages",
        "GET /calendars",
        "GET /calendars/{calendar_id}",
        "GET /calendars/{calendar_id}/days",
        "POST /calendar-reckonings",
        "GET /roster",
        "GET /teams",
        "GET /teams/{team_id}",
        "GET /teams/{team_id}/members",
        "GET /skills",
        "GET /servicers/{servicer_id}/skills",
        "GET /bindings",
        "GET /customers/{customer_id}/bindings",
        "GET /team-recommendations",
        "GET /institution-tree",
        "GET /institution-search",
        "GET /institutions/{institution_id}",
        "GET /regions",
        "GET /customers/{customer_id}/profile",
        "POST /customer-finds",
        "GET /customers/{customer_id}/timeline",
        "GET /customers/{customer_id}/duplicates",
        "GET /customers/{customer_id}/merges",
        "GET /customer-fields",
        "GET /customer-tags",
        "GET /segments",
        "POST /segment-previews",
        "GET /segments/{segment_id}",
        "GET /segments/{segment_id}/customers",
        "GET /score-cards",
        "GET /reviews",
        "POST /reviews/{review_id}/appeal",
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
        "GET /sessions/{session_id}/rating",
        "POST /sessions/{session_id}/notes",
        "POST /sessions/{session_id}/claim",
        "POST /sessions/{session_id}/transfer",
        "POST /sessions/{session_id}/close",
        "GET /sessions/{session_id}/conclusion",
        "PUT /sessions/{session_id}/conclusion",
        "POST /sessions/{session_id}/tags",
        "GET /session-tags",
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
        "GET /gaps",
        "GET /gaps/{gap_id}",
        "GET /known-questions",
        "GET /calibrations",
        "GET /calibrations/{calibration_id}/changes",
        "POST /sessions/{session_id}/draft-reply",
        "POST /decisions/{decision_id}/correction",
        "GET /categories",
        "GET /replies",
        "POST /replies",
        "PATCH /replies/{reply_id}",
        "DELETE /replies/{reply_id}",
        "GET /dashboard",
    },
    "session.supervise": {
        "GET /dead-letters",
        "POST /dead-letters/{item_id}/retry",
        "GET /teams/{team_id}/figures",
        "POST /sessions/{session_id}/takeover",
        "PUT /servicers/{servicer_id}/presence",
    },
    "customer.edit": {
        "PATCH /customers/{customer_id}",
        "PUT /customers/{customer_id}/custom",
        "PUT /customers/{customer_id}/secrets/{kind}",
        "POST /customer-tags",
        "POST /segments",
        "PUT /segments/{segment_id}",
        "DELETE /segments/{segment_id}",
    },
    "article.edit": {
        "POST /articles",
        "PATCH /articles/{article_id}",
        "DELETE /articles/{article_id}",
        "POST /articles/{article_id}/submit",
        "POST /articles/{article_id}/discard",
        "GET /articles/export",
        "POST /categories",
        "POST /gaps/{gap_id}/assign",
        "POST /gaps/{gap_id}/draft",
        "POST /gaps/{gap_id}/dismiss",
        "POST /gaps/{gap_id}/reopen",
        "PUT /known-questions",
        "POST /known-questions/import",
        "DELETE /known-questions/{known_id}",
        "POST /articles/{article_id}/impact",
        "POST /sessions/{session_id}/article-draft",
        "POST /tickets/{ticket_id}/article-draft",
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
        "POST /calibrations",
        "POST /calibrations/{calibration_id}/activate",
        "DELETE /calibrations/active",
    },
    "user.manage": {
        "GET /users",
        "POST /users",
        "PATCH /users/{user_id}",
        "POST /servicers",
        "PATCH /servicers/{servicer_id}",
    },
    "account.manage": {"PATCH /accounts/{account_id}"},
    "setting.manage": {"GET /settings", "PUT /settings/{key}", "GET /doctor"},
    "team.manage": {
        "POST /calendars",
        "PUT /calendars/{calendar_id}",
        "PUT /calendars/{calendar_id}/days",
        "POST /calendars/{calendar_id}/days/import",
        "DELETE /calendars/{calendar_id}/days/{day}",
        "POST /roster",
        "DELETE /roster/{shift_id}",
        "POST /teams",
        "PUT /teams/{team_id}",
        "POST /skills",
        "PUT /servicers/{servicer_id}/skills",
        "PUT /bindings",
    },
    "ticket.work": {
        "POST /similar-tickets",
        "GET /tickets",
        "GET /ticket-board",
        "POST /tickets",
        "GET /ticket-numbers/{number}",
        "GET /tickets/{ticket_id}",
        "PATCH /tickets/{ticket_id}",
        "POST /tickets/{ticket_id}/actions",
        "POST /tickets/{ticket_id}/assign",
        "POST /tickets/{ticket_id}/claim",
        "POST /tickets/bulk",
        "GET /tickets/{ticket_id}/similar",
        "POST /tickets/{ticket_id}/links",
        "DELETE /tickets/{ticket_id}/links/{other_id}",
        "POST /tickets/{ticket_id}/merge",
        "POST /tickets/{ticket_id}/split",
        "POST /tickets/{ticket_id}/customer-link",
        "GET /tickets/{ticket_id}/entries",
        "POST /tickets/{ticket_id}/entries",
        "GET /follow-ups",
        "POST /tickets/{ticket_id}/follow-ups",
        "POST /follow-ups/{follow_up_id}/finish",
        "POST /tickets/{ticket_id}/remote",
        "POST /remote/{assistance_id}/start",
        "POST /remote/{assistance_id}/end",
        "GET /institutions/{institution_id}/vpn-profiles",
        "POST /vpn-profiles/{profile_id}/reveal",
        "GET /ticket-categories",
        "GET /ticket-filters",
        "POST /ticket-filters",
        "DELETE /ticket-filters/{filter_id}",
        "GET /sla-policies",
        "POST /sla-reckonings",
    },
    "customer.manage": {
        "POST /institutions/{institution_id}/vpn-profiles",
        "PATCH /vpn-profiles/{profile_id}",
        "DELETE /vpn-profiles/{profile_id}",
        "POST /institutions",
        "PUT /institutions/{institution_id}",
        "DELETE /institutions/{institution_id}",
        "GET /customer-duplicates",
        "POST /customers/{customer_id}/merge",
        "POST /customer-merges/{merge_id}/undo",
        "POST /customers/import",
        "GET /customer-export",
        "GET /registration-links",
        "POST /registration-links",
        "DELETE /registration-links/{code}",
        "POST /registration-links/{code}/url",
        "GET /registration-links/{code}/qr",
    },
    "ticket.manage": {
        "POST /ticket-categories",
        "PUT /ticket-categories/{category_id}",
    },
    "sla.manage": {
        "POST /sla-policies",
        "PUT /sla-policies/{policy_id}",
    },
    "customer.reveal": {
        "POST /customers/{customer_id}/secrets/{kind}/reveal",
    },
    "review.write": {
        "POST /score-cards",
        "POST /score-cards/{card_id}/retire",
        "GET /review-samples",
        "POST /reviews",
        "POST /reviews/{review_id}/appeal-answer",
    },
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
