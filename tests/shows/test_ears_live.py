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

from glue.overheard import real
from tests.need import need_browser, need_models
from tests.shows.live import Live, launched
from tests.shows.test_stage_live import FLAGS
from tests.wires.speech_server import free_port, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LINE = "Hello Spark, what do you think about the weather today?"
STOP = "Wait a moment, stop talking please."
RATE = 16000


@pytest.fixture(scope="module")
def voice() -> dict[str, bytes]:
    """What is said to her, as samples."""
    with serving() as port:
        auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
        tts = riva.client.SpeechSynthesisService(auth)
        said = {text: tts.synthesize(text, sample_rate_hz=RATE).audio for text in (LINE, STOP)}
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
    ears = [f"ears=[{request.param}]", "asr=tiny", f"asr.engine.port={free_port()}"]
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
SECOND = 1  # of STOP's words: two real ones stop her
LOUD = 330  # a sample beyond this is content


def ends_of_words(address: str, sound: bytes) -> list[float]:
    """When each word of a sound has been said, in seconds, by the ears' own word times."""
    auth = riva.client.Auth(uri=address)
    asked = riva.client.RecognitionConfig(
        encoding=riva.client.AudioEncoding.LINEAR_PCM,
        sample_rate_hertz=RATE,
        language_code="en-US",
        enable_word_time_offsets=True,
    )
    padded = quiet(0.3) + sound + quiet(0.5)
    found = riva.client.ASRService(auth).offline_recognize(padded, asked).results[0].alternatives[0]
    auth.channel.close()
    assert [word.word.strip(",.").lower() for word in found.words][: SECOND + 1] == ["wait", "a"]
    return [word.end_time / 1000 - 0.3 for word in found.words]


def silent_at(live: Live, turn: str) -> float:
    """When the last loud sample of a reply was heard, on the show's clock: by the recording of the mixer's
    output, whose first loud sample is the first reply's AUDIBLE."""
    with wave.open(str(live.run_dir / "audio.wav"), "rb") as file:
        rate = file.getframerate()
        loud = np.flatnonzero(np.abs(np.frombuffer(file.readframes(-1), "<i2").astype(np.int32)) > LOUD)
    audible = [e for e in live.events("StageReached") if e["stage"] == "audible"]
    began = audible[0]["at"] - loud[0] / rate
    later = [e["at"] for e in audible if e["turn"] != turn]
    start = next(e["at"] for e in audible if e["turn"] == turn)
    upto = min((at for at in later if at > start), default=float("inf"))
    heard = began + loud / rate
    return float(heard[heard < upto - 0.01].max())


def talked_into(live: Live, stops: list[float], ends: float) -> tuple[dict[str, Any], float] | None:
    """The end of a reply of which some was heard, and when the voice that cut it began; `stops` and `ends`,
    of the first line, are seconds of the file."""
    lines = [e for e in live.events("LineArrived") if e["line"]["text"].rstrip("?. ").endswith("today")]
    played = lines[0]["spoken"] - ends if lines else 0.0  # when the file began, on the show's clock
    for end in (e for e in live.events("TurnEnded") if e["ending"] == "cut" and e["heard"]):
        for stop in (played + stop for stop in stops):
            if stop < end["at"] < stop + 4:
                return end, stop
    return None


def test_she_stops_for_who_speaks_to_her(tmp_path: Path, voice: dict[str, bytes]) -> None:
    """Four times somebody talks into her reply; a small model's may be over before they do."""
    need_models("whisper-tiny.en")
    length, file, stops = len(voice[LINE]) / 2 / RATE, quiet(1), list[float]()
    for gap in GAPS:
        stops.append(len(file) / 2 / RATE + length + gap)
        file += voice[LINE] + quiet(gap) + voice[STOP] + quiet(6)
    port = free_port()
    ears = ["ears=[wav]", f"asr.engine.port={port}", f"ears.wav.file={written(tmp_path / 'stop.wav', file)}"]

    with launched(tmp_path, *ears, "speaker=[wav]", "cast.main.max_tokens=90") as show:
        cut, began = show.until(lambda: talked_into(show, stops, 1 + length), within=90)
        said = began + ends_of_words(f"127.0.0.1:{port}", voice[STOP])[SECOND]
        show.until(lambda: any(e["at"] > cut["at"] + 1.5 for e in show.journal() if "at" in e))
    interims = [e["at"] for e in show.events("SpeechHeard") if len(real(e["text"])) > SECOND]
    held = next(at for at in interims if said - 0.5 < at)  # the first that holds the second word
    silent = silent_at(show, cut["turn"])
    print(  # noqa: T201 - figures to report
        f"silent {1000 * (silent - said):.0f} ms after the end of the second word, "
        f"{1000 * (silent - held):.0f} ms after the interim result that holds it"
    )
    assert silent < held + 0.2
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


@pytest.mark.parametrize("live", ["page"], indirect=True)
def test_a_page_without_a_microphone_says_so(live: Live) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=need_browser(), args=[*FLAGS, "--use-fake-device-for-media-stream"]
        )
        page = browser.new_page()  # nobody presses "allow"
        page.context.clear_permissions()
        page.goto(live.url())
        page.click("#mic")
        live.until(lambda: "microphone" in page.inner_text("#complaint"))
        browser.close()
