"""Errors become problem+json (RFC 9457) here, and only here."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError

from admin_api.field_words import FIELDS, PASSWORD_RULES
from admin_api.words import (
    PROBLEMS,
    Language,
    bytes_words,
    language_of,
    say,
)
from core.clock import LOCAL_ZONE
from core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    WindowClosed,
)
from core.ports import SendFailure

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BY_CODE: Final = {
    "locked": 423,
    "malformed_json": 400,
    "unstorable_text": 400,
    "bad_cursor": 400,
    "file_missing": 400,
    "too_large": 413,
    "file_too_large": 413,
    "file_type_refused": 415,
    "file_name_mismatch": 415,
    "unsupported_media_type": 415,
    "idempotency_mismatch": 422,
    "knowledge_off": 503,
}
_BY_KIND: Final[tuple[tuple[type[DomainError], int], ...]] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Unauthenticated, 401),
    (Invalid, 422),
    (WindowClosed, 409),
    (Conflict, 409),
    (TooMany, 429),
)
_KIND_WORDS: Final = (("not_found", 404), ("forbidden", 403), ("conflict", 409))
_HTTP_CODES: Final = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: whatever goes wrong inside is answered in one shape."""
    language = language_of(request.headers.get("Accept-Language", ""))
    try:
        return await handler(request)
    except DomainError as error:
        return _of_domain(error, language)
    except ValidationError as error:
        return problem("invalid_fields", 422, language, errors=_fields(error.errors(), language))
    except SendFailure as error:
        facts = {"kind": error.kind, "vendor_code": error.vendor_code}
        return problem("channel_failed", 502, language, facts=facts)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(error, language)
    except ConnectionResetError:
        raise
    except Exception:
        incident = secrets.token_hex(6)
        log.exception(
            "A request failed unexpectedly.",
            extra={
                "action": "api.failed",
                "incident": incident,
                "method": request.method,
                "route": _route(request),
            },
        )
        return problem("internal", 500, language, facts={"incident": incident})


def problem(
    code: str,
    status: int,
    language: Language,
    *,
    facts: Mapping[str, object] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> web.Response:
    known = dict(facts or {})
    words = say(PROBLEMS, _known(code, status), language, _worded(known, language))
    body: dict[str, object] = {
        "type": f"urn:wenqu:problem:{code}",
        "title": words,
        "status": status,
        "code": code,
    }
    if plain := {key: _plain(value) for key, value in known.items()}:
        body["facts"] = plain
    if errors:
        body["errors"] = list(errors)
    headers = {}
    if "retry_after_s" in known:
        headers["Retry-After"] = str(known["retry_after_s"])
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        text=json.dumps(body, ensure_ascii=False),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


def _known(code: str, status: int) -> str:
    """The code whose words fit: its own, or those of its kind (`session_not_found`)."""
    if code in PROBLEMS:
        return code
    return next((kind for kind, number in _KIND_WORDS if number == status), "invalid")


def worded(error: DomainError, language: Language = "zh") -> str:
    """A refusal as people read it, outside of HTTP too."""
    known = _known(error.code, status_of(error))
    return say(PROBLEMS, known, language, _worded(dict(error.facts), language))


def status_of(error: DomainError) -> int:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for kind, status in _BY_KIND if isinstance(error, kind)), 400)


def _of_domain(error: DomainError, language: Language) -> web.Response:
    facts = dict(error.facts)
    raw = facts.pop("errors", ())
    fields = _fields(raw, language) if isinstance(raw, list) else []
    return problem(error.code, status_of(error), language, facts=facts, errors=fields)


def _of_http(error: web.HTTPException, language: Language) -> web.Response:
    code = _HTTP_CODES.get(error.status, "invalid")
    response = problem(code, error.status, language)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _fields(items: Sequence[Any], language: Language) -> list[dict[str, str]]:
    return [_field(item, language) for item in items[:50]]


def _field(item: Any, language: Language) -> dict[str, str]:
    """From pydantic's description, or from the domain's pair (field, code or sentence)."""
    if isinstance(item, Mapping):
        place, kind, facts = item["loc"], item["type"], item.get("ctx", {})
        return {
            "field": ".".join(str(part) for part in place),
            "message": say(FIELDS, _field_type(kind), language, facts),
        }
    place, code = item
    message = say(FIELDS, code, language, {}) if code in FIELDS else str(code)
    return {"field": str(place), "message": message}


def _field_type(kind: str) -> str:
    return kind if kind in FIELDS else "value_error"


def _worded(facts: dict[str, object], language: Language) -> dict[str, object]:
    """Facts as people read them."""
    words = dict(facts)
    for key in ("size", "most"):
        if isinstance(value := facts.get(key), int):
            words[f"{key}_words"] = bytes_words(value)
    if "rule" in facts:
        rule = str(facts["rule"])
        words["rule_words"] = say(PASSWORD_RULES, rule, language, facts)
    for key, value in facts.items():
        if isinstance(value, datetime):
            words[key] = value.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M")
        elif value is None:
            words[key] = "-"
    return words


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"
