"""The public holidays of China and their make-up workdays (调休), as far as they are announced.

Source: the `chinesecalendar` package, which follows the State Council's yearly notice. Beyond its
last year the weekly pattern alone holds, and whoever shows a calendar says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from chinese_calendar import Holiday
from chinese_calendar.constants import holidays as _holidays
from chinese_calendar.constants import workdays as _workdays

#: The next year's days are announced in November; from here on people are reminded.
WARN_AHEAD = timedelta(days=60)


class DayKind(StrEnum):
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"


PUBLIC_DAYS: Mapping[date, DayKind] = MappingProxyType(
    dict.fromkeys(_holidays, DayKind.HOLIDAY) | dict.fromkeys(_workdays, DayKind.MAKE_UP)
)
COVERED_UNTIL = date(max(PUBLIC_DAYS).year, 12, 31)

_CHINESE: dict[str, str] = {holiday.value: holiday.chinese for holiday in Holiday}


def name_of(day: date) -> str:
    """The holiday (春节, 国庆节 …) that a day belongs to; empty on ordinary days."""
    return _CHINESE.get(_holidays.get(day) or _workdays.get(day) or "", "")


def needs_attention(today: date) -> bool:
    """Whether an administrator should enter next year's days now."""
    return today + WARN_AHEAD > COVERED_UNTIL
