"""`python -m tools.console build` does nothing when there is nothing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import console

NODE = "#!/bin/sh\necho v22.1.0\n"
#: Writes down what it is asked; `build` fails where the sources say so.
NPM = """#!/bin/sh
echo "$1 $2" >> ../npm.log
mkdir -p node_modules
if [ "$2" = build ]; then
    grep -q broken src/main.ts && exit 1
    mkdir -p ../static && touch ../static/index.html
fi
exit 0
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "console"
    (folder / "src").mkdir(parents=True)
    (folder / "package-lock.json").write_text(json.dumps({}))
    (folder / "src" / "main.ts").write_text("1")
    monkeypatch.setattr(console, "_ROOT", tmp_path)
    monkeypatch.setattr(console, "_CONSOLE", folder)
    monkeypatch.setattr(console, "_MODULES", folder / "node_modules")
    monkeypatch.setattr(console, "_BUILT", tmp_path / "static" / "index.html")
    _programs(tmp_path / "bin", node=NODE, npm=NPM)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path


def _programs(folder: Path, **scripts: str) -> None:
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)


def _asked(project: Path) -> list[str]:
    log = project / "npm.log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def test_it_builds_once_and_again_when_a_source_or_the_result_is_gone(project: Path) -> None:
    assert console.main(["build"]) == 0
    assert _asked(project) == ["ci --no-audit", "run build"]
    assert console.main(["build"]) == 0
    assert _asked(project) == []
    (project / "console" / "src" / "main.ts").write_text("2")
    assert console.main(["build"]) == 0
    assert _asked(project) == ["run build"]
    (project / "static" / "index.html").unlink()
    assert console.main(["build"]) == 0
    assert _asked(project) == ["run build"]
    (project / "console" / "package-lock.json").write_text(json.dumps({"a": 1}))
    assert console.main(["build"]) == 0
    assert _asked(project) == ["ci --no-audit", "run build"]


def test_a_build_that_fails_is_said_and_tried_again(project: Path) -> None:
    (project / "console" / "src" / "main.ts").write_text("broken")
    assert console.main(["build"]) == 1
    assert _asked(project)
    assert console.main(["build"]) == 1
    assert _asked(project) == ["run build"]


@pytest.mark.parametrize("answer", ["v20.18.9", "v18.20.0", "nonsense"])
def test_an_old_node_is_not_used(project: Path, answer: str) -> None:
    (project / "bin" / "node").write_text(f"#!/bin/sh\necho {answer}\n")
    assert console._node_version() < console._OLDEST_NODE


def test_without_a_console_there_is_nothing_to_build(project: Path) -> None:
    (project / "console" / "package-lock.json").unlink()
    assert console.main(["build"]) == 0
    assert _asked(project) == []
