"""The port we listen on: whether it is free, asked before anything is touched."""

from __future__ import annotations

import errno
import os
import socket

from bot.config import HttpSettings


def check_port(http: HttpSettings) -> None:
    """Raises: OSError as listening would, so that a second start leaves the first alone."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((http.host, http.port))


def is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE
