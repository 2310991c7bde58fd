"""What she sees, on the operator's page in a real Chromium: text, whatever it says."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from glue.sight_events import Seen, SightDropped
from tests.console_show import opened
from tests.shows.test_page import HOSTILE, page_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_the_page_shows_what_she_sees_as_text(browser: Browser, tmp_path: Path) -> None:
    async with opened(tmp_path) as console:
        console.show(Seen(0.0, "screen", ("GAME OVER", HOSTILE), ("cat",), "A cat"))
        async with page_of(browser, console.url()) as page:
            await expect(page.locator("#seen")).to_have_text(f"A cat; cat; GAME OVER / {HOSTILE}")
            assert await page.locator("#sight img").count() == 0 and "owned" not in await page.title()
            console.show(SightDropped(1.0, "screen", "BUTTOCKS_EXPOSED", 0.9))
            await expect(page.locator("#seen")).to_have_text("dropped: BUTTOCKS_EXPOSED")
