"""Serves the demo company alone: `python -m channels.wecom.sandbox --port 8099`."""

from __future__ import annotations

import argparse

from aiohttp import web

from channels.wecom.sandbox.app import make_sandbox_app
from channels.wecom.sandbox.demo_seed import demo_seed


def main() -> None:
    parser = argparse.ArgumentParser(description="A local WeCom for demos and tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--store", help="SQLite file that keeps the state")
    parser.add_argument("--callback-url", help="where callbacks of the demo app go")
    chosen = parser.parse_args()
    app = make_sandbox_app(demo_seed(chosen.callback_url), store_path=chosen.store)
    web.run_app(app, host=chosen.host, port=chosen.port)


if __name__ == "__main__":
    main()
