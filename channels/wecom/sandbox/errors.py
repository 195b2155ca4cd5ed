"""The two ways in which the sandbox says no: to programs with an errcode, to people with words."""

from __future__ import annotations

from typing import Literal


class ApiError(Exception):
    """An answer of the platform's API other than 0."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode}: {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg


RefusalCode = Literal["bad_request", "not_found", "conflict", "too_large"]
STATUS_OF: dict[RefusalCode, int] = {
    "bad_request": 400,
    "not_found": 404,
    "conflict": 409,
    "too_large": 413,
}


class Refusal(Exception):
    """An action that a person in the phone page cannot take now. `text` is shown to them."""

    def __init__(self, code: RefusalCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
