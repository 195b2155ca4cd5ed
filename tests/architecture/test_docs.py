"""Documentation that cannot rot unseen: links lead somewhere, decisions have their parts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, relative

PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("changes/*.md")})
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_KINDS = {"added", "changed", "fixed", "removed", "security"}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_and_what_would_change_it(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert text.startswith(f"# {decision.name[:4]} ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences", "What would change our mind"]


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in DECISIONS if f"({path.name})" not in listed] == []


def test_change_notes_are_named_after_their_kind() -> None:
    notes = [path for path in (ROOT / "changes").glob("*.md") if path.name != "README.md"]
    assert [path.name for path in notes if path.stem.rpartition(".")[2] not in _KINDS] == []


def test_the_chinese_readme_keeps_level_with_the_english_one() -> None:
    english, chinese = (ROOT / name for name in ("README.md", "README.zh-CN.md"))
    there = set(_LINK.findall(english.read_text(encoding="utf-8"))) - {"README.zh-CN.md"}
    assert there == set(_LINK.findall(chinese.read_text(encoding="utf-8"))) - {"README.md"}


def test_every_dependency_says_why_it_is_here() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for group in project["dependency-groups"].values():
        wanted += group
    page = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
    names = {re.split(r"[\[<>=~!; ]", one)[0] for one in wanted}
    assert sorted(name for name in names if name not in page) == []
