"""Why a record of the OA cannot be taken as it is."""

from __future__ import annotations

from core.errors import Conflict
from core.ownership.queries import OaKind


class Unfit(Conflict):
    """The record is understood and does not fit what is here.

    waits_for: what must come first, as `awaited` writes it. candidate_id: ours that it may well
    be; people say so by linking the two.
    """

    def __init__(
        self, code: str, *, waits_for: str = "", candidate_id: str | None = None, **facts: object
    ) -> None:
        super().__init__(code, **facts)
        self.waits_for = waits_for
        self.candidate_id = candidate_id


def awaited(kind: OaKind, oa_id: str) -> str:
    """A record of the OA that another waits for."""
    return f"{kind}:{oa_id}"
