"""The line that she answers, on the stage's page in a real Chromium: chat's only, and only while she does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from glue.chat_events import Deed, LinesRemoved
from glue.events import ChatLine, Event, Source
from glue.memory_events import LinesForgotten
from glue.stage.console import Console
from tests.console_show import arrives, ends, opened, says, starts
from tests.shows.test_page import HOSTILE, page_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
LINE = ChatLine("y1", "mika", "what's your favourite train?", Source.TWITCH)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path) as console:
        yield console


async def test_a_line_is_shown_while_its_answer_is_heard(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&asked=1") as page:
        plate = page.locator("#asked")
        starts(console, LINE, "t1")
        await expect(plate).to_be_hidden()  # nothing is heard yet: her sound may be delayed
        says(console, "t1", ["The night train."], spoken=3)
        await expect(plate).to_be_visible()
        await expect(plate).to_have_text("mika: what's your favourite train?")
        above, below = await plate.bounding_box(), await page.locator(".caption").bounding_box()
        assert above and below and above["y"] + above["height"] < below["y"]
        ends(console, LINE, "t1", "The night train.")
        await expect(plate).to_be_hidden()
        assert await plate.inner_text() == ""


@pytest.mark.parametrize(
    "line",
    [
        replace(LINE, source=Source.VOICE),
        replace(LINE, source=Source.CONSOLE),
        replace(LINE, source=Source.TERMINAL),
        replace(LINE, source=Source.HERSELF),
        replace(LINE, text="gave 100 bits", deed=Deed.BITS),
    ],
    ids=lambda line: "deed" if line.deed else str(line.source),
)
async def test_only_chat_is_shown(browser: Browser, console: Console, line: ChatLine) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&asked=1") as page:
        starts(console, line, "t1")
        says(console, "t1", ["The night train."])
        await expect(page.locator(".caption.shown")).to_have_text("The night train.")
        await expect(page.locator("#asked")).to_be_hidden()


@pytest.mark.parametrize("gone", [LinesRemoved(1.0, ("y1",)), LinesForgotten(1.0, ("y1",))])
async def test_a_line_that_is_taken_away_is_gone_at_once(
    browser: Browser, console: Console, gone: Event
) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&asked=1") as page:
        starts(console, LINE, "t1")
        for number in range(300):  # a flood: the page's conversation has lost the line
            arrives(console, number, "troll", "spam")
        says(console, "t1", ["The night train."])
        await expect(page.locator("#asked")).to_be_visible()
        console.show(gone)
        await expect(page.locator("#asked")).to_be_hidden()
        assert await page.locator("#asked").inner_text() == ""


async def test_a_viewer_s_words_are_words_and_two_lines_at_most(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&asked=1") as page:
        plate = page.locator("#asked")
        line = replace(LINE, author="<b>mika</b>", text=f"{HOSTILE} {'long ' * 100}")
        starts(console, line, "t1")
        says(console, "t1", ["Nice try."])
        await expect(plate.locator("b")).to_have_text("<b>mika</b>:")
        await expect(plate.locator("q")).to_contain_text(HOSTILE)
        assert await page.locator("#asked img, #asked script").count() == 0
        assert "owned" not in await page.title()
        lines = "(box) => box.clientHeight / parseFloat(getComputedStyle(box).lineHeight)"
        assert await plate.locator("span").evaluate(lines) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("asked", "address", "shown"),
    [(False, "", False), (False, "&asked=1", True), (True, "", True), (True, "&asked=0", False)],
)
async def test_it_is_off_until_somebody_wants_it(
    browser: Browser, tmp_path: Path, asked: bool, address: str, shown: bool
) -> None:
    async with (
        opened(tmp_path, asked=asked) as console,
        page_of(browser, console.url("stage") + "&sound=0" + address) as page,
    ):
        starts(console, LINE, "t1")
        says(console, "t1", ["The night train."])
        await expect(page.locator(".caption.shown")).to_have_text("The night train.")
        await expect(page.locator("#asked")).to_be_visible(visible=shown)


async def test_with_the_captions_in_a_text_source_it_is_there_alone(
    browser: Browser, console: Console
) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&captions=0&asked=1") as page:
        starts(console, LINE, "t1")
        says(console, "t1", ["The night train."])
        await expect(page.locator("#asked")).to_be_visible()
        await expect(page.locator(".caption")).to_have_count(0)
        box = await page.locator("#asked").bounding_box()
        assert box and box["y"] + box["height"] < 0.75 * 720  # room for the source's lines


async def test_the_view_of_one_of_two_shows_what_she_is_asked(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url("stage") + "&sound=0&asked=1&who=evil") as page:
        starts(console, LINE, "t1")
        says(console, "t1", ["The night train."])
        console.show(LinesRemoved(1.0, ("other",)))
        await expect(page.locator("#asked")).to_be_hidden()
        assert await page.evaluate("spark.story.speaking.has('main')")
