"""Why a record of the OA cannot be taken as it is."""

from __future__ import annotations

from core.errors import Conflict


class Unfit(Conflict):
    """The record is understood and does not fit what is here.

    waits_for: the OA's id of the institution that must come first. candidate_id: ours that it
    may well be; people say so by linking the two.
    """

    def __init__(
        self, code: str, *, waits_for: str = "", candidate_id: str | None = None, **facts: object
    ) -> None:
        super().__init__(code, **facts)
        self.waits_for = waits_for
        self.candidate_id = candidate_id
