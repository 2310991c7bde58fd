"""The ears' pure parts: what bytes mean, when an utterance begins and ends, what nobody said."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import wave
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engines.asr.backdrop import Sound, mixed, music, noise
from engines.asr.detector import RATE
from engines.asr.endpoint import STEP, Endpoint, Mark
from engines.asr.incoming import A_LAW, MU, MU_LAW, A, BadAudio, Form, Incoming, asked
from engines.asr.phantom import believed, complete, early
from engines.asr.whisper import Heard
from tests.need import need_package

TONE = (8000 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)).astype("<i2")


def wav(sound: NDArray[np.int16], rate: int = 16000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(sound.tobytes())
    return file.getvalue()


def read(data: bytes, form: Form, cuts: list[int]) -> NDArray[np.float32]:
    incoming, ends = Incoming(form), [*sorted(cuts), len(data)]
    parts = [incoming.feed(data[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    return np.concatenate([*parts, incoming.feed(b"", last=True)])


@given(st.lists(st.integers(0, len(TONE) * 2 + 44), max_size=8), st.booleans())
def test_however_the_bytes_are_cut_the_sound_is_the_same(cuts: list[int], header: bool) -> None:
    data = wav(TONE) if header else TONE.tobytes()
    assert np.array_equal(read(data, Form(), cuts), TONE.astype(np.float32) / 32768)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_any_rate_becomes_16_khz(rate: int) -> None:
    tone = (8000 * np.sin(np.arange(rate) * 2 * np.pi * 440 / rate)).astype("<i2")
    heard = read(wav(tone, rate), Form(), [1000, 1001])
    assert abs(len(heard) - 16000) < 160
    spectrum = np.abs(np.fft.rfft(heard[:8000]))
    assert abs(int(spectrum.argmax()) * 2 - 440) <= 4


def test_two_channels_are_mixed() -> None:
    both = np.stack([TONE, -TONE], axis=1).astype("<i2")
    assert np.abs(read(wav(both, channels=2), Form(), [])).max() == 0


def test_telephone_codes_are_g711() -> None:
    """Values of ITU-T G.711's tables: the loudest, the softest, and one in between."""
    assert (MU[0x80], MU[0x00], MU[0xFF], MU[0x7F]) == (32124, -32124, 0, 0)
    assert (A[0xAA], A[0x2A], A[0xD5], A[0x55]) == (32256, -32256, 8, -8)
    assert read(bytes([0x80, 0xFF]), Form(MU_LAW), [1])[0] == pytest.approx(32124 / 32768)
    assert read(bytes([0xAA]), Form(A_LAW), [])[0] == pytest.approx(32256 / 32768)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_no_bytes_break_it(data: bytes, cuts: list[int]) -> None:
    try:
        sound = read(b"RIFF" + data, Form(), cuts)
    except BadAudio:
        return
    assert np.isfinite(sound).all()


@pytest.mark.parametrize(
    "broken",
    [
        b"RIFF\x00\x00\x00\x00AVI " + b"\x00" * 60,
        b"RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00",
        wav(TONE)[:30],
        wav(TONE).replace(struct.pack("<HI", 1, 16000), struct.pack("<HI", 1, 7)),
        wav(TONE).replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 3, 1), 1),
    ],
)
def test_a_damaged_file_is_refused(broken: bytes) -> None:
    with pytest.raises(BadAudio, match="Error"):
        read(broken, Form(), [])


@pytest.mark.parametrize(
    ("encoding", "rate", "channels"), [(2, 0, 1), (4, 0, 1), (1, 7999, 1), (1, 16000, 3)]
)
def test_what_cannot_be_read_is_said(encoding: int, rate: int, channels: int) -> None:
    with pytest.raises(BadAudio):
        asked(encoding, rate, channels)


def fed(endpoint: Endpoint, *stretches: tuple[float, float]) -> list[Mark]:
    """(probability, seconds) one after another; what was marked."""
    marks = [endpoint.feed(p) for p, seconds in stretches for _ in range(round(seconds / STEP))]
    return [mark for mark in marks if mark]


def test_an_utterance_begins_pauses_and_goes_on() -> None:
    endpoint = Endpoint()
    assert fed(endpoint, (0.1, 1), (0.9, 0.5), (0.1, 0.3), (0.9, 0.5), (0.1, 0.4)) == [
        Mark.BEGAN,
        Mark.PAUSED,
        Mark.RESUMED,
        Mark.PAUSED,
    ]
    assert endpoint.paused and endpoint.silence == pytest.approx(0.4, abs=STEP)
    assert endpoint.voiced == pytest.approx(1.0, abs=2 * STEP) and endpoint.worth_hearing


def test_a_click_begins_nothing_and_a_cough_is_not_worth_hearing() -> None:
    endpoint = Endpoint()
    assert fed(endpoint, (0.1, 1), (0.9, STEP), (0.1, 1)) == []
    assert fed(endpoint, (0.9, 0.12), (0.1, 0.2)) == [Mark.BEGAN, Mark.PAUSED]
    assert not endpoint.worth_hearing


@pytest.mark.parametrize(
    ("heard", "voiced", "said"),
    [
        (Heard("What is your favorite train?", -0.2, 0.01), 1.5, "What is your favorite train?"),
        (Heard("Thank you.", -0.7, 0.4), 0.5, ""),
        (Heard("Thank you.", -0.2, 0.01), 0.9, "Thank you."),
        (Heard("you", -0.3, 0.1), 0.2, ""),
        (Heard("[Music] (laughs)", -0.1, 0.0), 3.0, ""),
        (Heard("(sighs) I like trains.", -0.2, 0.0), 1.0, "I like trains."),
        (Heard("la la la la la", -0.3, 0.1, repeats=4.0), 5.0, ""),
        (Heard("Something about birds.", -0.8, 0.9), 1.0, ""),
        (Heard("Something about birds.", -1.4, 0.1), 1.0, ""),
        (Heard("...", -0.1, 0.0), 1.0, ""),
    ],
)
def test_what_nobody_said_is_not_believed(heard: Heard, voiced: float, said: str) -> None:
    assert believed(heard, voiced) == said


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (Heard("Wait, stop.", -0.4), "Wait, stop."),
        (Heard("Come on, come on.", -1.02), ""),
        (Heard("I have another question for you.", -0.95), "I have another question for you."),
        (Heard("Thank you.", -0.7, 0.4), ""),
    ],
)
def test_a_few_words_that_it_is_not_sure_of_are_told_when_they_are_over(heard: Heard, said: str) -> None:
    assert early(heard, 1.0) == said
    assert believed(heard, 1.0) == ("" if heard.text == "Thank you." else heard.text)


@given(st.text(max_size=60), st.floats(-3, 0), st.floats(0, 1), st.floats(0, 10))
def test_what_is_believed_was_heard(text: str, sure: float, nothing: float, voiced: float) -> None:
    said = believed(Heard(text, sure, nothing), voiced)
    assert said == "" or any(c.isalnum() for c in said)


def test_an_open_sentence_is_not_complete() -> None:
    assert complete("I like trains.") and complete("Really?")
    assert not complete("I like") and not complete("Well...") and not complete("I like trains,")


@pytest.mark.parametrize("text", ["Well, I think.", "I want to.", "Trains, and.", "It is a, um."])
def test_a_full_stop_behind_open_words_is_a_pause(text: str) -> None:
    assert not complete(text)


@pytest.mark.parametrize("text", ["I think so.", "Do you want to?", "I know.", "Panda.", "Stand!"])
def test_words_that_end_a_sentence_end_it(text: str) -> None:
    assert complete(text)


@pytest.mark.parametrize("behind", [noise, music])
@pytest.mark.parametrize("louder", [20.0, 5.0])
def test_what_is_behind_a_voice_is_as_loud_as_it_is_said_to_be(
    behind: Callable[[int], Sound], louder: float
) -> None:
    voice = (0.1 * np.sin(np.arange(2 * RATE) * 2 * np.pi * 200 / RATE)).astype(np.float32)
    whole = np.frombuffer(mixed(voice, behind, louder, 0.5), "<i2") / 32767
    assert len(whole) == RATE // 3 + 2 * RATE + RATE // 2
    around = whole.copy()
    around[RATE // 3 : RATE // 3 + len(voice)] -= voice
    ratio = 20 * np.log10(np.sqrt(np.mean(voice**2)) / np.sqrt(np.mean(around**2)))
    assert ratio == pytest.approx(louder, abs=0.2)
    assert (behind(1000) == behind(1000)).all(), "the same every time"


def test_espeak_ng_speaks_for_itself() -> None:
    """In a process of its own, as the library may take down whoever cannot load it."""
    need_package("espeakng_loader", "uv sync --all-extras --inexact")
    told = "from engines.asr.espeak import Espeak; from engines.asr.bench import RULES; e = Espeak(); "
    told += "print(*(len(e.say(voice, 'Hello there.')) for voice in RULES))"
    out = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    lengths = [int(word) for word in out.stdout.split()]
    assert len(lengths) == 3 and all(RATE / 2 < length < 2 * RATE for length in lengths)
