"""Somebody speaks to her: out of a file, and into the console page of a real browser."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import riva.client
from playwright.sync_api import sync_playwright

from engines.asr.bench import trimmed
from engines.asr.conversation import BREATH, Line, save, whole
from engines.port import unused
from glue.report import aloud
from glue.report.read import read
from tests.need import need_browser, need_models
from tests.shows.live import Live, launched
from tests.shows.test_stage_live import FLAGS
from tests.wires.speech_server import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LINE = "Hello Spark, what do you think about the weather today?"
STOP = ("Wait, stop.", "I have another question.")  # two words that stop her, and the rest
RATE = 16000


@pytest.fixture(scope="module")
def voice() -> dict[str, bytes]:
    """What is said to her, as samples."""
    with serving() as port:
        auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
        tts = riva.client.SpeechSynthesisService(auth)
        said = {text: tts.synthesize(text, sample_rate_hz=RATE).audio for text in (LINE, *STOP)}
        auth.channel.close()
    return said


def written(path: Path, *parts: bytes) -> Path:
    """A WAV file of these samples."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(b"".join(parts))
    return path


def quiet(seconds: float) -> bytes:
    return np.zeros(round(seconds * RATE), np.int16).tobytes()


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory, voice: dict[str, bytes]) -> Path:
    """A voice that asks her something, and then is silent for a while."""
    return written(tmp_path_factory.mktemp("ears") / "line.wav", quiet(1), voice[LINE], quiet(20))


@pytest.fixture
def live(tmp_path: Path, wav: Path, request: pytest.FixtureRequest) -> Iterator[Live]:
    need_models("whisper-tiny.en")
    ears = [f"ears=[{request.param}]", "asr=tiny", f"asr.engine.port={unused()}"]
    ears += [f"ears.wav.file={wav}"] if request.param == "wav" else []
    with launched(tmp_path, *ears) as live:
        live.until(live.url, within=60)
        yield live


def answered(live: Live) -> str:
    """Wait until what is said aloud is answered, in as many goes as it is heard; all of it."""

    def said() -> str:
        """The lines that are answered: who pauses for half a second may be answered twice, or as a whole."""
        turns = [e for e in live.events("TurnStarted") if e["line"]["source"] == "voice"]
        lines = {e["line"]["id"]: e["line"]["text"] for e in turns}
        return " ".join(text for id, text in lines.items() if live.fates().get(id) == "answered")

    live.until(lambda: "today" in said())
    assert live.events("SpeechHeard")
    return said()


@pytest.mark.parametrize("live", ["wav"], indirect=True)
def test_a_voice_is_answered(live: Live) -> None:
    assert "weather today" in answered(live)


GAPS = (1.2, 2.0, 3.0, 4.5)  # seconds until somebody talks into her reply


def talked_into(file: Path, voice: dict[str, bytes]) -> Path:
    """Four times somebody talks into her reply; a small model's may be over before they do."""
    sounds = {text: trimmed(np.frombuffer(pcm, "<i2")) for text, pcm in voice.items()}
    lines = [
        line
        for gap in GAPS
        for line in (Line("fluent", (LINE,), 0.0, gap), Line("interrupts", STOP, BREATH, 6.0))
    ]
    save(file, *whole((line, [sounds[part] for part in line.parts]) for line in lines))
    return file


def silent(run_dir: Path) -> list[tuple[float, float]]:
    """How soon she was, each time: seconds after the words that stop her, and after the second of them."""
    run = read(run_dir / "journal.jsonl")
    run.loud = aloud.loud(run_dir / "audio.wav")
    return aloud.silences(run)


@pytest.mark.alone
def test_she_stops_for_who_speaks_to_her(tmp_path: Path, voice: dict[str, bytes]) -> None:
    need_models("whisper-tiny.en")
    file = talked_into(tmp_path / "stop.wav", voice)
    ears = ["ears=[wav]", f"asr.engine.port={unused()}", f"ears.wav.file={file}"]
    with launched(tmp_path, *ears, "speaker=[wav]", "cast.main.max_tokens=90") as show:
        show.until(lambda: (show.run_dir / "journal.jsonl").exists(), within=60)
        show.until(lambda: silent(show.run_dir), within=90)
    after_interim, after_word = silent(tmp_path / "run")[0]
    print(  # noqa: T201 - figures to report
        f"silent {1000 * after_word:.0f} ms after the end of the second word, "
        f"{1000 * after_interim:.0f} ms after the interim result that holds it"
    )
    assert after_interim < 0.2
    (cut,) = [e for e in show.events("TurnEnded") if e["ending"] == "cut" and e["heard"]][:1]
    assert len(cut["heard"]) <= len(cut["said"])


@pytest.mark.parametrize("live", ["page"], indirect=True)
def test_the_pages_microphone_is_heard(live: Live, wav: Path) -> None:
    fakes = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=need_browser(), args=[*FLAGS, *fakes, f"--use-file-for-fake-audio-capture={wav}"]
        )
        page = browser.new_page()
        page.goto(live.url())
        page.click("#mic")
        live.until(lambda: page.evaluate("() => spark.mic.state") == "on")
        assert "weather today" in answered(live)
        assert "weather today" in page.inner_text("#feed")
        page.click("#mic")
        live.until(lambda: page.evaluate("() => spark.mic.state") == "off")
        browser.close()


def interrupted(live: Live) -> dict[str, Any]:
    """A reply that was cut while it was heard, by words that were heard meanwhile, if there is one yet."""
    began = {e["turn"]: e["at"] for e in live.events("TurnStarted")}
    cut = [e for e in live.events("TurnEnded") if e["ending"] == "cut" and e["heard"]]
    heard = [e["at"] for e in live.events("SpeechHeard")]
    return next((e for e in cut if any(began[e["turn"]] < at <= e["at"] for at in heard)), {})


def test_who_talks_into_the_page_interrupts_her_and_is_answered(
    tmp_path: Path, voice: dict[str, bytes]
) -> None:
    need_models("whisper-tiny.en")
    file = talked_into(tmp_path / "stop.wav", voice)
    fakes = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    capture = f"--use-file-for-fake-audio-capture={file}"
    ears = ["ears=[page]", f"asr.engine.port={unused()}", "cast.main.max_tokens=90"]
    with launched(tmp_path, *ears) as live, sync_playwright() as playwright:
        live.until(live.url, within=60)
        browser = playwright.chromium.launch(executable_path=need_browser(), args=[*FLAGS, *fakes, capture])
        page = browser.new_page()
        page.goto(live.url())
        page.click("#mic")
        cut = live.until(lambda: interrupted(live), within=240)
        assert cut["said"].startswith(cut["heard"][:10])

        def answered_after() -> bool:
            lines = {
                e["line_id"]
                for e in live.events("LineClosed")
                if e["fate"] == "answered" and e["at"] > cut["at"]
            }
            said = [e["line"] for e in live.events("LineArrived") if e["at"] > cut["at"]]
            return any(line["id"] in lines and line["source"] == "voice" for line in said)

        live.until(answered_after, within=120)
        live.until(lambda: page.locator("#feed .turn[data-ending=cut]").count() > 0)
        browser.close()
