"""Rules that describe a group of customers, and the SQL condition that each of them is.

Behaviour (contacts, sessions, ratings) is asked through sets of customer ids within a window of
days, so that a count costs as much as the window holds and not as much as all customers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from core.conversations.models import ConversationRow
from core.customers.models import CustomerRow, InstitutionRow
from core.errors import Invalid
from core.institutions.models import InstitutionKeyRow
from core.institutions.regions import prefix_of
from core.ratings.models import RatingRow
from core.segments.custom import custom_value
from core.sessions.models import SessionRow
from core.tickets.models import TicketRow

MAX_DEPTH, MAX_CONDITIONS = 6, 50


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AllOf(_Rule):
    kind: Literal["all"] = "all"
    rules: tuple[Rule, ...] = ()


class AnyOf(_Rule):
    kind: Literal["any"] = "any"
    rules: tuple[Rule, ...] = ()


class NotRule(_Rule):
    kind: Literal["not"] = "not"
    rule: Rule


class AttributeRule(_Rule):
    """name, note, kind, contract_level, product, product_version, or `custom.<key>`.

    at_least, at_most: of numbers, and of dates written 2027-03-01.
    """

    kind: Literal["attribute"] = "attribute"
    field: str = Field(max_length=64)
    op: Literal["is", "is_not", "contains", "is_empty", "at_least", "at_most"] = "is"
    value: str = Field("", max_length=200)


class TagRule(_Rule):
    kind: Literal["tag"] = "tag"
    tag: str = Field(min_length=1, max_length=64)


class TemporaryRule(_Rule):
    """Not registered yet."""

    kind: Literal["temporary"] = "temporary"


class WithinRule(_Rule):
    """Belongs to an institution or any below it (`institution`), or to a region code."""

    kind: Literal["within"] = "within"
    institution_id: str = ""
    region_code: str = Field("", pattern=r"^(\d{6})?$")


class CreatedRule(_Rule):
    """Known for at most so many days."""

    kind: Literal["created"] = "created"
    days: int = Field(ge=1, le=3650)


class ContactedRule(_Rule):
    """Wrote to us within the last days; `not` of it means: silent for so long."""

    kind: Literal["contacted"] = "contacted"
    days: int = Field(ge=1, le=3650)


class ConsultedRule(_Rule):
    """Had so many sessions (or tickets) within the last days."""

    kind: Literal["consulted"] = "consulted"
    what: Literal["sessions", "tickets"] = "sessions"
    at_least: int = Field(1, ge=1, le=10_000)
    days: int = Field(30, ge=1, le=3650)


class RatedRule(_Rule):
    """Mean rating within the last days, between two values (both included)."""

    kind: Literal["rated"] = "rated"
    low: float = Field(1, ge=1, le=5)
    high: float = Field(5, ge=1, le=5)
    days: int = Field(365, ge=1, le=3650)


Rule = Annotated[
    AllOf
    | AnyOf
    | NotRule
    | AttributeRule
    | TagRule
    | TemporaryRule
    | WithinRule
    | CreatedRule
    | ContactedRule
    | ConsultedRule
    | RatedRule,
    Field(discriminator="kind"),
]
for _nested in (AllOf, AnyOf, NotRule):
    _nested.model_rebuild()

_OWN = {"name": CustomerRow.name, "note": CustomerRow.note}
_OF_INSTITUTION = {
    "kind": InstitutionRow.kind,
    "contract_level": InstitutionRow.contract_level,
    "product": InstitutionRow.product,
    "product_version": InstitutionRow.product_version,
}


def condition(rule: Rule, *, now: datetime, dialect: str, depth: int = 0) -> ColumnElement[bool]:
    """The rule over `customers`. Raises: Invalid when it is nested too deep or names nothing."""
    if depth > MAX_DEPTH:
        raise Invalid("too_deep", field="rule", max=MAX_DEPTH)
    match rule:
        case AllOf():
            parts = [condition(r, now=now, dialect=dialect, depth=depth + 1) for r in rule.rules]
            return and_(true(), *parts)
        case AnyOf():
            parts = [condition(r, now=now, dialect=dialect, depth=depth + 1) for r in rule.rules]
            return or_(*parts) if parts else true()
        case NotRule():
            return not_(condition(rule.rule, now=now, dialect=dialect, depth=depth + 1))
        case _:
            return _leaf(rule, now, dialect)


def _leaf(rule: Rule, now: datetime, dialect: str) -> ColumnElement[bool]:
    match rule:
        case TagRule():
            return _tagged(rule.tag, dialect)
        case AttributeRule() if rule.field.startswith("custom."):
            return _custom(rule, dialect)
        case ContactedRule() | ConsultedRule() | RatedRule():
            return CustomerRow.id.in_(_BEHAVIOUR[type(rule)](rule, now))
        case _:
            return _LEAVES[type(rule)](rule, now)


def counted(rule: Rule, *, now: datetime, dialect: str) -> Select[int]:
    """How many customers a rule describes. What is written of them alone needs none of them."""
    if isinstance(rule, AllOf | AnyOf) and len(rule.rules) == 1:
        return counted(rule.rules[0], now=now, dialect=dialect)
    if behaviour := _BEHAVIOUR.get(type(rule)):
        found = behaviour(rule, now)
        if dialect == "sqlite":  # reads the window; a list without repeats, all there ever was
            return select(func.count(found.subquery().c.customer_id.distinct()))
        return select(func.count()).select_from(found.distinct().subquery())
    described = condition(rule, now=now, dialect=dialect)
    return select(func.count()).select_from(CustomerRow).where(described)


def size(rule: Rule) -> int:
    """How many conditions a rule has."""
    match rule:
        case AllOf() | AnyOf():
            return sum(size(one) for one in rule.rules)
        case NotRule():
            return size(rule.rule)
        case _:
            return 1


def _attribute(rule: AttributeRule, now: datetime) -> ColumnElement[bool]:
    del now
    if rule.field in _OWN:
        return _compared(_OWN[rule.field], rule)
    if rule.field in _OF_INSTITUTION:
        inside = select(InstitutionRow.id).where(_compared(_OF_INSTITUTION[rule.field], rule))
        found = CustomerRow.institution_id.in_(inside)
        if rule.op in ("is_not", "is_empty"):
            return or_(found, CustomerRow.institution_id.is_(None))
        return found
    raise Invalid("unknown_field", field=rule.field)


def _custom(rule: AttributeRule, dialect: str) -> ColumnElement[bool]:
    """Text, dates and choices as text; numbers in their order; yes and no as true and false."""
    value = custom_value(rule.field.removeprefix("custom."), dialect)
    number = _number(rule.value)
    if rule.op in ("at_least", "at_most") and number is not None:
        order = value.number >= number if rule.op == "at_least" else value.number <= number
        return and_(value.number.is_not(None), order)
    if number is not None and rule.op in ("is", "is_not"):
        same = or_(value.text == rule.value, func.coalesce(value.number == number, false()))
        return same if rule.op == "is" else not_(same)
    return _compared(value.text, rule)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _compared(column: SQLColumnExpression[str], rule: AttributeRule) -> ColumnElement[bool]:
    match rule.op:
        case "is":
            return column == rule.value
        case "is_not":
            return column != rule.value
        case "contains":
            return column.contains(rule.value, autoescape=True)
        case "is_empty":
            return column == ""
        case "at_least":
            return and_(column != "", column >= rule.value)
        case "at_most":
            return and_(column != "", column <= rule.value)


def _tagged(tag: str, dialect: str) -> ColumnElement[bool]:
    if dialect == "postgresql":
        return type_coerce(CustomerRow.tags, JSONB).contains([tag])
    tags = func.json_each(CustomerRow.tags).table_valued("value")
    return select(tags.c.value).where(tags.c.value == tag).exists()


def _temporary(rule: TemporaryRule, now: datetime) -> ColumnElement[bool]:
    del rule, now
    return CustomerRow.is_temporary.is_(True)


def _within(rule: WithinRule, now: datetime) -> ColumnElement[bool]:
    del now
    if rule.institution_id:
        path = select(InstitutionKeyRow.path).where(
            InstitutionKeyRow.institution_id == rule.institution_id
        )
        below = select(InstitutionKeyRow.institution_id).where(
            InstitutionKeyRow.path.startswith(path.scalar_subquery())
        )
        return CustomerRow.institution_id.in_(below)
    if not rule.region_code:
        raise Invalid("required", field="region_code")
    prefix = prefix_of(rule.region_code)
    inside = select(InstitutionRow.id).where(InstitutionRow.region_code.startswith(prefix))
    return CustomerRow.institution_id.in_(inside)


def _created(rule: CreatedRule, now: datetime) -> ColumnElement[bool]:
    return CustomerRow.created_at >= now - timedelta(days=rule.days)


def _contacted(rule: ContactedRule, now: datetime) -> Select[str]:
    since = now - timedelta(days=rule.days)
    return select(ConversationRow.customer_id).where(
        ConversationRow.last_message_at >= since,  # implied, and what the index knows
        ConversationRow.last_customer_at >= since,
    )


def _consulted(rule: ConsultedRule, now: datetime) -> Select[str]:
    since = now - timedelta(days=rule.days)
    customer, at = {
        "sessions": (SessionRow.customer_id, SessionRow.opened_at),
        "tickets": (TicketRow.customer_id, TicketRow.created_at),
    }[rule.what]
    found = select(customer).where(at >= since)
    if rule.at_least > 1:  # grouping reads everything; once needs the window alone
        found = found.group_by(customer).having(func.count() >= rule.at_least)
    return found


def _rated(rule: RatedRule, now: datetime) -> Select[str]:
    since = now - timedelta(days=rule.days)
    total, ratings = func.sum(RatingRow.score), func.count()  # a mean costs twice as much
    return (
        select(RatingRow.customer_id)
        .where(RatingRow.score.is_not(None), RatingRow.requested_at >= since)
        .group_by(RatingRow.customer_id)
        .having(and_(total >= rule.low * ratings, total <= rule.high * ratings))
    )


#: Behaviour: the customers of whom something is written down, some of them several times.
_BEHAVIOUR: Mapping[type[BaseModel], Callable[..., Select[str]]] = {
    ContactedRule: _contacted,
    ConsultedRule: _consulted,
    RatedRule: _rated,
}
_LEAVES: Mapping[type[BaseModel], Callable[..., ColumnElement[bool]]] = {
    AttributeRule: _attribute,
    TemporaryRule: _temporary,
    WithinRule: _within,
    CreatedRule: _created,
}
