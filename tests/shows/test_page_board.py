"""The operator's sounds on the desk, in a real Chromium on a whole show."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect

from tests.desk_show import Air, on_air
from tests.shows.test_page import page_of
from tests.test_board import LEVEL, comes, heard, on_its_way, write
from tests.tunes import write as song

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    async with on_air(tmp_path) as air:
        yield air


async def steer(page: Page) -> None:
    await page.click("#tabs button:has-text('Steer')")
    await expect(page.locator("#persona")).to_have_value("main")  # what holds has been asked for


async def test_without_sounds_there_is_nothing_to_press(browser: Browser, air: Air) -> None:
    async with page_of(browser, air.console.url()) as page:
        await steer(page)
        await expect(page.locator("#board")).to_be_hidden()


async def test_a_sound_is_a_chip_and_is_heard(browser: Browser, air: Air, tmp_path: Path) -> None:
    write(tmp_path / "sounds" / "Ding & Dong.wav", 20)
    async with page_of(browser, air.console.url()) as page:
        await steer(page)
        await expect(page.locator("#board button")).to_have_text(["Ding & Dong", "■"])
        await page.click("#board button:has-text('Ding & Dong')")
        await expect(page.locator("#effect")).to_have_text("play: Ding & Dong, 20.0 s")
        await comes(lambda: LEVEL // 2 in heard(air))
        await page.click("#board button[title='No sound any more']")
        await expect(page.locator("#effect")).to_have_text("play: no sound is heard any more")
        assert not on_its_way(air)


async def test_a_song_is_a_chip_and_is_sung(browser: Browser, air: Air, tmp_path: Path) -> None:
    async with page_of(browser, air.console.url()) as page:
        await steer(page)
        await expect(page.locator("#songs")).to_be_hidden()
    song(tmp_path / "songs" / "Rock & Roll.wav", np.full(24_000 * 20, 6000))
    await air.controls.jukebox.repertoire.songs.look()  # type: ignore[attr-defined]  # as it does every few seconds
    async with page_of(browser, air.console.url()) as page:
        await steer(page)
        await expect(page.locator("#songs button")).to_have_text(["Rock & Roll", "■"])
        await page.click("#songs button:has-text('Rock & Roll')")
        await expect(page.locator("#effect")).to_have_text("sing: sung next: Rock & Roll, 0:20")
        await comes(lambda: 3000 in heard(air))
        await page.click("#songs button[title='No song any more']")
        await expect(page.locator("#effect")).to_have_text("sing: Rock & Roll ends")
        await comes(lambda: not on_its_way(air))
