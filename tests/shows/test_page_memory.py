"""Her memory out of the desk and in again, in a real Chromium: a download, an upload, and what came of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, expect

from tests.desk_show import Air, Remembered, on_air
from tests.shows.test_page import HOSTILE, page_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    async with on_air(tmp_path) as air:
        yield air


async def test_memory_is_exported_and_imported(browser: Browser, air: Air, tmp_path: Path) -> None:
    air.controls.parts.memories = Remembered({"a1": HOSTILE})
    async with page_of(browser, air.console.url()) as page:
        await page.keyboard.press("7")
        async with page.expect_download() as waits:
            await page.click("#export")
        download = await waits.value
        assert download.suggested_filename == "spark-memory.jsonl"
        assert await anyio.Path(await download.path()).read_text(encoding="utf-8") == f"a1 {HOSTILE}\n"
        (tmp_path / "good.jsonl").write_text("plays the tuba\n")
        (tmp_path / "bad.jsonl").write_text(f"wrong {HOSTILE}\n")
        await page.set_input_files("#import", tmp_path / "good.jsonl")
        await expect(page.locator("#imported")).to_contain_text("1 entries are new")
        await expect(page.locator("#memories .row")).to_have_count(2)
        await page.set_input_files("#import", tmp_path / "bad.jsonl")
        await expect(page.locator("#imported[data-done=false]")).to_have_text(f"line 1: wrong {HOSTILE}")
        await expect(page.locator("#effect[data-done=false]")).to_contain_text("import: line 1")
        assert await page.locator("#carried img, #carried script").count() == 0
        assert "owned" not in await page.title()
