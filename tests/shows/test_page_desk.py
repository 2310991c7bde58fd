"""The operator's desk in a real Chromium on a whole show: each button does what it says; on a phone, too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page, expect

from glue.broadcast_events import (
    BroadcastLacking,
    BroadcastMeasured,
    Fault,
    StreamFaltered,
    StreamRestored,
)
from glue.events import Ending, Fate, LineClosed, PartDegraded, PartRecovered, TurnEnded
from tests.core import PlainMind, PlainStand, Scene, SlowLlm, SlowTts
from tests.desk_show import INSTEAD, Air, Remembered, on_air
from tests.shows.test_page import HOSTILE, page_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
FIRST, SECOND, THIRD = (
    "What a lovely hat that is.",
    "The cat is asleep already.",
    "Rain falls on the window now.",
)
# What it asks in between; a second press counts for 3 s, which a busy machine may need from one to the next.
TWICE = "(button) => { button.click(); const asked = button.textContent; button.click(); return asked; }"
SAID = [f"{clause} " for clause in (FIRST, SECOND, THIRD)]


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[Air]:
    async with on_air(
        tmp_path, Scene(llm=SlowLlm(words=SAID, first=0.05), tts=SlowTts(first=0.02, word=0.1))
    ) as air:
        yield air


@asynccontextmanager
async def phone_of(browser: Browser, url: str) -> AsyncIterator[Page]:
    async with await browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = await context.new_page()
        await page.goto(url)
        yield page


async def ended(air: Air, count: int = 1) -> list[TurnEnded]:
    with anyio.fail_after(60):
        while True:
            found = [event for event in air.happened if isinstance(event, TurnEnded)]
            if len(found) >= count:
                return found
            await anyio.sleep(0.01)


async def test_the_next_line_is_held_edited_left_out_and_said(browser: Browser, air: Air) -> None:
    async with page_of(browser, air.console.url()) as page, page_of(browser, air.console.url()) as other:
        await page.click("#hold")
        await expect(other.locator("#hold")).to_have_attribute("aria-pressed", "true")
        air.says("mika", "hello Spark")
        card = page.locator('.cue[data-state="waits"]')
        await expect(card.locator(".text")).to_have_text(FIRST)
        await page.keyboard.press("e")
        await page.keyboard.type("smpdhyxa and 123")  # in a card, letters are letters
        await page.keyboard.press("Escape")
        assert not air.controls.director.stopped, "Esc ends the editing, and nothing else"
        await page.keyboard.press("e")
        await card.locator("input").fill("Other words.")
        await page.keyboard.press("Enter")
        await expect(card.locator(".text")).to_have_text(SECOND)
        theirs = other.locator('.cue[data-state="waits"]')
        await expect(theirs.locator(".text")).to_have_text(SECOND)
        await theirs.get_by_role("button", name="Leave out").click()
        await expect(card.locator(".text")).to_have_text(THIRD)
        await page.keyboard.press("y")
        await expect(page.locator("#effect")).to_have_text(f"yes: {THIRD}")
        assert (await ended(air))[0].heard == f"Other words. {THIRD}"
        await expect(page.locator(".cue")).to_have_count(0)
        await other.keyboard.press("x")
        await expect(other.locator("#effect[data-done=false]")).to_have_text(
            "drop: nothing waits to be spoken"
        )


async def test_the_operators_words_get_the_voice_that_is_chosen(browser: Browser, air: Air) -> None:
    members, stand = air.controls.parts.members, PlainStand(air.scene.mixer, air.scene.tts.word)
    members["evil"] = replace(members["main"], who="evil", mind=PlainMind(), stand=stand)
    async with page_of(browser, air.console.url()) as page:
        await page.keyboard.press("4")
        await expect(page.locator("#teller option")).to_have_text(["main", "evil"])
        for whose, words in (("evil", "Kneel, chat."), ("main", "Sit, chat.")):
            await page.locator("#teller").select_option(whose)
            await page.locator("#own").fill(words)
            await page.keyboard.press("Enter")
            await expect(page.locator("#own")).to_have_value("")
        assert [(e.who, e.heard) for e in await ended(air, 2)] == [
            ("evil", "Kneel, chat."),
            ("main", "Sit, chat."),
        ]
        await expect(page.locator("#teller")).to_have_value("main")
        air.controls.director.cast = ["main"]
        await page.reload()
        await expect(page.locator("#voices")).to_be_hidden()


async def test_what_the_filters_held_is_said_anyway(browser: Browser, air: Air) -> None:
    air.blocklist.add("asleep")
    async with page_of(browser, air.console.url()) as page:
        air.says("mika", "hello Spark")
        card = page.locator('.cue[data-state="refused"]')
        await expect(card.locator(".text")).to_have_text(SECOND)
        await page.keyboard.press("3")
        await expect(page.locator("#verdicts .row").first).to_contain_text("a word of the operator's list")
        await expect(page.locator("#blocked li")).to_contain_text("asleep")
        await ended(air)
        await card.locator("button").click()
        found = await ended(air, 2)
        assert [e.heard for e in found] == [f"{FIRST} {INSTEAD}", SECOND]
        await expect(card).to_have_count(0)


async def test_delay_dump_and_panic(browser: Browser, air: Air) -> None:
    async with page_of(browser, air.console.url()) as page:
        slide = "(slider) => { slider.value = '9.5'; slider.dispatchEvent(new Event('change')); }"
        await page.locator("#delay").evaluate(slide)
        await expect(page.locator("#late")).to_have_text("9.5 s")
        air.says("mika", "hello Spark")
        await expect(page.locator('.cue[data-state="voiced"]')).to_be_visible()
        await page.keyboard.press("d")
        assert (await ended(air))[0].ending is Ending.DUMPED
        await expect(page.locator("#feed .line .fate")).to_have_text("dumped before it was heard")
        await page.keyboard.press("Escape")
        await expect(page.locator("#doing")).to_have_text("stopped")
        await page.keyboard.press("Escape")  # in alarm, twice
        async with page_of(browser, air.console.url("stage")) as stage:
            await expect(stage.locator(".caption.shown")).to_have_text("Be right back!")
            await page.click("#panic")
            await expect(stage.locator(".caption.shown")).to_have_count(0)
        await expect(page.locator("#doing")).to_have_text("idle")
        fates = [event.fate for event in air.happened if isinstance(event, LineClosed)]
        assert fates == [Fate.DUMPED]


async def test_the_inbox_shows_scores_and_fates(browser: Browser, air: Air) -> None:
    air.controls.cues.held(True)
    async with page_of(browser, air.console.url()) as page:
        await page.keyboard.press("2")
        air.says("mika", "hello Spark")
        await expect(page.locator("#doing")).to_have_text("waiting for you")
        hostile = "<img src=x onerror=alert(1)>"  # the filters let it in
        for author, text in (("bo", "nice weather"), (hostile, "Spark, why is the sky blue?")):
            air.says(author, text)
        waiting = page.locator("#waiting .row")
        await expect(waiting).to_have_count(2)
        await expect(waiting.first.locator("b")).to_have_text(hostile)
        scores = [float(score) for score in await waiting.locator(".score").all_inner_texts()]
        assert scores == sorted(scores, reverse=True) and scores[0] > 3
        await page.keyboard.press("s")
        await expect(page.locator("#closed .row small")).to_have_text(["skipped"])
        await expect(page.locator("#doing")).to_have_text("waiting for you")  # the same words, not heard yet
        assert await page.locator("#waiting img, #closed img").count() == 0


async def test_steering_blocking_and_restarting(browser: Browser, air: Air) -> None:
    async with page_of(browser, air.console.url()) as page, page_of(browser, air.console.url()) as other:
        await page.keyboard.press("4")
        await page.fill("#topic", "night trains")
        await page.press("#topic", "Enter")
        await expect(page.locator("#effect")).to_have_text("topic: from her next reply on: night trains")
        assert "night trains" in air.talk.prefix().messages[-1].content
        await expect(other.locator("#topic")).to_have_value("night trains")
        await page.select_option("#persona", "evil")
        await page.locator("form[data-wish=persona] button").click()
        await expect(page.locator("#effect")).to_have_text("persona: evil answers from the next reply on")
        await page.keyboard.press("3")
        await page.fill("#word", HOSTILE[:20])
        await page.press("#word", "Enter")
        await expect(page.locator("#blocked li")).to_contain_text(HOSTILE[:20])
        await page.locator("#blocked button").click()
        await expect(page.locator("#blocked li")).to_have_count(0)
        air.show.emit(PartDegraded(0.0, "llm", HOSTILE))
        await page.locator("#tabs button", has_text="Health").click()
        down = page.locator('#engines .row[data-state="down"]')
        await expect(down).to_contain_text(f"down: {HOSTILE}")
        await down.locator("button").click()
        await expect(page.locator("#effect")).to_have_text("restart: llm is started afresh")
        air.show.emit(PartRecovered(1.0, "llm"))
        await expect(down).to_have_count(0)
        assert air.restarted == ["llm"] and "owned" not in await page.title()


def measured(streaming: bool = True, **changed: float) -> BroadcastMeasured:
    figures = {"kbit_s": 5821.4, "congestion": 0.713, "dropped": 0.0642, "lagged": 0.001, "fps": 30.0}
    now = anyio.current_time()
    return BroadcastMeasured(now, streaming, streaming, f"Spark Game {HOSTILE}", **(figures | changed))


async def test_health_shows_how_the_broadcast_does(browser: Browser, air: Air) -> None:
    tell = air.show.emit
    async with page_of(browser, air.console.url()) as page:
        await page.locator("#tabs button", has_text="Health").click()
        await expect(page.locator("#air")).to_be_hidden()
        tell(measured())
        tell(StreamFaltered(anyio.current_time(), Fault.DROPPING, f"99 of 300 frames {HOSTILE}", "Say so."))
        tell(BroadcastLacking(0.0, f"OBS has no '{HOSTILE}'; cure: broadcast.scenes"))
        await expect(page.locator("#onair")).to_have_text(
            f"streaming, recording · scene Spark Game {HOSTILE}"
        )
        tiles = page.locator("#stream .tile")
        await expect(tiles).to_have_text(
            [
                "5,821kbit/s",
                "6.4 %dropped",
                "71.3 %congested",
                "0.1 %drawn late",
            ]
        )
        await expect(page.locator('#stream .tile[data-bad="true"]')).to_have_text("6.4 %dropped")
        warnings = page.locator("#warnings .row")
        await expect(warnings).to_have_count(2)
        await expect(warnings.first).to_have_text(f"dropping frames99 of 300 frames {HOSTILE}")
        await expect(page.locator("#tabs button", has_text="Health")).to_contain_text("1")
        assert await page.locator("#air :is(img, script)").count() == 0 and "owned" not in await page.title()
        tell(StreamRestored(anyio.current_time(), Fault.DROPPING, 42.0))
        await expect(warnings.first).to_contain_text("s ago, over after 42 s")
        tell(measured(streaming=False))
        await expect(page.locator("#onair")).to_have_text(f"not on air · scene Spark Game {HOSTILE}")
        await expect(tiles).to_have_count(0)
        for n in range(500):  # more than a page that comes later is told
            air.show.emit(PartRecovered(float(n), "nothing"))
        async with page_of(browser, air.console.url()) as later:
            await later.locator("#tabs button", has_text="Health").click()
            await expect(later.locator("#onair")).to_contain_text("not on air")
            tell(PartDegraded(anyio.current_time(), "broadcast", "OBS hung up"))
            await expect(later.locator("#onair")).to_have_text("OBS is away")
            await expect(later.locator("#engines")).to_contain_text("down: OBS hung up")


async def test_the_journal_is_searched_and_a_reply_opened(browser: Browser, air: Air) -> None:
    line = air.says("mika", f"hello Spark {HOSTILE}")
    await ended(air)
    while air.controls.lookup.read_on():
        pass
    async with page_of(browser, air.console.url()) as page:
        await page.keyboard.press("f")
        await page.keyboard.type("lovel")
        row = page.locator('#found .row[data-turn="t1"]').first
        await expect(row).to_contain_text("lovely")
        await row.click()
        opened = page.locator("#opened")
        await expect(opened).to_contain_text(FIRST)
        await expect(opened).to_contain_text(line.text)
        for words in ("Reply t1", "Times", "Heard", "Prompt: 2 messages"):
            await expect(opened).to_contain_text(words)
        assert await page.locator("#found img, #opened img, #opened script").count() == 0
        await page.fill("#query", "nothing of that kind")
        await expect(page.locator("#found .row")).to_have_count(0)


async def test_memory_is_found_corrected_and_forgotten(browser: Browser, air: Air) -> None:
    async with page_of(browser, air.console.url()) as page:
        await page.keyboard.press("7")
        await expect(page.locator("#recalled")).to_have_text("she has no memory in this show: memory=milvus")
        await page.fill("#reminder", "cat")
        air.controls.parts.memories = memories = Remembered({"a1": HOSTILE, "b2": "has a cat"})
        row = page.locator("#memories .row")
        await expect(row.locator(".text")).to_have_text("has a cat")
        await row.get_by_role("button", name="Correct").click()
        await page.keyboard.press("Escape")
        assert not air.controls.director.stopped
        await row.get_by_role("button", name="Correct").click()
        await row.locator("input").fill("has a cat and a dog")
        await page.keyboard.press("Enter")
        await expect(row.locator(".text")).to_have_text("has a cat and a dog")
        await page.fill("#reminder", "")
        await expect(row).to_have_count(2)
        await expect(row.locator(".text").first).to_have_text(HOSTILE)
        await row.first.get_by_role("button", name="Forget", exact=True).click()
        await expect(row).to_have_count(1)
        assert await row.get_by_role("button", name="Forget viewer").evaluate(TWICE) == "Really?"
        await expect(page.locator("#effect")).to_contain_text("what mira wrote")
        assert memories.forgot == ["mira"], "once: the first press asks"


async def test_it_is_usable_on_a_phone(browser: Browser, air: Air) -> None:
    air.controls.cues.held(True)
    async with phone_of(browser, air.console.url()) as page:
        air.says("mika", "hello Spark")
        yes = page.locator('.cue[data-state="waits"] button', has_text="Say it")
        await yes.tap()
        await expect(page.locator('.cue[data-state="waits"] .text')).to_have_text(SECOND)
        await page.locator('.cue[data-state="waits"] button', has_text="All of it").tap()
        assert (await ended(air))[0].heard == " ".join((FIRST, SECOND, THIRD))
        facts = await page.evaluate(
            """() => ({
                wide: document.documentElement.scrollWidth > innerWidth,
                small: [...document.querySelectorAll("nav button")].filter((b) => b.offsetHeight < 40).length,
                panic: document.getElementById("panic").getBoundingClientRect().bottom <= innerHeight,
            })"""
        )
        assert facts == {"wide": False, "small": 0, "panic": True}, json.dumps(facts)
        wide = """() => [...document.querySelectorAll("#tabs button")].filter((tab) => {
            tab.click();
            return document.documentElement.scrollWidth > innerWidth;
        }).map((tab) => tab.textContent)"""
        assert await page.evaluate(wide) == []
