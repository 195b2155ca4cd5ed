"""Institutions from a spreadsheet, some hundred rows at a time; a dry run writes nothing.

A row stands below the institution that its column 上级 names, which is there already or comes in
an earlier row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import or_, select

from core.actor import Actor
from core.audit import service as audit
from core.customers.models import InstitutionRow
from core.db import Tx
from core.errors import Invalid
from core.institutions import regions, service
from core.institutions.service import InstitutionDraft
from core.ownership.models import OaLinkRow
from core.ownership.queries import OaKind, fields_of
from core.permissions import Permission
from core.sealing import KeyRing
from core.servicers.models import ServicerRow
from core.tables import Cells, Part, RowKeys, RowReader, Taken, cell_of

#: Heading → what it fills. English headings are understood too.
COLUMNS: Final[Mapping[str, str]] = {
    "名称": "name",
    "机构": "name",
    "机构名称": "name",
    "name": "name",
    "上级": "parent",
    "上级机构": "parent",
    "parent": "parent",
    "类型": "kind",
    "机构类型": "kind",
    "kind": "kind",
    "行政区划": "region_code",
    "区域": "region_code",
    "region_code": "region_code",
    "产品": "product",
    "product": "product",
    "版本": "product_version",
    "产品版本": "product_version",
    "product_version": "product_version",
    "合同级别": "contract_level",
    "contract_level": "contract_level",
    "负责工程师": "engineer",
    "工程师": "engineer",
    "engineer": "engineer",
    "oa 编号": "oa_id",
}
HEADINGS: Final = (
    "名称", "上级", "类型", "行政区划", "产品", "版本", "合同级别", "负责工程师", "OA 编号"
)  # fmt: skip
_TEXTS: Final = {"kind": 32, "product": 64, "product_version": 32, "contract_level": 16}
_MAX_NAME: Final = 128


async def check_heading(tx: Tx, heading: Sequence[str]) -> tuple[str, ...]:
    """The columns that nothing is done with. Raises: Invalid without a column of names."""
    del tx
    if "name" not in {COLUMNS.get(cell.lower()) for cell in heading}:
        raise Invalid("no_name_column", field="file", headings="、".join(HEADINGS))
    return tuple(cell for cell in heading if cell and cell.lower() not in COLUMNS)


def _name(cells: Cells) -> str:
    return cell_of(cells, COLUMNS, "name")[1]


def _above(cells: Cells) -> str:
    return _steps(cell_of(cells, COLUMNS, "parent")[1])[-1]


def _steps(path: str) -> tuple[str, ...]:
    """江苏省疾控中心 / 苏州市疾控中心 → both names; the last is the one meant."""
    return tuple(step.strip() for step in path.split("/"))


KEYS: Final = RowKeys(
    same=lambda cells: f"{cell_of(cells, COLUMNS, 'parent')[1]}|{_name(cells)}",
    name=_name,
    above=_above,
)


async def take(tx: Tx, keys: KeyRing, part: Part, *, by: Actor, is_dry: bool) -> Taken:
    """Create and update what the good rows mean, in their order. Raises: Forbidden."""
    del keys  # nothing of an institution is sealed
    by.require(Permission.CUSTOMER_MANAGE)
    readers = [_Reader(number, cells, COLUMNS) for number, cells in part.numbered()]
    places = await _places(tx, readers)
    taken: list[bool] = []
    bad: set[int] = set()
    for reader in readers:
        first, above = part.repeats.get(reader.number), part.below.get(reader.number)
        if first is not None and first not in bad:
            reader.refuse("名称", "repeats_row", first)
        known, draft = reader.read(places, comes=is_dry and above is not None and above not in bad)
        if not reader.errors and not is_dry:
            await _store(tx, reader, places, known, draft)
        if reader.errors:
            bad.add(reader.number)
        else:
            taken.append(known is None)
    if taken and not is_dry:
        await audit.append(tx, by=by, action="institution.imported", facts={"rows": len(taken)})
    errors = [error for reader in readers for error in reader.errors]
    return Taken(sum(taken), len(taken) - sum(taken), errors)


async def _store(
    tx: Tx, reader: _Reader, places: _Places, known: str | None, draft: InstitutionDraft
) -> None:
    try:
        places.note(await service.store(tx, known, draft), draft)
    except Invalid as error:  # too deep, or below itself
        reader.refuse(reader.cell("parent")[0], error.code)


@dataclass
class _Places:
    """What the rows of a part name, as it stands while they are taken one after the other."""

    drafts: dict[str, InstitutionDraft]
    by_name: dict[str, list[str]]
    by_oa: Mapping[str, str]
    engineers: Mapping[str, Sequence[str]]
    owned: Set[str]

    def named(self, path: Sequence[str]) -> list[str]:
        """Institutions of this name; where names precede it, below those."""
        *above, name = path
        found = self.by_name.get(name, [])
        if not above:
            return found
        parents = set(self.named(above))
        return [one for one in found if self.drafts[one].parent_id in parents]

    def below(self, found: Sequence[str], parent_id: str | None) -> list[str]:
        return [one for one in found if self.drafts[one].parent_id == parent_id]

    def note(self, institution_id: str, draft: InstitutionDraft) -> None:
        self.drafts[institution_id] = draft
        bearers = self.by_name.setdefault(draft.name, [])
        if institution_id not in bearers:
            bearers.append(institution_id)

    def owned_changes(self, institution_id: str, draft: InstitutionDraft) -> Set[str]:
        if institution_id not in self.by_oa.values():
            return set()
        return self.owned & set(service.changes(self.drafts[institution_id], draft))


class _Reader(RowReader):
    def read(self, places: _Places, *, comes: bool) -> tuple[str | None, InstitutionDraft]:
        """Which institution the row means (None: a new one), and how it is to be.

        comes: an earlier row, which a dry run did not write, is the one above.
        """
        name = self.required("name", _MAX_NAME, heading="名称")
        parent_id = self._parent(places, comes=comes)
        known = self._meant(places, name, parent_id)
        told = {target: self.text(target, longest) for target, longest in _TEXTS.items()}
        told |= {"region_code": self._region(), "engineer_id": self._engineer(places)}
        told["parent_id"] = parent_id or ""
        draft = replace(
            places.drafts.get(known or "", InstitutionDraft("")),
            name=name,
            **{target: text for target, text in told.items() if text},  # type: ignore[arg-type]  # texts all
        )
        for one in sorted(places.owned_changes(known, draft) if known else ()):
            self.refuse(self.cell(one)[0], "owned_by_oa")
        return known, draft

    def _parent(self, places: _Places, *, comes: bool) -> str | None:
        heading, text = self.cell("parent")
        found = places.named(_steps(text)) if text else []
        if len(found) == 1:
            return found[0]
        if text and not (comes and not found):
            self.refuse(heading, "ambiguous_parent" if found else "unknown_parent")
        return None

    def _meant(self, places: _Places, name: str, parent_id: str | None) -> str | None:
        """By the OA's id; else of this name, there, without a place yet, or the only one."""
        heading, oa_id = self.cell("oa_id")
        if oa_id:
            if oa_id not in places.by_oa:
                self.refuse(heading, "unknown_oa_id")
            return places.by_oa.get(oa_id)
        found = places.named((name,))
        if self.cell("parent")[1]:
            found = places.below(found, parent_id) or places.below(found, None)
        if len(found) > 1:
            self.refuse(self.cell("name")[0], "ambiguous_institution")
        return found[0] if found else None

    def _region(self) -> str:
        heading, text = self.cell("region_code")
        code = regions.code_of(text) if text else ""
        if text and not code:
            self.refuse(heading, "unknown_region")
        return code

    def _engineer(self, places: _Places) -> str:
        heading, text = self.cell("engineer")
        found = places.engineers.get(text, ()) if text else ()
        if text and len(found) != 1:
            self.refuse(heading, "ambiguous_engineer" if found else "unknown_engineer")
            return ""
        return found[0] if found else ""


async def _places(tx: Tx, readers: Sequence[_Reader]) -> _Places:
    cells = {name: {reader.cell(name)[1] for reader in readers} for name in set(COLUMNS.values())}
    names = cells["name"] | {step for path in cells["parent"] for step in _steps(path)}
    linked = select(OaLinkRow.institution_id).where(
        OaLinkRow.kind == OaKind.INSTITUTION, OaLinkRow.oa_id.in_(cells["oa_id"])
    )
    found = select(InstitutionRow).where(
        or_(InstitutionRow.name.in_(names), InstitutionRow.id.in_(linked))
    )
    rows = (await tx.db.scalars(found.order_by(InstitutionRow.id))).all()
    links = select(OaLinkRow.oa_id, OaLinkRow.institution_id).where(
        OaLinkRow.kind == OaKind.INSTITUTION, OaLinkRow.institution_id.in_([r.id for r in rows])
    )
    people = select(ServicerRow.name, ServicerRow.id).where(
        ServicerRow.name.in_(cells["engineer"])
    )
    engineers: dict[str, list[str]] = {}
    for name, servicer_id in await tx.db.execute(people):
        engineers.setdefault(name, []).append(servicer_id)
    by_oa = {oa_id: ours for oa_id, ours in await tx.db.execute(links) if ours}
    owned = frozenset(await fields_of(tx, OaKind.INSTITUTION))
    places = _Places({}, {}, by_oa, engineers, owned)
    for row in rows:
        places.note(row.id, service.draft_from(row))
    return places
