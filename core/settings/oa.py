"""How the OA's records map to ours, and how often we ask for them."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from core.settings.base import Line, Section, unit


class _Mapped(BaseModel):
    """theirs: the name of the field in the OA's record."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    theirs: Line = Field(title="OA 字段")


class InstitutionField(_Mapped):
    ours: Literal[
        "id",
        "version",
        "is_active",
        "name",
        "parent",
        "kind",
        "region_code",
        "product",
        "product_version",
        "contract_level",
        "engineer",
    ] = Field(title="我们的字段")


class ContactField(_Mapped):
    ours: Literal[
        "id", "version", "is_active", "name", "institution", "phone", "email", "note"
    ] = Field(title="我们的字段")


class StaffField(_Mapped):
    ours: Literal["id", "version", "is_active", "username", "name", "wecom_userid"] = Field(
        title="我们的字段"
    )


_Row = TypeVar("_Row", InstitutionField, ContactField, StaffField)
#: Without these a record cannot be told apart, ordered or named.
_NEEDED: Final = {"id", "version", "name"}


def _rows(made_of: type[_Row], *same: str, **theirs: str) -> tuple[_Row, ...]:
    """same: fields that both sides call alike, besides those that every record has."""
    named = {one: one for one in ("id", "version", "is_active", "name", *same)} | theirs
    return tuple(made_of.model_validate({"ours": a, "theirs": b}) for a, b in named.items())


class Oa(Section):
    key = "oa"
    title = "OA 同步"
    about = "OA 的字段对应到本系统的哪个字段；列在这里的字段只能在 OA 修改"

    institution_fields: tuple[InstitutionField, ...] = Field(
        _rows(
            InstitutionField,
            "kind",
            "region_code",
            "product",
            "product_version",
            "contract_level",
            parent="parent_id",
        ),
        title="机构",
        description=(
            "上级填 OA 里上级机构的编号，负责工程师（engineer）填 OA 里员工的编号；"
            "版本可以是递增的数字或更新时间"
        ),
    )
    contact_fields: tuple[ContactField, ...] = Field(
        _rows(ContactField, "phone", "email", institution="institution_id"),
        title="联系人",
        description="机构填 OA 里机构的编号；联系人就是本系统的客户",
    )
    staff_fields: tuple[StaffField, ...] = Field(
        _rows(StaffField, "username", "wecom_userid"),
        title="员工",
        description="员工就是本系统的登录帐号；有企业微信帐号的同时成为接待人员",
    )
    pull_every_s: int = Field(
        600,
        ge=60,
        le=86400,
        title="定时拉取间隔",
        description="配置了 WENQU_OA__URL 时，每隔这么久向 OA 取一次变更",
        json_schema_extra=unit("s"),
    )

    @field_validator("institution_fields", "contact_fields", "staff_fields")
    @classmethod
    def _is_complete(cls, rows: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        ours = [row.ours for row in rows]
        needed = _NEEDED | ({"username"} if info.field_name == "staff_fields" else set())
        if missing := needed.difference(ours):
            raise ValueError(f"还缺少字段：{'、'.join(sorted(missing))}")
        if twice := next((name for name in ours if ours.count(name) > 1), ""):
            raise ValueError(f"“{twice}”对应了两次")
        return rows
