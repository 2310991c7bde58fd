"""The console's pages in a real Chromium, fed by a real console: typing, showing, and the sound."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import numpy as np
import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from glue.chat_events import Deed, LinesRemoved
from glue.closing import closing
from glue.events import (
    Button,
    ButtonPressed,
    ChatLine,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    PartRecovered,
    Source,
)
from glue.stage.console import Console
from tests.chromium import chromium
from tests.console_show import RATE, arrives, ends, opened, playing, says, starts, tone

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
QUANTUM = 128 / RATE  # seconds of sound in one energy value
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    """As OBS runs it: sound needs no click."""
    async with chromium("--autoplay-policy=no-user-gesture-required") as browser:
        yield browser


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path) as console:
        yield console


async def until(page: Page, script: str, arg: object = None) -> Any:
    """Ask until the answer is true. (wait_for_function would need eval, which the page's policy forbids.)"""
    with anyio.fail_after(30):
        while True:
            if answer := await page.evaluate(script, arg):
                return answer
            await anyio.sleep(0.03)


@asynccontextmanager
async def page_of(browser: Browser, url: str) -> AsyncIterator[Page]:
    """A page that has heard from its show, and must not complain: no script error, nothing refused by the
    policy."""
    complaints: list[str] = []
    heard = anyio.Event()  # what is pressed before would not be sent

    def opens(socket: WebSocket) -> None:
        if urlsplit(socket.url).path == "/ws":
            socket.on("framereceived", lambda _: heard.set())

    async with await browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("websocket", opens)
        await page.goto(url)
        with anyio.fail_after(30):
            await heard.wait()
        yield page
    assert complaints == []


async def plays(page: Page) -> None:
    """Wait until this page is the one that plays."""
    await until(page, "() => spark.audio.context?.state === 'running' && spark.audio.mine()")


async def energy(page: Page, after: float, loud: bool = True) -> np.ndarray:
    """[[show clock, RMS]] of what is heard, once something (loud or silent) was after that time."""
    script = """([after, loud]) => {
        const {energy, heard} = spark.audio;
        if (!heard) return null;
        const found = energy.map(([time, rms]) => [time - heard.context + heard.show, rms]);
        const last = found.filter(([time]) => time > after);
        return last.length > 20 && (!loud || last.some(([, rms]) => rms > 0.01)) ? found : null;
    }"""
    return np.array(await until(page, script, [after, loud]))


async def test_a_typed_line_is_received_and_shown_with_its_fate(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url()) as page, closing(console.received()) as received:
        assert "token" not in page.url
        await page.fill("#author", "mika")
        await page.fill("#line", "hello there")
        await page.press("#line", "Enter")
        with anyio.fail_after(30):
            message = await anext(received)
        assert (message.kind, message.author, message.text) == ("chat", "mika", "hello there")
        await expect(page.locator("#line")).to_have_value("")
        line = arrives(console, 1, "mika", "hello there")
        await expect(page.locator("#queue")).to_have_text("1 waiting")
        starts(console, line, "t1")
        await expect(page.locator("#doing")).to_have_text("speaking")
        says(console, "t1", ["Oh, hello", "Mika, nice hat."], spoken=4)
        await expect(page.locator(".caption b")).to_have_text("Mika")
        await expect(page.locator("#feed .turn .text b")).to_have_text("Oh, hello Mika")
        await expect(page.locator(".fall .sum")).to_have_text("410 ms")
        ends(console, line, "t1", "Oh, hello Mika, nice hat.")
        await expect(page.locator("#feed .line .fate")).to_have_text("answered")
        await expect(page.locator("#doing")).to_have_text("idle")
        await expect(page.locator(".caption")).not_to_have_class("caption shown")


async def test_each_line_has_the_badge_of_its_source(browser: Browser, console: Console) -> None:
    sub = ChatLine("s1", "bo", "subscribed", Source.TWITCH, supporter=True, deed=Deed.SUB)
    hi, bad = ChatLine("y1", "cy", "hi", Source.YOUTUBE), ChatLine("t1", "troll", "bad", Source.TWITCH)
    for line in (sub, hi, bad):
        console.show(LineArrived(0.0, line))
    console.show(LinesRemoved(1.0, ("t1", "unknown")))
    async with page_of(browser, console.url()) as page:
        await expect(page.locator("#feed .line")).to_have_count(3)
        script = "(lines) => lines.map((line) => getComputedStyle(line, '::before').content)"
        badges = await page.locator("#feed .line").evaluate_all(script)
        assert badges == ['"twitch"', '"youtube"', '"twitch"']
        await expect(page.locator("#feed .line[data-deed=sub] .text")).to_have_text("subscribed")
        await expect(page.locator("#feed .line .text").last).to_have_text("(removed by a moderator)")


async def test_hostile_words_are_only_words(browser: Browser, console: Console) -> None:
    line = arrives(console, 1, HOSTILE, HOSTILE)
    starts(console, line, "t1")
    says(console, "t1", [HOSTILE], spoken=9)
    console.show(PartDegraded(0.0, HOSTILE, HOSTILE))
    for path in ("", "stage"):
        async with page_of(browser, console.url(path)) as page:
            await expect(page.locator(".caption")).to_have_text(HOSTILE)
            if not path:
                await expect(page.locator("#feed .line .name")).to_have_text(HOSTILE)
            assert await page.locator("#feed img, .caption img, #parts img, body script").count() == 0
            assert "owned" not in await page.title()


async def test_buttons_and_their_keys(browser: Browser, console: Console) -> None:
    async with page_of(browser, console.url()) as page, closing(console.received()) as received:

        async def pressed() -> str:
            with anyio.fail_after(30):
                button = (await anext(received)).text
            console.show(ButtonPressed(anyio.current_time(), Button(button)))
            return button

        await page.click("#skip")
        assert await pressed() == "skip"
        await page.click("#mute")
        assert await pressed() == "mute"
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("m")
        assert await pressed() == "unmute"
        await page.keyboard.press("p")
        assert await pressed() == "pause_chat"
        await page.focus("#line")
        await page.keyboard.type("smp")  # in the chat box, letters are letters
        await page.keyboard.press("Escape")
        assert await pressed() == "panic"
        await expect(page.locator("#doing")).to_have_text("stopped")
        await page.click("#panic")
        assert await pressed() == "go"


async def test_parts_that_are_down_and_a_lost_connection(browser: Browser, tmp_path: Path) -> None:
    async with opened(tmp_path) as console, page_of(browser, console.url()) as page:
        console.show(PartDegraded(0.0, "speech", "nobody listens"))
        await expect(page.locator("#parts li")).to_have_text("speech is down: nobody listens")
        console.show(PartRecovered(1.0, "speech"))
        await expect(page.locator("#parts li")).to_have_count(0)
        line = arrives(console, 1, "mika", "hi")
        console.show(LineClosed(0.0, line.id, Fate.SPAM))
        await expect(page.locator("#feed .line .fate")).to_have_text("spam")


@pytest.mark.alone
async def test_sound_is_heard_when_the_speaker_says(browser: Browser, console: Console) -> None:
    async with playing(console) as mixer, page_of(browser, console.url()) as page:
        await plays(page)
        track = mixer.track()
        errors: list[float] = []
        latencies: list[float] = []
        while len(errors) < 3:
            before: list[float] = []
            track.on_audible(before.append)
            await track.write(tone(0.5))
            with anyio.fail_after(30):
                await track.drained(0.0)
            start, latency = before[0], mixer.latency()
            found = await energy(page, start)
            mine = found[found[:, 0] > start]
            first = int(np.argmax(mine[:, 1] > 0.01))
            filled = min(1.0, (mine[first, 1] / 0.3536) ** 2)  # how much of its block the tone fills
            onset = mine[first, 0] + (1 - filled) * QUANTUM
            if np.all(mine[first + 1 : first + 80, 1] > 0.3):  # else a busy machine tore it, and it moved
                errors.append(onset - start - latency)
                latencies.append(latency)
            await anyio.sleep(0.2)  # a pause between two replies
        assert abs(np.median(errors)) < 0.012, errors
        assert 0.02 < np.median(latencies) < 0.5, latencies


@pytest.mark.alone
async def test_a_flush_is_silence_within_60_ms(browser: Browser, console: Console) -> None:
    async with playing(console) as mixer, page_of(browser, console.url("stage")) as page:
        await plays(page)
        track = mixer.track()
        took: list[float] = []
        for _ in range(7):
            await track.write(tone(0.9))
            await energy(page, anyio.current_time())
            flushed = anyio.current_time()
            mixer.flush(track)
            found = await energy(page, flushed + 0.1, loud=False)
            took.append(found[found[:, 1] > 0.001][-1, 0] + QUANTUM - flushed)
        print(f"silent {1000 * np.median(took):.0f} ms after a flush")  # noqa: T201 - a figure to report
        assert min(took) < 0.060, took  # a busy machine adds to some of them; what the page holds, to all


async def test_one_page_plays_and_hands_over(browser: Browser, console: Console) -> None:
    async with playing(console), page_of(browser, console.url("stage")) as stage:
        await plays(stage)  # before the desk is there: it would offer itself
        async with page_of(browser, console.url()) as desk:
            await expect(desk.locator("#sound")).to_have_text("Sound: stage page")
            await desk.click("#sound")
            await plays(desk)
            await until(stage, "() => !spark.audio.mine()")
            await expect(desk.locator("#sound")).to_have_text("Sound plays here")
            await desk.click("#sound")
            await plays(stage)


async def test_a_page_that_nobody_clicked_never_plays(console: Console) -> None:
    strict = "--autoplay-policy=document-user-activation-required"
    async with chromium(strict) as browser, playing(console), page_of(browser, console.url()) as page:
        protocol = await page.context.new_cdp_session(page)

        async def answers(script: str) -> None:
            """Playwright's own evaluate and expect count as a click."""
            with anyio.fail_after(30):
                while True:
                    answer = await protocol.send("Runtime.evaluate", {"expression": script})
                    if answer["result"].get("value"):
                        return
                    await anyio.sleep(0.03)

        asks = "spark.audio.context?.state === 'suspended' && !document.getElementById('wake').hidden"
        await answers(asks)
        assert console.players.player is None
        await page.mouse.click(300, 250)
        await answers("spark.audio.mine() && document.getElementById('wake').hidden")
        await answers("spark.audio.context.suspend() && true")
        await answers(asks)
        await answers("!spark.audio.mine()")
        assert console.players.player is None


async def test_the_stage_is_clean(browser: Browser, console: Console) -> None:
    async with playing(console), page_of(browser, console.url("stage") + "&sound=0") as page:
        line = arrives(console, 1, "mika", "hello")
        starts(console, line, "t1")
        says(console, "t1", ["Family \U0001f469\u200d\U0001f469\u200d\U0001f467 time!"], spoken=9)
        await expect(page.locator(".caption b")).to_have_text("Family ")
        facts: dict[str, Any] = await page.evaluate(
            """() => ({
                text: document.body.innerText.trim(),
                ground: getComputedStyle(document.body).backgroundColor,
                scrolls: document.documentElement.scrollHeight > innerHeight
                    || document.documentElement.scrollWidth > innerWidth,
                context: spark.audio.context,
            })"""
        )
        assert facts == {
            "text": "Family \U0001f469\u200d\U0001f469\u200d\U0001f467 time!",
            "ground": "rgba(0, 0, 0, 0)",
            "scrolls": False,
            "context": None,
        }
