"""The admin API, the console's socket and the console itself, as one aiohttp application."""

from __future__ import annotations

from aiohttp import web

from admin_api import health
from admin_api.endpoint import BASE, SERVICES, Endpoint
from admin_api.errors import problems
from admin_api.headers import secure
from admin_api.openapi import serve_openapi
from admin_api.routes import ENDPOINTS
from admin_api.services import Services
from admin_api.socket.connection import socket
from admin_api.static_pages import Pages

__all__ = ["Services", "make_app"]


def make_app(services: Services) -> web.Application:
    """Every route of the API, /healthz, /readyz, /metrics, the socket and the pages.

    Further routes (callbacks, sandbox) may be added before it runs; they win over the pages.
    """
    app = web.Application(
        middlewares=[problems, health.measure],
        client_max_size=services.config.upload_max_bytes,
    )
    app[SERVICES] = services
    app.on_response_prepare.append(secure)
    app.router.add_get(f"{BASE}/openapi.json", serve_openapi)
    app.router.add_get(f"{BASE}/ws", socket)
    for item in ENDPOINTS:
        _add(app, item)
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    app.add_routes(Pages(services.config).routes())
    app.on_shutdown.append(_close_sockets)
    return app


def _add(app: web.Application, item: Endpoint) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await item(request)

    app.router.add_route(item.method, f"{BASE}{item.path}", handler)


async def _close_sockets(app: web.Application) -> None:
    app[SERVICES].hub.close()
