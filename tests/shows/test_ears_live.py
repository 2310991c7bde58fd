"""Somebody speaks to her: out of a file, and into the console page of a real browser; others type there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from engines.asr.bench import trimmed
from engines.asr.conversation import BREATH, Line, save, whole
from engines.port import unused
from glue.report import aloud
from glue.report.read import read
from tests.chromium import FLAGS
from tests.need import need_browser, need_models
from tests.shows.live import Live, launched
from tests.shows.test_stage_live import avatar_in, until
from tests.wires.listening import ALIKE, likeness, synthesised
from tests.wires.speech_server import serving, steady

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
LINE = "Hello Spark, what do you think about the weather today?"
STOP = ("Wait, stop.", "I have another question.")  # two words that stop her, and the rest
GAPS = (1.2, 2.0, 3.0, 4.5, 7.0)  # seconds until somebody talks into her reply; a slow machine begins it late


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody asks, and talks into her reply, again and again: a small model's may be over before that."""
    need_models("whisper-tiny.en")
    folder = tmp_path_factory.mktemp("talk")
    with serving(steady(folder)) as port:
        sounds = {text: trimmed(synthesised(port, text)) for text in (LINE, *STOP)}
    lines = [
        line
        for gap in GAPS
        for line in (Line("fluent", (LINE,), 0.0, gap), Line("interrupts", STOP, BREATH, 6.0))
    ]
    save(file := folder / "talk.wav", *whole((line, [sounds[part] for part in line.parts]) for line in lines))
    return file


def heard(live: Live) -> bool:
    """Whether what was asked aloud is answered aloud, as it was meant."""
    audible = {e["turn"] for e in live.events("StageReached") if e["stage"] == "audible"}
    turns = [e["line"] for e in live.events("TurnStarted") if e["turn"] in audible]
    return any(line["source"] == "voice" and likeness(line["text"], LINE) > ALIKE for line in turns)


def silent(run_dir: Path) -> list[tuple[float, float]]:
    """How soon she was, each time: seconds after the words that stop her, and after the second of them."""
    run = read(run_dir / "journal.jsonl")
    run.loud = aloud.loud(run_dir / "audio.wav")
    return aloud.silences(run)


def interrupted(live: Live) -> dict[str, Any]:
    """A reply that was cut while it was heard, by words that were heard meanwhile, if there is one yet."""
    began = {e["turn"]: e["at"] for e in live.events("TurnStarted")}
    cut = [e for e in live.events("TurnEnded") if e["ending"] == "cut" and e["heard"]]
    words = [e["at"] for e in live.events("SpeechHeard")]
    return next((e for e in cut if any(began[e["turn"]] < at <= e["at"] for at in words)), {})


@pytest.mark.alone
def test_she_answers_a_voice_and_stops_for_it(tmp_path: Path, talk: Path) -> None:
    ears = ["ears=[wav]", f"ears.wav.file={talk}", "ears.wav.loop=true", "speaker=[wav]"]
    with launched(tmp_path, *ears, f"asr.engine.port={unused()}", "cast.main.max_tokens=90") as show:
        show.until(lambda: heard(show), within=120)
        judged: dict[int, int] = {}

        def in_time() -> bool:
            """Twice, of two and more: the machine may be at something else just then. Looked at when she has
            begun again: reading the recording all the time is what it would be at."""
            begun = len(show.events("TurnStarted"))
            if begun not in judged:
                judged[begun] = sum(after < 0.2 for after, _ in silent(show.run_dir))
            return judged[begun] >= 2

        show.until(in_time, within=170)
    after_interim, after_word = sorted(silent(tmp_path / "run"))[1]
    print(  # noqa: T201 - figures to report
        f"silent {1000 * after_word:.0f} ms after the end of the second word, "
        f"{1000 * after_interim:.0f} ms after the interim result that holds it"
    )
    cut = interrupted(show)
    assert len(cut["heard"]) <= len(cut["said"])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One show for all that look at its pages: starting it is what takes time. She looks as the file that is
    hers says, which is not as her name would have it."""
    words = ["ears=[page]", f"asr.engine.port={unused()}"]
    words += ["cast.main.max_tokens=90", "cast.main.avatar=Spark Evil"]
    with launched(tmp_path_factory.mktemp("show"), *words) as live:
        live.until(live.url, within=120)
        yield live


@pytest.fixture(scope="module")
def browser(talk: Path) -> Iterator[Browser]:
    """Its sound needs no click, as in OBS; into its microphone somebody talks."""
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags += [f"--use-file-for-fake-audio-capture={talk}", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need_browser(), args=[*FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def page_at(browser: Browser, url: str) -> Iterator[Page]:
    """A page of no great size, which takes less to draw."""
    page = browser.new_page(viewport={"width": 960, "height": 540})
    page.goto(url)
    yield page
    page.close()


def wears(page: Page) -> str:
    """The look of whom its frame draws; "" while it draws nobody, or is being loaded again."""
    with suppress(Error):
        for frame in page.frames[1:]:
            return str(frame.evaluate("() => window.spark?.frames > 5 ? spark.look() : ''"))
    return ""


def test_the_page_shows_whoever_is_on_stage_as_her_file_says(live: Live, browser: Browser) -> None:
    """From conf/persona/ to the page that draws her."""
    log = live.run_dir / "show.log"
    live.until(lambda: log.exists() and "avatar connected" in log.read_text(encoding="utf-8"))
    stage = live.url().replace("/?", "/stage?")
    with page_at(browser, stage) as page:  # the look that the avatar was told over its wire
        live.until(lambda: wears(page) == "evil")
        page.goto(f"{stage}&who=main")
        live.until(lambda: wears(page) == "evil")


# Every caption that is shown from now on, as it stands in the page.
CAPTIONS = """() => {
    window.captions = [];
    const note = () => document.querySelectorAll(".caption.shown").forEach((each) => {
        if (each.innerText && window.captions.at(-1) !== each.innerText) window.captions.push(each.innerText);
    });
    const how = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(note).observe(document.getElementById("captions"), how);
}"""


def test_a_line_typed_into_the_page_is_answered_in_it(live: Live, browser: Browser) -> None:
    """By a caption with a clause of that very reply, by sound that the page got, by a mouth that opens."""
    live.until(lambda: len(live.events("TurnStarted")) == len(live.events("TurnEnded")), within=60)
    with page_at(browser, live.url()) as page:
        frame = avatar_in(page)
        until(page, "() => spark.audio.context?.state === 'running' && spark.audio.mine()")
        page.evaluate(CAPTIONS)
        page.fill("#author", "kaja")
        page.fill("#line", "Spark, do you like cheese?")
        page.evaluate("() => { spark.audio.energy.length = 0; }")
        frame.evaluate("() => { spark.mouthAt.length = 0; }")
        page.keyboard.press("Enter")
        turn = live.until(
            lambda: [e["turn"] for e in live.events("TurnStarted") if "cheese" in e["line"]["text"]]
        )[0]
        live.until(lambda: [e for e in live.events("TurnEnded") if e["turn"] == turn], within=60)
        clauses = [e["text"] for e in live.events("ClauseCleared") if e["turn"] == turn]
        until(page, "(clauses) => captions.some((shown) => clauses.includes(shown))", clauses)
        until(page, "() => spark.audio.energy.some(([, level]) => level > 0.02)")  # a sound came
        until(frame, "() => spark.mouthAt.some(([, open]) => open > 3)")  # and her mouth was open
        until(page, "() => document.body.innerText.includes('do you like cheese?')")


def test_who_talks_into_the_page_is_answered_and_interrupts_her(live: Live, browser: Browser) -> None:
    with page_at(browser, live.url()) as page:
        page.click("#mic")
        live.until(lambda: page.evaluate("() => spark.mic.state") == "on")
        live.until(lambda: heard(live), within=120)
        cut = live.until(lambda: interrupted(live), within=150)
        assert cut["said"].startswith(cut["heard"][:10])

        def answered_after() -> str:
            lines = {
                e["line_id"]
                for e in live.events("LineClosed")
                if e["fate"] == "answered" and e["at"] > cut["at"]
            }
            said = [e["line"] for e in live.events("LineArrived") if e["at"] > cut["at"]]
            mine = (line for line in said if line["id"] in lines and line["source"] == "voice")
            return next((str(line["text"]) for line in mine), "")

        words = live.until(answered_after, within=120)
        live.until(lambda: page.locator("#feed .turn[data-ending=cut]").count() > 0)
        live.until(lambda: words in page.inner_text("#feed"))
        page.click("#mic")
        live.until(lambda: page.evaluate("() => spark.mic.state") == "off")
