"""Customers from a spreadsheet, some hundred rows at a time: read, checked, then written together.

A dry run checks and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.customers import bulk, profiles
from core.customers.bulk import PlannedRow
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret, context_of
from core.customers.tags import checked as checked_tag
from core.db import Tx
from core.errors import Invalid
from core.fields import FieldSpec, checked_fields, from_text
from core.ownership.models import OaLinkRow
from core.ownership.queries import OaKind, fields_of
from core.permissions import Permission
from core.sealing import KeyRing, normal_phone
from core.settings.queries import get as setting
from core.settings.sections import Customers
from core.tables import Cells, Part, RowError, RowKeys, RowReader, Taken, cell_of
from core.views import FieldValue

#: Heading → what it fills. English headings are understood too.
COLUMNS: Final[Mapping[str, str]] = {
    "姓名": "name",
    "name": "name",
    "机构": "institution",
    "institution": "institution",
    "电话": "phone",
    "手机": "phone",
    "phone": "phone",
    "邮箱": "email",
    "email": "email",
    "证件号": "id_number",
    "标签": "tags",
    "tags": "tags",
    "备注": "note",
    "note": "note",
    "oa 编号": "oa_id",
}
HEADINGS: Final = ("姓名", "机构", "电话", "邮箱", "标签", "备注", "OA 编号")
_MAX_NAME, _MAX_NOTE = 128, 2000


async def check_heading(tx: Tx, heading: Sequence[str]) -> tuple[str, ...]:
    """The columns that nothing is done with. Raises: Invalid without a column of names."""
    known = {spec.title for spec in (await setting(tx, Customers)).fields}
    targets = {cell: COLUMNS.get(cell.lower(), "") for cell in heading}
    if "name" not in targets.values():
        raise Invalid("no_name_column", field="file", headings="、".join(HEADINGS))
    return tuple(cell for cell, to in targets.items() if cell and not to and cell not in known)


def _same(cells: Cells) -> str:
    """By phone, else by name and institution."""
    name, place, phone = (
        cell_of(cells, COLUMNS, target)[1] for target in ("name", "institution", "phone")
    )
    return normal_phone(phone) or f"{name}|{place}"


KEYS: Final = RowKeys(_same)


async def take(tx: Tx, keys: KeyRing, part: Part, *, by: Actor, is_dry: bool) -> Taken:
    """Create and update whom the good rows mean: same phone, else same name and institution."""
    rows, errors = await plan(tx, keys, part, by=by)
    if rows and not is_dry:
        await bulk.write(tx, keys, rows)
        await audit.append(tx, by=by, action="customer.imported", facts={"rows": len(rows)})
    created = sum(row.customer_id is None for row in rows)
    return Taken(created, len(rows) - created, errors)


async def plan(
    tx: Tx, keys: KeyRing, part: Part, *, by: Actor
) -> tuple[list[PlannedRow], list[RowError]]:
    """The good rows with whom they mean, and what is wrong with the others. Raises: Forbidden."""
    by.require(Permission.CUSTOMER_MANAGE)
    specs = {spec.title: spec for spec in (await setting(tx, Customers)).fields}
    readers = [_Reader(number, cells, COLUMNS, specs=specs) for number, cells in part.numbered()]
    places = await _places(tx, {reader.place for reader in readers})
    drafts = [reader.read(places) for reader in readers]
    known = await _known(tx, keys, drafts)
    linked = await _linked(tx, {reader.oa_id for reader in readers} - {""}, known)
    rows: list[PlannedRow] = []
    errors: list[RowError] = []
    bad: set[int] = set()
    for reader, draft, found in zip(readers, drafts, known, strict=True):
        customer_id = reader.settle(linked, found)
        first = part.repeats.get(reader.number)
        if not reader.errors and first is not None and first not in bad:
            reader.refuse("姓名", "repeats_row", first)
        if reader.errors:
            bad.add(reader.number)
        else:
            rows.append(replace(draft, customer_id=customer_id))
        errors += reader.errors
    theirs = {reader.number: reader for reader in readers}
    return await _without_owned(tx, keys, rows, linked, theirs, errors), errors


@dataclass
class _Reader(RowReader):
    specs: Mapping[str, FieldSpec] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The institution's name, as it is written here."""
        return self.cell("institution")[1]

    @property
    def oa_id(self) -> str:
        return self.cell("oa_id")[1]

    def read(self, places: Mapping[str, Sequence[str]]) -> PlannedRow:
        """places: name → ids of the institutions that bear it."""
        return PlannedRow(
            number=self.number,
            customer_id=None,
            name=self.required("name", _MAX_NAME, heading="姓名"),
            institution_id=self._institution(places),
            secrets=self._secrets(),
            tags=self._tags(),
            note=self.text("note", _MAX_NOTE),
            custom=self._custom(),
        )

    def settle(self, linked: Mapping[str, str], found: str | None) -> str | None:
        """Whom the row means; the OA's id says it before anything else. linked: OA's id → ours."""
        heading, oa_id = self.cell("oa_id")
        if oa_id and oa_id not in linked:
            self.refuse(heading, "unknown_oa_id")
        return linked.get(oa_id, found)

    def _institution(self, places: Mapping[str, Sequence[str]]) -> str | None:
        heading, text = self.cell("institution")
        if not text:
            return None
        found = places.get(text, ())
        if len(found) != 1:
            self.refuse(heading, "ambiguous_institution" if found else "unknown_institution")
            return None
        return found[0]

    def _secrets(self) -> dict[CustomerSecret, str]:
        found: dict[CustomerSecret, str] = {}
        for kind in CustomerSecret:
            heading, text = self.cell(kind.value)
            if not text:
                continue
            try:
                found[kind] = profiles.checked(kind, text)
            except Invalid as error:
                self.refuse(heading, error.code)
        return found

    def _tags(self) -> tuple[str, ...]:
        heading, text = self.cell("tags")
        try:
            return tuple(
                checked_tag(tag)
                for tag in text.replace("，", "|").replace(",", "|").split("|")
                if tag.strip()
            )
        except Invalid as error:
            self.refuse(heading, error.code)
            return ()

    def _custom(self) -> dict[str, FieldValue]:
        given = {
            spec.key: from_text(spec, text)
            for title, text in self.cells.items()
            if (spec := self.specs.get(title)) is not None and text
        }
        specs = [spec for spec in self.specs.values() if spec.key in given]
        try:
            return checked_fields(specs, given)
        except Invalid as error:
            titles = {spec.key: spec.title for spec in specs}
            found = error.facts["errors"]
            for place, code in found if isinstance(found, list) else ():
                self.refuse(titles[str(place).removeprefix("fields.")], code)
            return {}


async def _places(tx: Tx, names: Set[str]) -> dict[str, list[str]]:
    """Ids by name, of the institutions that a few hundred rows name."""
    found: dict[str, list[str]] = {}
    query = select(InstitutionRow.name, InstitutionRow.id)
    for name, institution_id in await tx.db.execute(query.where(InstitutionRow.name.in_(names))):
        found.setdefault(name, []).append(institution_id)
    return found


async def _known(tx: Tx, keys: KeyRing, drafts: Sequence[PlannedRow]) -> list[str | None]:
    """Whom each row means: the first with the phone, else of that name at that institution.

    Somebody of the same name who has another number is somebody else.
    """
    phones = [_phone_indexes(keys, draft) for draft in drafts]
    wanted = {index for indexes in phones for index in indexes}
    by_phone = select(CustomerRow.phone_index, CustomerRow.id).where(
        CustomerRow.phone_index.in_(wanted)
    )
    newest_first = CustomerRow.id.desc()  # the first is written last, and stays
    owners = {key: one for key, one in await tx.db.execute(by_phone.order_by(newest_first))}  # noqa: C416
    by_place = select(
        CustomerRow.name, CustomerRow.institution_id, CustomerRow.phone_index != "", CustomerRow.id
    ).where(
        CustomerRow.institution_id.in_({draft.institution_id for draft in drafts} - {None}),
        CustomerRow.name.in_({draft.name for draft in drafts}),
    )
    people = {
        (name, place, has_phone): one
        for name, place, has_phone, one in await tx.db.execute(by_place.order_by(newest_first))
        if place is not None
    }
    return [
        min((owners[index] for index in indexes if index in owners), default=None)
        or _of_place(people, draft, has_phone=bool(indexes))
        for draft, indexes in zip(drafts, phones, strict=True)
    ]


def _of_place(
    people: Mapping[tuple[str, str, bool], str], draft: PlannedRow, *, has_phone: bool
) -> str | None:
    here = [(draft.name, draft.institution_id or "", flag) for flag in (False, True)]
    allowed = here[:1] if has_phone else here
    return min((people[key] for key in allowed if key in people), default=None)


def _phone_indexes(keys: KeyRing, draft: PlannedRow) -> tuple[str, ...]:
    phone = draft.secrets.get(CustomerSecret.PHONE, "")
    return keys.blind_indexes(phone, context=context_of(CustomerSecret.PHONE)) if phone else ()


async def _linked(tx: Tx, oa_ids: Set[str], known: Sequence[str | None]) -> dict[str, str]:
    """OA's id → ours, of those that the rows name or mean."""
    mine = OaLinkRow.customer_id.in_([one for one in known if one])
    query = select(OaLinkRow.oa_id, OaLinkRow.customer_id).where(
        OaLinkRow.kind == OaKind.CONTACT, OaLinkRow.oa_id.in_(oa_ids) | mine
    )
    return {oa_id: ours for oa_id, ours in await tx.db.execute(query) if ours}


async def _without_owned(
    tx: Tx,
    keys: KeyRing,
    rows: Sequence[PlannedRow],
    linked: Mapping[str, str],
    readers: Mapping[int, _Reader],
    errors: list[RowError],
) -> list[PlannedRow]:
    """Rows that would change what the OA is the master of are refused."""
    theirs = set(linked.values()) & {row.customer_id for row in rows}
    if not theirs:
        return list(rows)
    owned = set(await fields_of(tx, OaKind.CONTACT))
    found = await tx.db.scalars(select(CustomerRow).where(CustomerRow.id.in_(theirs)))
    kept = {row.id: row for row in found}
    good: list[PlannedRow] = []
    for row in rows:
        customer = kept.get(row.customer_id or "")
        changed = _changes(keys, customer, row) & owned if customer else set()
        for one in sorted(changed):
            heading = readers[row.number].cell(one)[0]
            errors.append(RowError(row=row.number, column=heading, code="owned_by_oa"))
        good += [] if changed else [row]
    return good


def _changes(keys: KeyRing, customer: CustomerRow, row: PlannedRow) -> set[str]:
    indexes = _phone_indexes(keys, row)
    return {
        name
        for name, is_other in (
            ("name", row.name != customer.name),
            ("institution", row.institution_id not in (None, customer.institution_id)),
            ("phone", bool(indexes) and customer.phone_index not in indexes),
            ("note", row.note not in ("", customer.note)),
        )
        if is_other
    }
