"""Customers' pages of tickets: files with a note, and the form that opens a ticket."""

from __future__ import annotations

import io
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from core.content import Address
from core.customers import service as customers
from core.tickets.customer_form import form_token
from tests.admin_api.conftest import Api


@pytest.fixture
async def customer_id(api: Api) -> str:
    async with api.services.uow.write() as tx:
        address = Address("wecom_kf", "door", "someone")
        return (await customers.ensure_identity(tx, address)).customer_id


def photo(colour: str = "teal") -> FormData:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(drawn, "PNG")
    form = FormData()
    form.add_field("file", drawn.getvalue(), filename="报错.png")
    return form


async def page_of(servicer: Api, customer_id: str) -> tuple[str, str]:
    """A ticket's id, and the path of its customer's page."""
    body = {"title": "故障", "customer_id": customer_id}
    made = await servicer.call("POST", "/tickets", body, status=201)
    link = await servicer.call("POST", f"/tickets/{made['id']}/customer-link")
    return made["id"], f"/h5/tickets/{link['url'].rsplit('/', 1)[1]}"


async def sends(api: Api, path: str, form: FormData) -> dict[str, Any]:
    response = await api.raw("POST", f"{path}/files", data=form)
    assert response.status == 201, await response.text()
    return dict(await response.json())


async def test_a_photo_goes_with_a_note_and_is_seen_by_both_sides(
    api: Api, servicer: Api, customer_id: str
) -> None:
    ticket_id, path = await page_of(servicer, customer_id)
    sent = await sends(api, path, photo())
    assert sent["name"] == "报错.png"
    body = {"text": "见图", "files": [sent["token"]]}
    page = await api.call("POST", f"{path}/replies", body, status=201)
    (file_id,) = page["entries"][-1]["attachment_ids"]
    shown = await api.raw("GET", f"{path}/files/{file_id}")
    assert (shown.status, shown.content_type) == (200, "image/png")
    entries = await servicer.call("GET", f"/tickets/{ticket_id}/entries")
    assert entries["items"][-1]["attachment_names"] == {file_id: "报错.png"}
    alone = {"files": [sent["token"]]}
    await api.call("POST", f"{path}/replies", alone, status=201)
    await api.refused("POST", f"{path}/replies", {"text": " "}, status=422, code="required")


async def test_nobody_attaches_or_reads_a_file_of_somebody_else(
    api: Api, servicer: Api, customer_id: str
) -> None:
    ticket_id, path = await page_of(servicer, customer_id)
    _, other = await page_of(servicer, customer_id)
    sent = await sends(api, other, photo())
    for token in (sent["token"], sent["token"][:-2] + "zz", "x"):
        response = await api.raw("POST", f"{path}/replies", json={"text": "a", "files": [token]})
        assert response.status in (403, 404)
    page = await api.call(
        "POST", f"{other}/replies", {"text": "a", "files": [sent["token"]]}, status=201
    )
    (file_id,) = page["entries"][-1]["attachment_ids"]
    await api.refused("GET", f"{path}/files/{file_id}", status=404, code="not_found")
    note = {"text": "内部", "attachment_ids": [file_id]}
    await servicer.call("POST", f"/tickets/{ticket_id}/entries", note, status=201)
    await api.refused("GET", f"{path}/files/{file_id}", status=404, code="not_found")


async def test_what_is_not_what_it_says_is_refused(
    api: Api, servicer: Api, customer_id: str
) -> None:
    _, path = await page_of(servicer, customer_id)
    for name, data, status in (
        ("a.png", b"<script>alert(1)</script>", 415),
        ("a.exe", b"MZ" + bytes(100), 415),
    ):
        form = FormData()
        form.add_field("file", data, filename=name)
        response = await api.raw("POST", f"{path}/files", data=form)
        assert response.status == status, name


async def test_the_form_asks_what_the_category_asks_and_opens_the_page(
    api: Api, supervisor: Api, customer_id: str
) -> None:
    public = {"key": "version", "title": "系统版本", "is_public": True, "is_required": True}
    internal = {"key": "host", "title": "主机", "is_required": True}
    template = {"name": "标准", "description": "报错原文", "fields": {"host": "待查"}}
    category = await supervisor.call(
        "POST",
        "/ticket-categories",
        {"name": "上报", "fields": [public, internal], "templates": [template]},
        status=201,
    )
    async with api.services.uow.read() as tx:
        token = await form_token(tx, api.services.keyring, customer_id)
    path = f"/h5/new-tickets/{token}"
    form = await api.call("GET", path)
    (choice,) = form["categories"]
    assert (choice["hint"], [one["key"] for one in choice["fields"]]) == ("报错原文", ["version"])
    sent = await sends(api, path, photo())
    body = {"text": "上报失败\n提示超时", "category_id": category["id"], "files": [sent["token"]]}
    await api.refused("POST", path, body, status=422, code="invalid_fields")
    body["fields"] = {"version": "V3.2"}
    made = await api.call("POST", path, body, status=201)
    page = await api.call("GET", f"/h5/tickets/{made['token']}")
    assert (page["ticket"]["number"], page["ticket"]["title"]) == (made["number"], "上报失败")
    assert page["entries"][0]["attachment_ids"]
    found = await supervisor.call("GET", f"/ticket-numbers/{made['number']}")
    assert (found["source"], found["fields"]) == ("h5", {"host": "待查", "version": "V3.2"})
    await api.refused("GET", f"{path}x", status=403, code="link_invalid")


async def test_a_customer_who_never_wrote_agrees_to_remote_help_on_the_page(
    api: Api, servicer: Api, customer_id: str
) -> None:
    ticket_id, path = await page_of(servicer, customer_id)
    _, other = await page_of(servicer, customer_id)
    body = {"tool": "todesk", "purpose": "查看日志"}
    asked = await servicer.call("POST", f"/tickets/{ticket_id}/remote", body, status=201)
    (shown,) = (await api.call("GET", path))["consents"]
    assert "查看日志" in shown["text"]
    answer = f"consents/{shown['id']}"
    refusal = await api.call("POST", f"{other}/{answer}", {"agrees": True}, status=409)
    assert refusal["code"] == "consent_expired"
    page = await api.call("POST", f"{path}/{answer}", {"agrees": True})
    assert page["consents"] == []
    begun = await servicer.call("POST", f"/remote/{asked['id']}/start")
    assert begun["state"] == "running"
    await api.call("POST", f"{path}/{answer}", {"agrees": False}, status=409)
