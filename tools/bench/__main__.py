"""`make bench`, or `python -m tools.bench [--only chat] [--database sqlite]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import Callable, Coroutine
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tools.bench import chat
from tools.bench.history import bench_history
from tools.bench.lists import bench_lists
from tools.bench.routing import bench_routing
from tools.bench.sla import bench_sla
from tools.bench.sockets import bench_sockets
from tools.bench.stage import product

Results = list[tuple[str, float, str]]
console = Console()


async def chat_on(kind: str, processes: int, echo: float) -> Results:
    """All chat figures of one set-up. echo: answers of the bare echo bot per second."""
    label = f"{kind}, {processes} process{'es' if processes > 1 else ''}"
    rows: Results = []
    async with product(kind, processes=processes) as (running, sandbox, start_s):
        rows.append((f"start, {label}", start_s, "s (≤ 5)"))
        memory = psutil.Process(running[0].pid).memory_info().rss / 2**20
        rows.append((f"idle memory, {label}", memory, "MB (≤ 600)"))
        acks = await chat.acknowledgement(running[0].base)
        rows += [(f"{name}, {label}", value, "(p99 ≤ 20)") for name, value in acks.items()]
        waits = await chat.latency(sandbox)
        rows += [(f"{name}, {label}", value, "(p99 ≤ 300)") for name, value in waits.items()]
    async with product(kind, processes=processes) as (running, sandbox, _):
        rates = await chat.throughput(sandbox, running)
    rate = rates["answered / s"]
    return [
        *rows,
        (f"processor ms / message, {label}", rates["processor ms / message"], ""),
        (f"answered / s, {label}", rate, "(≥ 150)" if kind == "sqlite" else "(≥ 250)"),
        (f"share of the echo bot, {label}", rate / echo, ""),
    ]


async def bench_chat() -> Results:
    """Ours on both databases, and the echo bot as the ceiling."""
    async with chat.echo_bot() as sandbox:
        echo = (await chat.throughput(sandbox))["answered / s"]
    rows: Results = [("answered / s, bare echo bot", echo, "the ceiling")]
    for kind, processes in (("sqlite", 1), ("postgres", 1), ("postgres", 2)):
        rows += await chat_on(kind, processes, echo)
    return rows


BENCHES: dict[str, Callable[[], Coroutine[Any, Any, Results]]] = {
    "chat": bench_chat,
    "history": bench_history,
    "lists": bench_lists,
    "routing": bench_routing,
    "sla": bench_sla,
    "sockets": bench_sockets,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=sorted(BENCHES), action="append")
    chosen = parser.parse_args().only or sorted(BENCHES)
    table = Table("what", "measured", "unit, budget")
    for name in chosen:
        for what, value, budget in asyncio.run(BENCHES[name]()):
            table.add_row(what, f"{value:.3g}", budget)
    cores = os.cpu_count()
    console.print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}")
    console.print(table)


main()
