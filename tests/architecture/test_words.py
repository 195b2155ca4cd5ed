"""Words and constructs that have no place in this house."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.architecture.sources import python_files, relative, text_files

#: `except Exception` is for loops and boundaries that must live on.
BROAD_EXCEPT_ALLOWED = {
    "admin_api/errors.py",
    "bot/app.py",
    "bot/dispatcher.py",
    "core/bus.py",
    "core/lane_worker.py",
    "core/outbox.py",
    "core/timers/runner.py",
    "core/worker.py",
}


def _lines_with(pattern: str, text: Callable[[], list[tuple[str, str]]]) -> list[str]:
    expression = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, content in text()
        for number, line in enumerate(content.splitlines(), 1)
        if expression.search(line)
    ]


#: Files that must name a library's own module, which happens to be called so.
_NAMED_SO_BY_A_LIBRARY = {"knowledge/optimised.py"}


def _everything() -> list[tuple[str, str]]:
    return [
        (relative(path), path.read_text(encoding="utf-8"))
        for path in text_files()
        if relative(path) not in _NAMED_SO_BY_A_LIBRARY
    ]


def _product() -> list[tuple[str, str]]:
    return [(relative(path), path.read_text(encoding="utf-8")) for path in python_files()]


def _tests() -> list[tuple[str, str]]:
    return [(relative(path), path.read_text(encoding="utf-8")) for path in python_files("tests")]


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"(?<![\w.~<>$}/-])/(?:root|work|home/[a-z]+)/\w", id="a machine's path"),
        pytest.param(r"registry\.npm|npmm[i]rror|pythonh[o]sted|/simp[l]e[/\"']", id="a registry"),
        pytest.param(r"(?:extra-)?index[-_]url\s*=", id="a package index"),
        pytest.param(r"(?i)(?<![@/-])\bhelp[e]rs?\b|\bfarm[-]", id="a word of the workplace"),
        pytest.param(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b", id="an unfinished thought"),
        pytest.param(r"-----BEGIN [A-Z ]*PRIV[A]TE", id="a private key"),
    ],
)
def test_no_file_contains(pattern: str) -> None:
    assert _lines_with(pattern, _everything) == []


def test_modules_have_names_that_say_something() -> None:
    empty = re.compile(r"help[e]rs?|utils?|common|misc|managers?")
    assert [relative(path) for path in python_files() if empty.fullmatch(path.stem)] == []


def test_exceptions_are_caught_broadly_only_where_a_loop_must_live_on() -> None:
    found = _lines_with(r"except (?:Base)?Exception\b|except:", _product)
    assert [line for line in found if line.split(":")[0] not in BROAD_EXCEPT_ALLOWED] == []


# Starting servers looks again and again; killing at a random moment is about real time.
def test_tests_wait_for_conditions_and_not_for_time_to_pass() -> None:
    a_look_between = r"0\)|0\.0\d*\)"
    found = _lines_with(rf"time\.sleep\(|asyncio\.sleep\((?!{a_look_between})", _tests)
    exempt = ("tests/services.py", "tests/architecture/", "tests/flows/test_crash.py")
    assert [line for line in found if not line.startswith(exempt)] == []
