"""Customers from a spreadsheet: read, checked row by row, then created or updated.

`plan` changes nothing (the dry run); `apply` writes one chunk of what was planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select

from core.actor import Actor
from core.audit import service as audit
from core.customers import names, profiles
from core.customers.models import CustomerRow, InstitutionRow
from core.customers.profiles import CustomerSecret, context_of
from core.customers.queries import customer_view
from core.customers.tags import checked as checked_tag
from core.db import Tx
from core.errors import Invalid
from core.events import CustomerChanged
from core.fields import FieldSpec, checked_fields, from_text
from core.ids import new_id
from core.permissions import Permission
from core.sealing import KeyRing
from core.settings.queries import get as setting
from core.settings.sections import Customers
from core.views import FieldValue, View

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
}
HEADINGS: Final = ("姓名", "机构", "电话", "邮箱", "标签", "备注")
_MAX_NAME, _MAX_NOTE = 128, 2000
#: Rows whose institutions and people are looked up together.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One good row. customer_id: whom it updates; None: a new customer."""

    number: int
    customer_id: str | None
    name: str
    institution_id: str | None
    secrets: Mapping[CustomerSecret, str]
    tags: tuple[str, ...]
    note: str
    custom: Mapping[str, FieldValue] = field(default_factory=dict)


class RowError(View):
    """row: as a spreadsheet counts it, the heading being row 1."""

    row: int
    column: str
    code: str


class ImportReport(View):
    created: int
    updated: int
    errors: tuple[RowError, ...]
    unknown_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    rows: tuple[PlannedRow, ...]
    report: ImportReport


async def plan(tx: Tx, keys: KeyRing, table: Sequence[Sequence[str]], *, by: Actor) -> Plan:
    """Check every row and find whom it means: same phone, else same name and institution.

    Raises: Forbidden; Invalid when there is no heading with a name column.
    """
    by.require(Permission.CUSTOMER_MANAGE)
    specs = {spec.title: spec for spec in (await setting(tx, Customers)).fields}
    heading = [cell.strip() for cell in table[0]] if table else []
    targets = [COLUMNS.get(cell.lower(), "") for cell in heading]
    if "name" not in targets:
        raise Invalid("no_name_column", field="file", headings="、".join(HEADINGS))
    rows: list[PlannedRow] = []
    errors: list[RowError] = []
    seen: dict[str, int] = {}
    for start in range(1, len(table), _AT_ONCE):
        numbered = enumerate(table[start : start + _AT_ONCE], start=start + 1)
        readers = [
            _Reader(n, dict(zip(heading, cells, strict=False)), specs) for n, cells in numbered
        ]
        places = await _places(tx, {reader.place for reader in readers})
        drafts = [reader.read(places) for reader in readers]
        known = await _known(tx, keys, drafts)
        for reader, draft, customer_id in zip(readers, drafts, known, strict=True):
            planned = replace(draft, customer_id=customer_id)
            key = _same(planned, keys)
            if not reader.errors and key in seen:
                reader.refuse("姓名", "repeats_row", seen[key])
            errors += reader.errors
            if not reader.errors:
                seen[key] = planned.number
                rows.append(planned)
    unknown = tuple(
        cell
        for cell, target in zip(heading, targets, strict=True)
        if cell and not target and cell not in specs
    )
    report = ImportReport(
        created=sum(row.customer_id is None for row in rows),
        updated=sum(row.customer_id is not None for row in rows),
        errors=tuple(errors),
        unknown_columns=unknown,
    )
    return Plan(tuple(rows), report)


async def apply(tx: Tx, keys: KeyRing, rows: Sequence[PlannedRow], *, by: Actor) -> None:
    """Write planned rows: one chunk, one transaction, one line in the audit log."""
    by.require(Permission.CUSTOMER_MANAGE)
    for planned in rows:
        row = await _customer(tx, planned)
        row.is_temporary = False
        row.institution_id = planned.institution_id or row.institution_id
        row.tags = list(dict.fromkeys([*row.tags, *planned.tags]))
        row.note = planned.note or row.note
        row.custom = {**row.custom, **planned.custom}
        row.version += 1
        await names.rename(tx, row, planned.name)
        for kind, value in planned.secrets.items():
            await profiles.store_secret(tx, keys, row.id, kind, value)
        tx.emit(CustomerChanged(customer=await customer_view(tx, row.id)))
    await audit.append(tx, by=by, action="customer.imported", facts={"rows": len(rows)})


@dataclass
class _Reader:
    """Reads one row; collects what is wrong with it."""

    number: int
    cells: Mapping[str, str]
    specs: Mapping[str, FieldSpec]
    errors: list[RowError] = field(default_factory=list)

    @property
    def place(self) -> str:
        """The institution's name, as it is written here."""
        return self._cell("institution")[1]

    def read(self, places: Mapping[str, Sequence[str]]) -> PlannedRow:
        """places: name → ids of the institutions that bear it."""
        return PlannedRow(
            number=self.number,
            customer_id=None,
            name=self._text("name", _MAX_NAME, is_required=True),
            institution_id=self._institution(places),
            secrets=self._secrets(),
            tags=self._tags(),
            note=self._text("note", _MAX_NOTE),
            custom=self._custom(),
        )

    def refuse(self, column: str, code: str, other: int | None = None) -> None:
        text = code if other is None else f"{code}:{other}"
        self.errors.append(RowError(row=self.number, column=column, code=text))

    def _cell(self, target: str) -> tuple[str, str]:
        """(heading, text) of the first filled column for a target."""
        for heading, text in self.cells.items():
            if COLUMNS.get(heading.lower()) == target and text:
                return heading, text
        return target, ""

    def _text(self, target: str, longest: int, *, is_required: bool = False) -> str:
        heading, text = self._cell(target)
        if is_required and not text:
            self.refuse("姓名", "required")
        if len(text) > longest:
            self.refuse(heading, "too_long")
        return text

    def _institution(self, places: Mapping[str, Sequence[str]]) -> str | None:
        heading, text = self._cell("institution")
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
            heading, text = self._cell(kind.value)
            if not text:
                continue
            try:
                found[kind] = profiles.checked(kind, text)
            except Invalid as error:
                self.refuse(heading, error.code)
        return found

    def _tags(self) -> tuple[str, ...]:
        heading, text = self._cell("tags")
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


def _same(row: PlannedRow, keys: KeyRing) -> str:
    """Equal for two rows that mean the same person."""
    phone = row.secrets.get(CustomerSecret.PHONE, "")
    return keys.blind_index(phone, context="import") or f"{row.name}|{row.institution_id}"


async def _customer(tx: Tx, planned: PlannedRow) -> CustomerRow:
    if planned.customer_id is not None:
        found = await tx.db.get(CustomerRow, planned.customer_id, with_for_update=True)
        if found is not None:
            return found
    row = CustomerRow(id=new_id(), name=planned.name, created_at=tx.now, version=0)
    row.tags, row.custom, row.note = [], {}, ""
    tx.db.add(row)
    return row
