"""Errors of the domain: a stable `code` and facts. Wording and HTTP live at the edge."""

from __future__ import annotations


class DomainError(Exception):
    """Something was asked that the domain refuses. `code` is stable; `facts` fill the wording."""

    code = "domain_error"

    def __init__(self, code: str | None = None, **facts: object) -> None:
        self.code = code or type(self).code
        self.facts = facts
        super().__init__(f"{self.code} {facts}" if facts else self.code)


class NotFound(DomainError):
    code = "not_found"


class Forbidden(DomainError):
    code = "forbidden"


class Unauthenticated(DomainError):
    code = "unauthenticated"


class Invalid(DomainError):
    """The request is understood and wrong; `facts` name the field."""

    code = "invalid"


class Conflict(DomainError):
    """Somebody else was first; read again."""

    code = "conflict"


class InvalidTransition(Conflict):
    code = "invalid_transition"


class WindowClosed(DomainError):
    """The platform's reply window does not allow a message now."""

    code = "window_closed"


class TooMany(DomainError):
    """A rate limit was hit; `retry_after_s` is among the facts."""

    code = "too_many_requests"
