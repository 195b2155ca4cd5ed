"""The description of the API is whole, and says what the routes do."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

from admin_api import openapi
from admin_api.routes import ENDPOINTS
from core.events import Event

DOCUMENT = openapi.document()
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_the_committed_file_is_up_to_date() -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.as_text(), (
        "run: python -m admin_api.openapi"
    )


def test_every_reference_leads_somewhere() -> None:
    found = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert found <= set(SCHEMAS)
    assert not [name for name in SCHEMAS if "__" in name or not name.isidentifier()]


def test_operations_are_named_once_and_explained() -> None:
    names = [item.name for item in ENDPOINTS]
    assert len(names) == len(set(names))
    for item in ENDPOINTS:
        assert item.summary.endswith("."), item.name
        declared = set(re.findall(r"\{(\w+)\}", item.path))
        assert declared <= set(item.function.__annotations__), item.name


def test_the_event_union_names_every_event() -> None:
    members = get_args(get_args(Event)[0])
    assert {member.__name__ for member in members} <= set(SCHEMAS)
    assert len(SCHEMAS["Event"]["oneOf"]) == len(members)
    mapping = SCHEMAS["Event"]["discriminator"]["mapping"]
    assert mapping["message.added"] == "#/components/schemas/MessageAdded"


def test_answers_always_carry_every_field_and_unions_their_kind() -> None:
    for name in ("SessionView", "MessageView", "CustomerView", "SessionViewList"):
        assert set(SCHEMAS[name]["required"]) == set(SCHEMAS[name]["properties"]), name
    for name in ("Text", "Image", "Menu", "MessageAdded", "Hello"):
        kind = "op" if name == "Hello" else "type"
        assert kind in SCHEMAS[name]["required"], name
    assert "note" not in SCHEMAS["TransferBody"].get("required", [])


def test_only_public_routes_need_no_token() -> None:
    operations: list[Any] = [
        operation for path in DOCUMENT["paths"].values() for operation in path.values()
    ]
    public = {item.name for item in ENDPOINTS if item.access == "public"}
    assert {op["operationId"] for op in operations if "security" not in op} == public
