"""Who acts: a person who is logged in, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from core.errors import Forbidden
from core.permissions import Permission
from core.views import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """servicer_id: set when this person also serves customers. ip: where the request came from.

    is_program: another system, with an API key; it has permissions but is nobody.
    """

    user_id: str | None
    servicer_id: str | None
    name: str
    role: Role | None
    permissions: frozenset[str]
    ip: str = ""
    is_program: bool = False

    @classmethod
    def system(cls, name: str = "system") -> Self:
        """The product itself (timers, bot, command line): may do everything."""
        return cls(None, None, name, None, frozenset(Permission))

    @property
    def key(self) -> str:
        """What the audit log keeps: the user's id, or the system part's name."""
        return self.user_id or self.name

    @property
    def person(self) -> str:
        """The user's id. Raises: Forbidden `people_only` for whoever is not a person."""
        if self.user_id is None:
            raise Forbidden("people_only")
        return self.user_id

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises: Forbidden when this actor lacks the permission."""
        if permission not in self.permissions:
            raise Forbidden(permission=str(permission))
