"""The category tree of the knowledge base."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from admin_api.body import Body
from admin_api.endpoint import Call, endpoint
from admin_api.pagination import Listing
from core.db import Tx
from core.permissions import Permission
from knowledge import categories
from knowledge.categories import CategoryView


class CategoryBody(Body):
    """path: `/` between levels."""

    path: str = Field(min_length=1, max_length=200)
    position: int = Field(0, ge=0, le=10_000)


class CategoryMoveBody(Body):
    """from path, to path; with everything below it."""

    path: str = Field(min_length=1, max_length=200)
    to: str = Field(min_length=1, max_length=200)
    position: int | None = Field(None, ge=0, le=10_000)


class CategoryQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    path: str = Field(min_length=1, max_length=200)


@endpoint("GET", "/categories", access=Permission.SESSION_SERVE, tag="articles")
async def list_categories(call: Call, tx: Tx) -> Listing[CategoryView]:
    """The whole tree, parents before children, with the number of articles."""
    del call
    return Listing(items=await categories.list_categories(tx))


@endpoint("POST", "/categories", access=Permission.ARTICLE_EDIT, tag="articles", status=201)
async def create_category(call: Call, tx: Tx, body: CategoryBody) -> CategoryView:
    """Add a node, and those above it that are missing."""
    return await categories.create_category(tx, body.path, position=body.position, by=call.actor)


@endpoint("POST", "/categories/move", access=Permission.ARTICLE_PUBLISH, tag="articles")
async def move_category(call: Call, tx: Tx, body: CategoryMoveBody) -> CategoryView:
    """Rename or move a node with all below it; its articles go along."""
    return await categories.move_category(
        tx, body.path, to=body.to, position=body.position, by=call.actor
    )


@endpoint("DELETE", "/categories", access=Permission.ARTICLE_PUBLISH, tag="articles")
async def delete_category(call: Call, tx: Tx, query: CategoryQuery) -> None:
    """Remove a node; its articles go to its parent."""
    await categories.delete_category(tx, query.path, by=call.actor)
