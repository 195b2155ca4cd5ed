"""The OA's records as the administrator sees them: conflicts mended, fields left to the OA."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from core.oa import conflicts
from tests.e2e.conftest import Running, Windows
from tests.waiting import eventually

pytestmark = pytest.mark.browser


async def test_an_institution_made_by_hand_is_linked_and_then_left_to_the_oa(
    windows: Windows, running: Running, tmp_path: Path
) -> None:
    async def is_fetched() -> bool:
        async with running.app.uow.read() as tx:
            return await conflicts.count(tx) > 0

    await eventually(is_fetched)
    page = (await windows.desk("admin", online=False)).page
    await page.goto("/#/integration/oa")
    join = page.locator("[data-test=oa-join]")
    await expect(join).to_have_count(1)
    await page.screenshot(path=tmp_path / "conflicts.png")
    await join.click()
    await expect(join).to_have_count(0)
    await expect(page.get_by_text("没有行政区划代码 999999")).to_be_visible()

    await page.goto("/#/customers/institutions")
    row = page.locator(".el-tree-node__content", has_text="江城市疾控中心")
    await expect(row.get_by_text("OA", exact=True)).to_be_visible()
    await row.hover()
    await row.get_by_text("编辑").click()
    dialog = page.locator(".el-dialog")
    await expect(dialog.get_by_text("由 OA 同步（JG005）")).to_be_visible()
    await expect(dialog.locator("input").first).to_be_disabled()
    await page.screenshot(path=tmp_path / "owned.png")
