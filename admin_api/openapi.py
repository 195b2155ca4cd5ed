"""OpenAPI 3.1 from the typed endpoints. `python -m admin_api.openapi` writes docs/openapi.json."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from admin_api.endpoint import BASE, Endpoint
from admin_api.socket.protocol import ClientMessage, ServerMessage
from core.api_keys.signature import DIGEST, KEY, MOMENT, NONCE, SCHEME, SIGNATURE
from core.events import Event
from core.permissions import Permission

FILE: Final = Path(__file__).parent.parent / "docs" / "openapi.json"
_REF: Final = "#/components/schemas/{model}"
_LISTING: Final = re.compile(r"\bListing_(\w+)_\b")
_PATH_PART: Final = re.compile(r"\{(\w+)\}")
Schemas = dict[Any, dict[str, Any]]


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. title: words for people; code: stable; facts: what the words were made of."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    code: str
    facts: dict[str, Any] = {}
    errors: list[FieldProblem] = []


@cache
def document() -> dict[str, Any]:
    """The whole description; deterministic."""
    from admin_api.routes import ENDPOINTS  # noqa: PLC0415 - the routes import this package

    refs, components = _schemas(ENDPOINTS)
    paths: dict[str, Any] = {}
    for item in ENDPOINTS:
        operation = _operation(item, refs)
        paths.setdefault(BASE + item.path, {})[item.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "问渠 Wenqu",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": KEY,
                    "description": _SIGNATURE,
                },
            },
        },
    }


_ABOUT: Final = (
    "Lists answer `items` and `next_cursor`. Errors are `application/problem+json`. Creating "
    "POSTs that change data in one step honour `Idempotency-Key` for a day. `version` guards "
    "against overwriting. Times are UTC, ISO 8601; durations (`…_s`) are whole seconds. "
    f"Live events: WebSocket `{BASE}/ws`, subprotocols `wenqu` and `bearer.<access token>`; its "
    "messages are the schemas ClientMessage and ServerMessage."
)


_SIGNATURE: Final = (
    f"Other systems sign each request: {', '.join((KEY, MOMENT, NONCE, DIGEST, SIGNATURE))}. "
    f"The signature is HMAC-SHA256 in hex over six lines: {SCHEME}, the timestamp in seconds, the "
    "nonce, the method, the path with its query as sent, the SHA-256 of the body in hex."
)


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[Schemas, dict[str, Any]]:
    """Schema per (type, mode), and the components that they refer to."""
    inputs: dict[Any, TypeAdapter[Any]] = {ClientMessage: TypeAdapter(ClientMessage)}
    outputs: dict[Any, TypeAdapter[Any]] = {
        Problem: TypeAdapter(Problem),
        Event: TypeAdapter(Event),
        ServerMessage: TypeAdapter(ServerMessage),
    }
    for item in endpoints:
        if item.body is not None:
            inputs[item.body] = TypeAdapter(item.body)
        if item.adapter is not None:
            outputs[item.result] = item.adapter
    wanted: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((kind, "validation", adapter) for kind, adapter in inputs.items()),
        *((kind, "serialization", adapter) for kind, adapter in outputs.items()),
    ]
    found, definitions = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    refs: Schemas = {kind: _renamed(schema) for (kind, _), schema in found.items()}
    components: dict[str, Any] = _renamed(definitions.get("$defs", {}))
    for item in endpoints:
        if item.query is not None:
            components |= item.query.model_json_schema(ref_template=_REF).get("$defs", {})
    for name, kind in _UNIONS.items():
        components[name] = refs[kind]
    _require_what_is_always_sent(components, refs, inputs)
    return refs, components


_UNIONS: Final[dict[str, Any]] = {
    "Event": Event,
    "ClientMessage": ClientMessage,
    "ServerMessage": ServerMessage,
}


def _require_what_is_always_sent(
    components: dict[str, Any], refs: Schemas, inputs: Iterable[Any]
) -> None:
    """Answers carry every field, requests at least the one that names their kind."""
    received: set[str] = set()
    todo = [name for kind in inputs for name in _names(refs[kind])]
    while todo:
        name = todo.pop()
        if name not in received:
            received.add(name)
            todo += _names(components[name])
    for name, schema in components.items():
        properties = schema.get("properties", {})
        is_answer = name not in received and name != "Problem"
        always = [
            key
            for key, field in properties.items()
            if is_answer or "const" in field or key in schema.get("required", ())
        ]
        if always:
            schema["required"] = always


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """`Listing_SessionView_` reads better as `SessionViewList`."""
    renamed: dict[str, Any] = json.loads(_LISTING.sub(r"\1List", json.dumps(schema)))
    return renamed


def _names(schema: object) -> list[str]:
    text = json.dumps(schema)
    return re.findall(r'"#/components/schemas/(\w+)"', text)


def _operation(item: Endpoint, refs: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": item.name,
        "tags": [item.tag],
        "summary": item.summary,
        "parameters": [*_path_parameters(item), *_query_parameters(item)],
        "responses": _responses(item, refs),
    }
    if item.method == "POST" and item.takes_tx:
        found["parameters"].append(_IDEMPOTENCY)
    if item.body is not None:
        content = {"application/json": {"schema": refs[item.body]}}
        found["requestBody"] = {"required": True, "content": content}
    if item.multipart:
        found["requestBody"] = _MULTIPART
    if item.access != "public":
        found["security"] = [{"bearer": []}]
        if item.access != "login":
            found["security"].append({"signature": []})
    if isinstance(item.access, Permission):
        found["x-permission"] = item.access.value
    return found


_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_MULTIPART: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"}
                },
                "required": ["file"],
            }
        }
    },
}


def _path_parameters(item: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PART.findall(item.path)
    ]


def _query_parameters(item: Endpoint) -> list[dict[str, Any]]:
    if item.query is None:
        return []
    schema = item.query.model_json_schema(ref_template=_REF)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _bare(field)}
        for name, field in schema["properties"].items()
    ]


def _bare(field: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is absent rather than null."""
    options = [option for option in field.get("anyOf", []) if option != {"type": "null"}]
    kept = {key: value for key, value in field.items() if key not in ("anyOf", "title")}
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept | (options[0] if len(options) == 1 else {})


def _responses(item: Endpoint, refs: Schemas) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": refs[Problem]}}
    refused = {"description": "Refused", "content": problem}
    if item.result is type(None):
        return {"204": {"description": "Done"}, "default": refused}
    if item.adapter is None:
        content: dict[str, Any] = {
            "*/*": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
        }
    else:
        content = {"application/json": {"schema": refs[item.result]}}
    return {str(item.status): {"description": "Done", "content": content}, "default": refused}


def as_text() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


async def serve_openapi(_request: web.Request) -> web.Response:
    return web.json_response(document(), dumps=lambda value: json.dumps(value, ensure_ascii=False))


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name} was written\n")
