"""The rings point inward: the contracts of pyproject.toml are kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT


def test_import_contracts_are_kept() -> None:
    lint = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run(  # noqa: S603 - our own arguments
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
