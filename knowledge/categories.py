"""The category tree: nodes named by their path, counted with all that lies below."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select, update

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import ArticleChanged
from core.permissions import Permission
from core.views import View
from knowledge.models import ArticleRow, CategoryRow

MAX_DEPTH = 5


class CategoryView(View):
    """articles: of this node and all below it."""

    path: str
    name: str
    parent: str
    position: int
    articles: int


async def list_categories(tx: Tx) -> list[CategoryView]:
    """The whole tree, parents before children, siblings in their order."""
    counts: dict[str, int] = {}
    used = await tx.db.execute(
        select(ArticleRow.category, func.count())
        .where(ArticleRow.state != "archived")
        .group_by(ArticleRow.category)
    )
    for path, count in used:
        for node in lineage(path):
            counts[node] = counts.get(node, 0) + count
    rows = list(await tx.db.scalars(select(CategoryRow)))
    position = {row.path: row.position for row in rows}
    rows.sort(key=lambda row: [(position.get(node, 0), node) for node in lineage(row.path)])
    return [_view(row, counts.get(row.path, 0)) for row in rows]


async def ensure_categories(tx: Tx, paths: Iterable[str]) -> None:
    """Make these nodes and those above them, where they are missing."""
    nodes = dict.fromkeys(node for path in sorted(set(paths)) for node in lineage(path))
    if nodes:
        rows = [{"path": node, "position": 0, "created_at": tx.now} for node in nodes]
        await tx.db.execute(tx.upsert(CategoryRow).on_conflict_do_nothing(), rows)


async def create_category(tx: Tx, path: str, *, position: int = 0, by: Actor) -> CategoryView:
    """Raises: Forbidden; Invalid; Conflict when the node is there."""
    by.require(Permission.ARTICLE_EDIT)
    path = checked_path(path)
    if await tx.db.get(CategoryRow, path) is not None:
        raise Conflict("category_exists", path=path)
    await ensure_categories(tx, [path])
    row = await tx.db.get_one(CategoryRow, path)
    row.position = position
    return _view(row, 0)


async def move_category(
    tx: Tx, path: str, *, to: str, position: int | None = None, by: Actor
) -> CategoryView:
    """Rename or move a node with all below it; its articles go along.

    position: its place among its new siblings, counted from 0; None leaves the order as it is.
    Raises: Forbidden; NotFound; Invalid; Conflict when the target is there.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    row = await tx.db.get(CategoryRow, path)
    if row is None:
        raise NotFound("category_not_found", path=path)
    target = checked_path(to)
    if target != path:
        if target.startswith(path + "/"):
            raise Invalid("category_into_itself", field="to")
        if await tx.db.get(CategoryRow, target) is not None:
            raise Conflict("category_exists", path=target)
        await _rename(tx, path, target)
        await tx.db.flush()
        row = await tx.db.get_one(CategoryRow, target)
    if position is not None:
        await _place(tx, row, position)
    await audit.append(tx, by=by, action="category.moved", target=path, facts={"to": target})
    return _view(row, 0)


async def _place(tx: Tx, row: CategoryRow, position: int) -> None:
    """Number the siblings anew, with this one at its place."""
    parent = row.path.rpartition("/")[0]
    everything = await tx.db.scalars(
        select(CategoryRow).order_by(CategoryRow.position, CategoryRow.path)
    )
    siblings = [
        one for one in everything if one.path.rpartition("/")[0] == parent and one is not row
    ]
    siblings.insert(position, row)
    for place, one in enumerate(siblings):
        one.position = place


async def delete_category(tx: Tx, path: str, *, by: Actor) -> None:
    """Remove a node; what lies below it and its articles go to its parent.

    Raises: Forbidden; NotFound.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    if await tx.db.get(CategoryRow, path) is None:
        raise NotFound("category_not_found", path=path)
    parent = path.rpartition("/")[0]
    below = await _below(tx, path)
    moved = [(parent + old.removeprefix(path)).strip("/") for old in below]
    await ensure_categories(tx, moved)
    await _recategorise(tx, path, parent)
    await audit.append(tx, by=by, action="category.deleted", target=path)
    await tx.db.execute(
        delete(CategoryRow)
        .where(CategoryRow.path.in_([path, *below]))
        .execution_options(synchronize_session=False)
    )


def lineage(path: str) -> list[str]:
    """`a/b/c` → `a`, `a/b`, `a/b/c`."""
    parts = [part for part in path.split("/") if part]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def checked_path(path: str) -> str:
    """Raises: Invalid for an empty, too long or too deep path."""
    parts = [part for name in path.split("/") if (part := name.strip())]
    if not parts or len(parts) > MAX_DEPTH or len("/".join(parts)) > 200 or "\x00" in path:
        raise Invalid("bad_category", field="path")
    return "/".join(parts)


async def _below(tx: Tx, path: str) -> list[str]:
    found = await tx.db.scalars(
        select(CategoryRow.path).where(CategoryRow.path.startswith(path + "/", autoescape=True))
    )
    return list(found)


async def _rename(tx: Tx, path: str, target: str) -> None:
    await ensure_categories(tx, [target.rpartition("/")[0]])
    for old in [path, *await _below(tx, path)]:
        await tx.db.execute(
            update(CategoryRow)
            .where(CategoryRow.path == old)
            .values(path=target + old.removeprefix(path))
            .execution_options(synchronize_session=False)
        )
    tx.db.expire_all()
    await _recategorise(tx, path, target)


async def _recategorise(tx: Tx, path: str, target: str) -> None:
    """Give articles of a subtree their new path; the indexes hear of each."""
    inside = ArticleRow.category.startswith(path + "/", autoescape=True)
    rows = await tx.db.scalars(select(ArticleRow).where((ArticleRow.category == path) | inside))
    for row in rows:
        row.category = (target + row.category.removeprefix(path)).strip("/")
        row.version += 1
        tx.emit(ArticleChanged(article_id=row.id, is_live=row.state == "published"))


def _view(row: CategoryRow, articles: int) -> CategoryView:
    parent, _, name = row.path.rpartition("/")
    return CategoryView(
        path=row.path, name=name, parent=parent, position=row.position, articles=articles
    )
