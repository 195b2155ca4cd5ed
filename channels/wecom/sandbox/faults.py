"""Misbehaviour of the platform that can be switched on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from channels.wecom.sandbox.body import Body, Json
from channels.wecom.sandbox.errors import Refusal

CALL_KINDS: Final = ("errcode", "http", "latency", "drop_before", "drop_after")
OTHER_KINDS: Final = (
    "send_fail",
    "callback_lost",
    "callback_duplicate",
    "callback_delay",
    "pull_empty",
    "pull_repeat",
    "pull_shuffle",
)


@dataclass(slots=True)
class Fault:
    """rate: share of calls hit. times: hits left; None means no end."""

    fault_id: str
    kind: str
    api: str = "*"
    rate: float = 1.0
    times: int | None = None
    errcode: int = -1
    status: int = 502
    seconds: float = 0.0
    fail_type: int = 0

    @property
    def view(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


def read_fault(body: Body, fault_id: str) -> Fault:
    kind = body.text("kind")
    if kind not in CALL_KINDS + OTHER_KINDS:
        raise Refusal("bad_request", f"没有这种故障：{kind}")
    return Fault(
        fault_id=fault_id,
        kind=kind,
        api=body.text("api", "*"),
        rate=body.number("rate", 1.0),
        times=body.integer("times") if body.fields.get("times") is not None else None,
        errcode=body.integer("errcode", -1),
        status=body.integer("status", 502),
        seconds=body.number("seconds", 0.0),
        fail_type=body.integer("fail_type", 0),
    )


class Faults:
    """The faults that are on. Draws come from a generator with a fixed seed."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._chance = random.Random(20260101)  # noqa: S311 - which calls fail is no secret
        self._made = 0

    def add(self, body: Body) -> Fault:
        self._made += 1
        fault = read_fault(body, f"f{self._made}")
        self._faults[fault.fault_id] = fault
        return fault

    def remove(self, fault_id: str) -> None:
        if self._faults.pop(fault_id, None) is None:
            raise Refusal("not_found", "没有这个故障")

    def clear(self) -> None:
        self._faults.clear()

    def all(self) -> list[Fault]:
        return list(self._faults.values())

    def hit(self, kind: str, api: str = "") -> Fault | None:
        """The fault of this kind that strikes now, if one does."""
        if not self._faults:
            return None
        for fault in list(self._faults.values()):
            if fault.kind != kind or (api and not fnmatchcase(api, fault.api)):
                continue
            if fault.rate < 1 and self._chance.random() >= fault.rate:
                continue
            self._use_up(fault)
            return fault
        return None

    def shuffle(self, items: list[str]) -> None:
        self._chance.shuffle(items)

    def _use_up(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            del self._faults[fault.fault_id]
