"""The tail is where a house is clean or not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import python_files, relative

LONGEST_FILE = 400
FUNCTION_P95 = 30
LONGEST_FUNCTION = 80

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _files() -> Iterator[Path]:
    """Written by people; migrations are generated."""
    return (path for path in python_files() if path.parent.name != "versions")


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def _length(function: Function) -> int:
    """Lines from `def` to the end, the docstring not counted."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_no_file_is_longer_than_can_be_grasped() -> None:
    lengths = {relative(path): path.read_text(encoding="utf-8").count("\n") for path in _files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{relative(path)}:{function.name}:{function.lineno}": _length(function)
        for path in _files()
        for function in _functions(path)
    }
    ordered = sorted(lengths.values())
    assert ordered[int(len(ordered) * 0.95)] <= FUNCTION_P95
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}
