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
from core.statistics.backlog import read_backlog

REQUESTS = Histogram(
    "wenqu_http_request_seconds",
    "Time to answer, by route",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
FAILURES = Counter("wenqu_http_failures", "Answers with status 500", ("route",))
SOCKETS = Gauge("wenqu_sockets", "Open console sockets of this process")
BACKLOG = Gauge("wenqu_backlog", "Rows that wait, of all processes together", ("queue",))
OLDEST = Gauge("wenqu_inbox_oldest_seconds", "Age of the oldest update that waits")
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
    services = request.app[SERVICES]
    SOCKETS.set(len(services.hub))
    await _measure_backlog(services)
    body = await asyncio.to_thread(generate_latest)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _measure_backlog(services: Services) -> None:
    """Without a database the gauges fall silent; the other figures must still come."""
    try:
        async with asyncio.timeout(_DATABASE_WITHIN_S), services.uow.read() as tx:
            backlog = await read_backlog(tx)
    except (SQLAlchemyError, OSError, TimeoutError):
        BACKLOG.clear()
        return
    OLDEST.set(backlog.oldest_s)
    for queue in ("received", "pending", "held", "failed"):
        BACKLOG.labels(queue).set(getattr(backlog, queue))
