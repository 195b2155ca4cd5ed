"""Another system that signs its requests."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiohttp import ClientResponse

from core.api_keys import signature
from tests.admin_api.conftest import Api


@dataclass
class Partner:
    """It signs by the API's clock."""

    api: Api
    key_id: str
    secret: str

    def headers(self, method: str, path: str, body: bytes, **other: str) -> dict[str, str]:
        moment = int(self.api.clock.now().timestamp())
        nonce, digest = other.get("nonce", uuid4().hex), signature.digest_of(body)
        text = signature.text_to_sign(moment, nonce, method, f"/api/v1{path}", digest)
        return {
            signature.KEY: self.key_id,
            signature.MOMENT: str(moment),
            signature.NONCE: nonce,
            signature.DIGEST: digest,
            signature.SIGNATURE: signature.sign(self.secret, text),
        }

    async def call(
        self, method: str, path: str, body: object = None, *, status: int = 200, **headers: str
    ) -> Any:
        """Demand a status, return the JSON."""
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        response = await self.send(method, path, data, self.headers(method, path, data) | headers)
        text = await response.text()
        assert response.status == status, f"{response.status} {text}"
        return json.loads(text) if text else None

    async def send(
        self, method: str, path: str, data: bytes, headers: dict[str, str]
    ) -> ClientResponse:
        return await self.api.client.request(
            method, f"/api/v1{path}", data=data or None, headers=headers
        )

    async def refused(
        self, method: str, path: str, data: bytes, headers: dict[str, str], *, code: str
    ) -> Any:
        response = await self.send(method, path, data, headers)
        problem = await response.json(content_type=None)
        assert (response.status, problem["code"]) == (401, code), problem
        return problem


async def partner(admin: Api, *permissions: str) -> Partner:
    made = await admin.call(
        "POST",
        "/api-keys",
        {"name": f"OA {time.monotonic_ns()}", "permissions": permissions},
        status=201,
    )
    return Partner(admin.as_(None), made["key"]["id"], made["secret"])
