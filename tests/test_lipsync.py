"""The mouth against the sound: in step, shut on silence, shaped by vowels; no memory that grows."""
# ruff: noqa: RUF001  # IPA's letters look like others

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from glue.ports import Speech, Timed
from glue.stage.lipsync import CLOSED, STEP, MouthTrack
from glue.voice.riva_tts import RivaTts
from tests.wires.speech_server import serving

RATE = 24000
CHUNK = RATE // 10
SAID = "Oh hello there, my favourite goblin! What did you build?"
FORMANTS = {"A": (790, 1180), "I": (310, 2400), "U": (330, 950), "E": (550, 1950), "O": (560, 920)}


@pytest.fixture(scope="module")
def voice() -> Iterator[int]:
    """The speech engine; its port."""
    with serving() as port:
        yield port


def vowel(name: str, seconds: float, pitch: float = 170.0) -> NDArray[np.int16]:
    """Harmonics of a voice (6 dB less an octave) through three resonances, one behind the other."""
    t = np.arange(round(seconds * RATE)) / RATE
    sound = np.zeros_like(t)
    for k in range(1, int(4000 / pitch)):
        gain = 1 / k
        for centre, width in zip((*FORMANTS[name], 2900), (80, 110, 160), strict=True):
            x = k * pitch / centre
            gain /= np.hypot(1 - x * x, x * width / centre)
        sound += gain * np.sin(2 * np.pi * k * pitch * t + k)
    edge = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
    return np.asarray(sound / np.abs(sound).max() * edge * 16000, np.int16)


def hush(seconds: float) -> NDArray[np.int16]:
    return np.random.default_rng(1).integers(-20, 20, round(seconds * RATE), dtype=np.int16)


def laid(pcm: NDArray[np.int16], phonemes: Sequence[Timed] = (), chunk: int = CHUNK) -> MouthTrack:
    track = MouthTrack(RATE)
    for first in range(0, pcm.size, chunk):
        known = tuple(phonemes) if first == 0 else ()
        track.add(first / RATE, 0.0, Speech(pcm[first : first + chunk], known))
    return track


def mouth(track: MouthTrack, seconds: float, key: str = "MouthOpen") -> NDArray[np.float64]:
    return np.asarray([track.at(t)[key] for t in np.arange(0, seconds, STEP)])


def envelope(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    step = round(STEP * RATE)
    padded = np.concatenate([np.zeros(step), pcm.astype(np.float64), np.zeros(step)])
    return np.asarray([np.sqrt((padded[i : i + 2 * step] ** 2).mean()) for i in range(0, pcm.size, step)])


def babble(seed: int = 3) -> NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(12):
        part = vowel("A", float(rng.uniform(0.08, 0.3)), float(rng.uniform(150, 260)))
        parts += [(part * rng.uniform(0.3, 1)).astype(np.int16), hush(float(rng.uniform(0.03, 0.25)))]
    return np.concatenate(parts)


@pytest.mark.parametrize("chunk", [240, 1000, CHUNK, 10**6])
def test_the_mouth_follows_the_loudness(chunk: int) -> None:
    pcm = babble()
    opened, loud = mouth(laid(pcm, chunk=chunk), pcm.size / RATE), envelope(pcm)
    loud = loud[: opened.size]
    assert np.corrcoef(opened, loud)[0, 1] > 0.7
    lags = [np.corrcoef(opened[10 + k : k - 10 or None], loud[10:-10])[0, 1] for k in range(-5, 6)]
    assert abs(int(np.argmax(lags)) - 5) <= 2  # frames of 10 ms


@pytest.mark.anyio
@pytest.mark.parametrize("phonemes", [True, False], ids=["phonemes", "sound"])
async def test_on_a_real_voice(voice: int, phonemes: bool) -> None:
    track, parts, at = MouthTrack(RATE), [], 0.0
    async with RivaTts(f"127.0.0.1:{voice}", RATE) as tts:
        async for speech in tts.speak(SAID, "Piper.joe.natural"):
            track.add(at, 0.0, speech if phonemes else Speech(speech.pcm))
            parts.append(speech.pcm)
            at += speech.pcm.size / RATE
    pcm = np.concatenate(parts)
    opened, loud = mouth(track, at), envelope(pcm)
    size = min(opened.size, loud.size) - 6
    lagged = [np.corrcoef(opened[k : size + k], loud[:size])[0, 1] for k in range(6)]
    assert lagged[0] > 0.7
    assert int(np.argmax(lagged)) <= 3  # frames of 10 ms
    assert opened.max() > 0.4 and (opened == 0).mean() > 0.03


def test_it_opens_in_30_ms_and_closes_in_80() -> None:
    pcm = np.concatenate([hush(0.5), vowel("A", 0.5), hush(0.5)])
    opened = mouth(laid(pcm), 1.5)
    most = opened.max()
    assert opened[:48].max() == 0
    assert opened[54] > 0.8 * most
    assert opened[109] < 0.2 * most
    assert opened[120:].max() == 0


@pytest.mark.parametrize("sound", [np.zeros(RATE, np.int16), hush(1.0)], ids=["zeros", "noise"])
def test_never_open_on_silence_whatever_the_phonemes_say(sound: NDArray[np.int16]) -> None:
    track = laid(sound, [Timed("ɑː", 0.0, 1.0)])
    assert mouth(track, 1.0).max() == 0


@pytest.mark.parametrize("name", FORMANTS)
def test_vowels_are_told_by_their_formants(name: str) -> None:
    at = laid(vowel(name, 0.6)).at(0.3)
    voices = {key[-1]: value for key, value in at.items() if key.startswith("Voice") and len(key) == 6}
    assert max(voices, key=lambda key: voices[key]) == name


@pytest.mark.parametrize(("sound", "name"), [("ˈɑː", "A"), ("iː", "I"), ("uː", "U"), ("ɛ", "E"), ("oʊ", "O")])
def test_phonemes_shape_the_mouth(sound: str, name: str) -> None:
    at = laid(vowel("A", 0.6), [Timed(sound, 0.0, 0.6)]).at(0.2)
    voices = {key[-1]: value for key, value in at.items() if key.startswith("Voice") and len(key) == 6}
    assert max(voices, key=lambda key: voices[key]) == name


def test_lips_meet_for_m_and_the_way_there_is_a_glide() -> None:
    sounds = [Timed("ɑ", 0.0, 0.2), Timed("m", 0.2, 0.3), Timed("ɑ", 0.3, 0.6)]
    opened = mouth(laid(vowel("A", 0.6), sounds), 0.6)
    assert opened[25] == 0
    assert opened[10] > 0.8 and opened[45] > 0.8
    assert np.abs(np.diff(opened)).max() < 0.45


def test_barge_in_shuts_it_at_once_and_the_track_goes_on_from_there() -> None:
    track = laid(vowel("A", 1.0))
    track.clear(0.5)
    assert track.at(0.51) == CLOSED and track.at(0.4)["MouthOpen"] > 0.5
    track.add(0.5, 0.5, Speech(vowel("I", 0.5)))
    assert track.at(0.8)["MouthOpen"] > 0.2


def test_two_minutes_are_kept_and_old_ones_overwritten() -> None:
    track, sound = MouthTrack(RATE), vowel("A", 1.0)
    for second in range(125):
        track.add(float(second), float(second), Speech(sound))
    assert track.at(2.5) == CLOSED and track.at(124.5)["MouthOpen"] > 0.5


def test_it_costs_little() -> None:
    pcm, track = babble(), MouthTrack(RATE)
    adds, asks = [], []
    for first in range(0, pcm.size - CHUNK, CHUNK):
        begun = time.thread_time()  # the work alone: others have the machine, too
        track.add(first / RATE, 0.0, Speech(pcm[first : first + CHUNK]))
        middle = time.thread_time()
        track.at(first / RATE)
        adds.append(middle - begun)
        asks.append(time.thread_time() - middle)
    assert np.median(adds) < 0.001
    assert np.median(asks) < 0.000_05
