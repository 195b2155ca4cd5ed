"""Lists over HTTP: `items` and `next_cursor`; `?cursor=&limit=`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from core.paging import Page

Item = TypeVar("Item")


class PageQuery(BaseModel):
    """cursor: `next_cursor` of the page before; absent for the first page."""

    model_config = ConfigDict(frozen=True)

    cursor: str | None = Field(None, max_length=512)
    limit: int = Field(50, ge=1, le=200)


class Listing(BaseModel, Generic[Item]):
    """next_cursor: null on the last page."""

    model_config = ConfigDict(frozen=True)

    items: Sequence[Item]
    next_cursor: str | None = None

    @classmethod
    @override
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[0].__name__}List"


def listing(page: Page[Item]) -> Listing[Item]:
    return Listing(items=page.items, next_cursor=page.next_cursor)
