"""Is it alive, is it ready, and how is it doing: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from admin_api.endpoint import SERVICES
from admin_api.services import Services

REQUESTS = Histogram(
    "wenqu_http_request_seconds",
    "Time to answer, by route",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
FAILURES = Counter("wenqu_http_failures", "Answers with status 500", ("route",))
SOCKETS = Gauge("wenqu_sockets", "Open console sockets of this process")
_DATABASE_WITHIN_S = 3.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    started = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unknown"
    if response.status != 101:
        elapsed = time.perf_counter() - started
        method = request.method if request.method in hdrs.METH_ALL else "OTHER"
        REQUESTS.labels(method, route, str(response.status)).observe(elapsed)
    if response.status >= 500:
        FAILURES.labels(route).inc()
    return response


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """200 when everything that answers customers works, else 503 with what does not."""
    services = request.app[SERVICES]
    checks = {"database": await _database_answers(services), **await services.readiness()}
    status = 200 if all(checks.values()) else 503
    return web.json_response({"checks": checks}, status=status)


async def _database_answers(services: Services) -> bool:
    try:
        async with asyncio.timeout(_DATABASE_WITHIN_S), services.uow.read() as tx:
            await tx.db.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


async def metrics(request: web.Request) -> web.Response:
    SOCKETS.set(len(request.app[SERVICES].hub))
    body = await asyncio.to_thread(generate_latest)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
