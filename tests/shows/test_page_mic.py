"""The page's microphone in a real Chromium with a fake device: who lets go of the key is not heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from glue.stage.console import Console
from tests.chromium import chromium
from tests.console_show import opened
from tests.shows.test_page import page_of, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
HELD = 450  # milliseconds: longer than a tap
# Down and up at once: a busy machine may hold back the second event for as long as a finger.
TAP = """
() => ["keydown", "keyup"].forEach((kind) =>
  document.body.dispatchEvent(new KeyboardEvent(kind, { key: "v", bubbles: true })))
"""
# A person who takes their time: the browser's question is answered by answer(), in the order of asking.
SLOW = """
() => {
  const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media), asked = [];
  window.streams = [];
  media.getUserMedia = async (wanted) => {
    await new Promise((answer) => asked.push(answer));
    window.wanted = wanted.audio;
    const stream = await ask(wanted);
    window.streams.push(stream);
    return stream;
  };
  window.answer = () => asked.shift()();
  const tracks = () => window.streams.flatMap((stream) => stream.getTracks());
  window.listening = () => tracks().filter((track) => track.readyState === "live").length;
}
"""


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    async with chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as browser:
        yield browser


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path) as console:
        console.microphones.wanted = True
        yield console


@asynccontextmanager
async def asked(browser: Browser, console: Console) -> AsyncIterator[Page]:
    """A page whose browser is about to ask."""
    async with page_of(browser, console.url()) as page:
        await until(page, "() => !document.getElementById('mic').hidden")
        await page.evaluate(SLOW)
        yield page


async def state(page: Page, wanted: str) -> None:
    await until(page, "(wanted) => spark.mic.state === wanted", wanted)


async def test_push_to_talk_is_on_while_the_key_is_held(browser: Browser, console: Console) -> None:
    async with asked(browser, console) as page:
        await page.keyboard.down("v")
        await page.evaluate("answer()")
        await state(page, "on")
        await page.wait_for_timeout(HELD)
        await page.keyboard.up("v")
        await state(page, "off")
        assert await page.evaluate("listening()") == 0 and await page.evaluate("streams.length") == 1
        asked_for = await page.evaluate("wanted")
        assert asked_for["echoCancellation"] and asked_for["noiseSuppression"], "or she hears herself"


async def test_a_key_that_is_released_before_the_answer_leaves_it_off(
    browser: Browser, console: Console
) -> None:
    async with asked(browser, console) as page:
        await page.keyboard.down("v")
        await state(page, "asking")
        await page.wait_for_timeout(HELD)
        await page.keyboard.up("v")
        await state(page, "off")
        await page.evaluate("answer()")
        await until(page, "() => streams.length === 1 && listening() === 0")
        await page.evaluate(TAP)  # on again, and only this one
        await state(page, "asking")
        await page.evaluate("answer()")
        await state(page, "on")
        assert await page.evaluate("listening()") == 1


async def test_a_second_wish_is_the_one_that_counts(browser: Browser, console: Console) -> None:
    async with asked(browser, console) as page:
        for _ in range(3):  # on, off, on, before the browser has an answer
            await page.click("#mic")
        await state(page, "asking")
        await page.evaluate("answer()")
        await until(page, "() => streams.length === 1 && listening() === 0")
        await state(page, "asking")
        await page.evaluate("answer()")
        await state(page, "on")
        assert await page.evaluate("listening()") == 1


async def test_a_page_that_loses_the_keyboard_stops_listening(browser: Browser, console: Console) -> None:
    async with asked(browser, console) as page:
        await page.keyboard.down("v")
        await page.evaluate("answer()")
        await state(page, "on")
        await page.evaluate("window.dispatchEvent(new Event('blur'))")
        await state(page, "off")
        assert await page.evaluate("listening()") == 0
        await page.keyboard.up("v")
        await page.click("#mic")  # switched on by hand, it stays on
        await page.evaluate("answer()")
        await state(page, "on")
        await page.evaluate("window.dispatchEvent(new Event('blur'))")
        assert await page.evaluate("spark.mic.state") == "on"


async def test_a_microphone_that_is_unplugged_is_told_of_and_can_be_opened_again(
    browser: Browser, console: Console
) -> None:
    async with asked(browser, console) as page:
        await page.click("#mic")
        await page.evaluate("() => answer()")
        await state(page, "on")
        await page.evaluate("() => streams[0].getAudioTracks()[0].dispatchEvent(new Event('ended'))")
        await state(page, "off")
        assert "plugged in" in await page.inner_text("#complaint")
        await page.click("#mic")
        await page.evaluate("() => answer()")
        await state(page, "on")


async def test_a_microphone_that_is_not_allowed_is_told_of(console: Console) -> None:
    """Nobody presses "allow"."""
    async with chromium("--use-fake-device-for-media-stream") as browser:
        async with page_of(browser, console.url()) as page:
            await page.context.clear_permissions()
            await page.click("#mic")
            await until(page, "() => document.getElementById('complaint').innerText.includes('allow')")
            await state(page, "off")
