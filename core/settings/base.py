"""What every section of settings is made of."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


def unit(name: str) -> dict[str, Any]:
    return {"unit": name}


class Section(BaseModel):
    """key: the section's stable name; title and about: what people read."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
