"""Sound for `+show=conversation`: `python -m engines.asr.conversation FILE.wav [pause=14]`. A minute.

Four voices in turn ask or tell her something, every other time with a pause in the middle, as people do who
think while they talk. `pause` seconds of a quiet room lie between two of them: long enough for an answer.
"""

from __future__ import annotations

import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import riva.client

from engines.asr.backdrop import Sound
from engines.asr.bench import VOICES, served, trimmed
from engines.asr.detector import RATE

FLUENT = (
    "Hello Spark, what do you think about the weather today?",
    "Can you tell me a joke about computers?",
    "My cat knocked over a glass of water and looked very proud of it.",
    "What is your favorite food?",
    "Do you like thunderstorms?",
    "Last night I dreamed of a city under the sea.",
    "What would you do with a whole day off?",
    "I finally finished the puzzle that I started in spring.",
)
HESITANT = (
    ("Well, I think", "you should play the piano for us tomorrow evening."),
    ("I was wondering,", "do you ever get tired of talking?"),
    ("So yesterday I went to the", "little bakery by the station."),
    ("Could you maybe", "tell me something about the moon?"),
    ("My favorite game is", "the one with the tiny trains."),
    ("If you had a garden,", "what would you grow in it?"),
    ("I am not sure, but", "maybe we could try the other door."),
    ("What do you do when", "nobody is here to talk to you?"),
)
THINKS = (0.35, 0.5, 0.65, 0.8)  # seconds of the pauses in the middle
ROOM = 0.0003  # full scale: what a quiet room sounds like


def spoken() -> Iterator[list[Sound]]:
    """Each thing that is said, in its parts; a fluent one, a hesitant one, in turn."""
    with served("engines.speech", "voice=kokoro") as address:
        auth = riva.client.Auth(uri=address)
        tts = riva.client.SpeechSynthesisService(auth)
        for number, (fluent, hesitant) in enumerate(zip(FLUENT, HESITANT, strict=True)):
            voices = VOICES["kokoro"]
            yield [_trimmed(tts, fluent, voices[number % len(voices)])]
            yield [_trimmed(tts, part, voices[(number + 1) % len(voices)]) for part in hesitant]
        auth.channel.close()


def _trimmed(tts: riva.client.SpeechSynthesisService, text: str, voice: str) -> Sound:
    return trimmed(np.frombuffer(tts.synthesize(text, voice, sample_rate_hz=RATE).audio, "<i2"))


def whole(said: Iterator[list[Sound]], pause: float) -> Sound:
    """All of it, one after another, in a quiet room."""
    pieces = [np.zeros(2 * RATE, np.float32)]
    for number, parts in enumerate(said):
        for part in parts[:-1]:
            pieces += [part, np.zeros(round(THINKS[number // 2 % len(THINKS)] * RATE), np.float32)]
        pieces += [parts[-1], np.zeros(round(pause * RATE), np.float32)]
    sound = np.concatenate(pieces)
    return sound + np.random.default_rng(7).normal(0, ROOM, len(sound)).astype(np.float32)


def main() -> None:
    """Write the file."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.stderr.write(f"{(__doc__ or '').splitlines()[0]}\n")
        raise SystemExit(2)
    pause = float(sys.argv[2].removeprefix("pause=")) if len(sys.argv) > 2 else 14.0
    sound = np.clip(whole(spoken(), pause), -1, 1)
    with wave.open(str(Path(sys.argv[1])), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((sound * 32767).astype("<i2").tobytes())
    sys.stderr.write(f"{sys.argv[1]}: {len(sound) / RATE:.0f} s\n")


if __name__ == "__main__":
    main()
