"""Generated pages are what the code generates today."""

from __future__ import annotations

import pytest

from tools.docs import GENERATED, ROOT


@pytest.mark.parametrize("path", GENERATED)
def test_generated_page_is_unchanged(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == GENERATED[path](), "run `make docs`"
