"""What an examination of the installation found, for the command line and the console."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(BaseModel):
    """One result. title, detail and advice are Chinese sentences for administrators.

    check: stable name, `area.subject`. code: the platform's error code, or empty.
    """

    model_config = ConfigDict(frozen=True)

    check: str
    title: str
    about: str
    status: Status
    detail: str = ""
    advice: str = ""
    code: str = ""


class Diagnosis(BaseModel):
    """All findings in the order of the checks. status: the worst of them."""

    model_config = ConfigDict(frozen=True)

    checked_at: datetime
    status: Status
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: tuple[Finding, ...], at: datetime) -> Diagnosis:
        found = {one.status for one in findings}
        worst = next((one for one in (Status.FAIL, Status.WARN) if one in found), Status.OK)
        return cls(checked_at=at, status=worst, findings=findings)
