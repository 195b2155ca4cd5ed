"""Reading what strangers send: sizes capped, text that no database takes refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.api_keys.signature import digest_of
from core.errors import DomainError, Invalid, Unauthenticated

Model = TypeVar("Model", bound=BaseModel)
#: The version that the client read, for optimistic locking; the next one must fit a column too.
Version = Annotated[int, Field(ge=0, le=2**31 - 2)]


class TooLarge(DomainError):
    code = "too_large"


class MalformedBody(DomainError):
    code = "malformed_json"


class BodyAltered(Unauthenticated):
    """What came is not what was signed."""

    code = "body_altered"


class Body(BaseModel):
    """Base of request bodies: unknown fields are mistakes, NUL characters are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        refuse_unstorable(data)
        return data


def refuse_unstorable(value: object) -> None:
    """Raises ValueError for NUL, lone surrogates and NaN anywhere within JSON-like data."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if "\x00" in item:
                raise ValueError("nul_character")
            item.encode()
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise ValueError("not_finite")
        elif isinstance(item, dict):
            todo += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            todo += item


#: SHA-256 of the body as a signature vouches for it; set before the body is read.
DIGEST: Final = web.RequestKey("body_digest", str)


async def read_capped(request: web.Request, most: int) -> bytes:
    """The raw body. Raises: TooLarge, without reading further than `most`; BodyAltered."""
    if request.content_length is not None and request.content_length > most:
        raise TooLarge(most=most)
    parts, size = [], 0
    async for chunk in request.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size > most:
            raise TooLarge(most=most)
        parts.append(chunk)
    body = b"".join(parts)
    if request.get(DIGEST, digest_of(body)) != digest_of(body):
        raise BodyAltered
    return body


def parse_body(raw: bytes, model: type[Model]) -> Model:
    """Raises: MalformedBody when it is no JSON; ValidationError when it does not fit."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if any(item["type"] == "json_invalid" for item in error.errors(include_url=False)):
            raise MalformedBody from error
        raise


def parse_query(values: Mapping[str, str], model: type[Model]) -> Model:
    """Raises: ValidationError; Invalid for text that cannot be stored."""
    plain = {key: value for key, value in values.items() if value != ""}
    for value in plain.values():
        check_text(value)
    return model.model_validate(plain)


def check_text(value: str) -> str:
    try:
        refuse_unstorable(value)
    except ValueError as error:
        raise Invalid("unstorable_text") from error
    return value
