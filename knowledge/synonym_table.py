"""The synonym table that editors maintain. Empty in the database, the shipped one is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import delete, insert, select

from core.actor import Actor
from core.audit import service as audit
from core.db import Tx
from core.errors import Conflict, Invalid, NotFound
from core.events import SettingChanged
from core.permissions import Permission
from core.views import View
from knowledge.models import SynonymRow
from knowledge.synonyms import SynonymError, Synonyms
from knowledge.text import fold

#: Key of the event by which every process learns of a new table.
TABLE_KEY: Final = "knowledge.synonyms"
MAX_LINES: Final = 5000


class SynonymView(View):
    """One line: what customers say (variants) → the word of the base (term)."""

    term: str
    variants: tuple[str, ...]


async def list_synonyms(tx: Tx) -> list[SynonymView]:
    """The table in force, by term."""
    rows = await tx.db.scalars(select(SynonymRow).order_by(SynonymRow.term))
    views = [SynonymView(term=row.term, variants=tuple(row.variants)) for row in rows]
    return views or _shipped()


async def load_synonyms(tx: Tx) -> Synonyms:
    """The table in force, for retrieval."""
    terms = {
        variant: view.term
        for view in await list_synonyms(tx)
        for variant in view.variants
        if variant != view.term
    }
    return Synonyms(terms)


async def put_synonym(tx: Tx, term: str, variants: Sequence[str], *, by: Actor) -> SynonymView:
    """Set the variants of a term.

    Raises: Forbidden; Invalid; Conflict `variant_taken` when another term has a variant.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    wanted = _line(term, variants)
    await _copy_shipped(tx)
    others = {v: view.term for view in await list_synonyms(tx) for v in view.variants}
    for variant in wanted.variants:
        if others.get(variant, wanted.term) != wanted.term:
            raise Conflict("variant_taken", variant=variant, term=others[variant])
    row = await tx.db.scalar(select(SynonymRow).where(SynonymRow.term == wanted.term))
    if row is None:
        row = SynonymRow(term=wanted.term)
        tx.db.add(row)
    elif tuple(row.variants) == wanted.variants:
        return wanted
    row.variants, row.updated_at, row.updated_by = list(wanted.variants), tx.now, by.key
    await tx.db.flush()
    tx.emit(SettingChanged(key=TABLE_KEY, by=by.key))
    facts = {"variants": "|".join(wanted.variants)}
    await audit.append(tx, by=by, action="synonym.set", target=wanted.term, facts=facts)
    return wanted


async def delete_synonym(tx: Tx, term: str, *, by: Actor) -> None:
    """Raises: Forbidden; NotFound."""
    by.require(Permission.ARTICLE_PUBLISH)
    await _copy_shipped(tx)
    row = await tx.db.scalar(select(SynonymRow).where(SynonymRow.term == fold(term)))
    if row is None:
        raise NotFound("synonym_not_found", term=term)
    await tx.db.delete(row)
    await tx.db.flush()
    tx.emit(SettingChanged(key=TABLE_KEY, by=by.key))
    await audit.append(tx, by=by, action="synonym.deleted", target=row.term)


async def replace_synonyms(tx: Tx, text: str, *, by: Actor) -> list[SynonymView]:
    """Replace the whole table by lines `term = variant, variant`.

    Raises: Forbidden; Invalid `bad_synonyms` naming the line.
    """
    by.require(Permission.ARTICLE_PUBLISH)
    try:
        parsed = Synonyms.parse(text)
    except SynonymError as error:
        raise Invalid("bad_synonyms", field="text", reason=str(error)) from error
    lines = _grouped(parsed.terms)
    if len(lines) > MAX_LINES:
        raise Invalid("bad_synonyms", field="text", reason=f"more than {MAX_LINES} lines")
    await tx.db.execute(delete(SynonymRow))
    if lines:
        await _insert(tx, lines, by.key)
    tx.emit(SettingChanged(key=TABLE_KEY, by=by.key))
    await audit.append(tx, by=by, action="synonym.replaced", facts={"lines": len(lines)})
    return lines


def as_text(lines: Sequence[SynonymView]) -> str:
    return "".join(f"{line.term} = {', '.join(line.variants)}\n" for line in lines)


def _line(term: str, variants: Sequence[str]) -> SynonymView:
    folded = fold(term)
    kept = tuple(dict.fromkeys(v for variant in variants if (v := fold(variant)) != folded and v))
    if not folded or not kept or any(len(word) > 100 for word in (folded, *kept)):
        raise Invalid("bad_synonyms", field="variants", reason="empty or too long")
    return SynonymView(term=folded, variants=kept)


def _shipped() -> list[SynonymView]:
    return _grouped(Synonyms.shipped().terms)


def _grouped(terms: Mapping[str, str]) -> list[SynonymView]:
    groups: dict[str, list[str]] = {}
    for variant, term in terms.items():
        groups.setdefault(term, []).append(variant)
    return [SynonymView(term=term, variants=tuple(groups[term])) for term in sorted(groups)]


async def _copy_shipped(tx: Tx) -> None:
    """Before the first change the shipped table becomes the base's own."""
    if await tx.db.scalar(select(SynonymRow.id).limit(1)) is None:
        await _insert(tx, _shipped(), "shipped")


async def _insert(tx: Tx, lines: Sequence[SynonymView], by: str) -> None:
    rows = [
        {
            "term": line.term,
            "variants": list(line.variants),
            "updated_at": tx.now,
            "updated_by": by,
        }
        for line in lines
    ]
    await tx.db.execute(insert(SynonymRow), rows)
