"""Which files the architecture tests read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "channels", "core", "knowledge", "admin_api")
_ENTRIES = (*PACKAGES, "console", "deploy", "docs", "tests", "tools", "changes", ".ci")
_NOT_OURS = {"node_modules", "__pycache__", "static", "dist", ".vite"}
_TEXT = {
    ".conf", ".css", ".csv", ".html", ".js", ".json", ".jsonl", ".mako", ".md", ".mjs", ".py",
    ".service", ".sh", ".toml", ".ts", ".txt", ".vue", ".xml", ".yaml", ".yml", "",
}  # fmt: skip


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders or PACKAGES:
        yield from (path for path in _walk(ROOT / folder) if path.suffix == ".py")


def text_files() -> Iterator[Path]:
    """All text that is ours, at the top and in the folders of the project."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and _is_text(path))
    for entry in _ENTRIES:
        yield from filter(_is_text, _walk(ROOT / entry))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _is_text(path: Path) -> bool:
    is_local = path.name in {".git", "wenqu.toml"} or path.name.startswith(".env")
    return path.suffix in _TEXT and not is_local


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_OURS]
        yield from (Path(here, name) for name in names)
