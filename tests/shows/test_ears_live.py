"""Somebody speaks to her: out of a file, and into the console page of a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from engines.asr.bench import trimmed
from engines.asr.conversation import BREATH, Line, save, whole
from engines.port import unused
from glue.report import aloud
from glue.report.read import read
from tests.chromium import FLAGS
from tests.need import need_browser, need_models
from tests.shows.live import Live, launched
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
        # twice, of two and more: the machine may be at something else just then
        show.until(lambda: sum(after < 0.2 for after, _ in silent(show.run_dir)) >= 2, within=170)
    after_interim, after_word = sorted(silent(tmp_path / "run"))[1]
    print(  # noqa: T201 - figures to report
        f"silent {1000 * after_word:.0f} ms after the end of the second word, "
        f"{1000 * after_interim:.0f} ms after the interim result that holds it"
    )
    cut = interrupted(show)
    assert len(cut["heard"]) <= len(cut["said"])


def test_who_talks_into_the_page_is_answered_and_interrupts_her(tmp_path: Path, talk: Path) -> None:
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags.append(f"--use-file-for-fake-audio-capture={talk}")
    ears = ["ears=[page]", f"asr.engine.port={unused()}", "cast.main.max_tokens=90"]
    with launched(tmp_path, *ears) as live, sync_playwright() as playwright:
        live.until(live.url, within=120)
        browser = playwright.chromium.launch(executable_path=need_browser(), args=[*FLAGS, *flags])
        page = browser.new_page()
        page.goto(live.url())
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
        browser.close()
