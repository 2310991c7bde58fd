"""Sound for `+show=conversation`: `python -m engines.asr.conversation FILE.wav [pause=14] [interrupts=0]`.

Four voices in turn ask or tell her something, every other time with a pause in the middle, as people do who
think while they talk. `pause` seconds of a quiet room lie between two of them: long enough for an answer.
With `interrupts=12` they ask for something long instead, and talk into the answer, so many times. What is
said when is written beside the sound, into FILE.said.json, for the report. A minute.
"""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import riva.client

from engines.asr.backdrop import Sound
from engines.asr.bench import VOICES, served, trimmed
from engines.asr.detector import RATE
from engines.options import OptionError, parse

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
LONG = (
    "Tell me a long story about a dragon and a lighthouse.",
    "Tell me everything that you know about old trains.",
    "Explain to me, slowly and in detail, how a clock works.",
    "Describe your perfect day, from the morning to the night.",
    "Tell me the longest joke that you know about a penguin.",
    "What happened in your last dream? Tell me all of it.",
)
INTO = (  # two words that stop her, and what is wanted
    ("Wait, stop.", "What about dogs?"),
    ("Hold on.", "I have another question for you."),
    ("Spark, listen.", "Is somebody at the door?"),
    ("Stop, please.", "Can we talk about pizza?"),
    ("Excuse me,", "where did you hear that?"),
    ("Hang on,", "what was the first part again?"),
)
THINKS = (0.35, 0.5, 0.65, 0.8)  # seconds of the pauses in the middle
BREATH = 0.06  # seconds between the words that stop her and the rest
GAPS = (2.4, 2.8, 3.2, 3.6)  # seconds from the end of a question until somebody talks into its answer
BEFORE = 2.0  # seconds of the room before the first of them
ROOM = 0.0003  # full scale: what a quiet room sounds like


@dataclass(frozen=True)
class Options:
    """Behind the file's name."""

    pause: float = 14.0
    interrupts: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.pause <= 120 or not 0 <= self.interrupts <= 100:
            raise ValueError("options 'pause' and 'interrupts': 0 to 120 seconds, 0 to 100 times")


@dataclass(frozen=True)
class Line:
    """Something to say, in one part or two with `thinks` seconds between, and the room behind it."""

    kind: str  # as glue's report knows them: fluent, hesitant, interrupts
    parts: tuple[str, ...]
    thinks: float
    then: float


@dataclass(frozen=True)
class Said:
    """A line's place in the sound: seconds. `part`: the end of its first part."""

    kind: str
    text: str
    began: float
    part: float
    ended: float


def talk(pause: float) -> Iterator[Line]:
    """A fluent line, a hesitant one, in turn."""
    for fluent, hesitant, thinks in zip(FLUENT, HESITANT, cycle(THINKS)):
        yield Line("fluent", (fluent,), 0.0, pause)
        yield Line("hesitant", hesitant, thinks, pause)


def interruptions(times: int, pause: float) -> Iterator[Line]:
    """A question, and into its answer another one, so many times."""
    for ask, into, gap in islice(zip(cycle(LONG), cycle(INTO), cycle(GAPS)), times):
        yield Line("fluent", (ask,), 0.0, gap)
        yield Line("interrupts", into, BREATH, pause)


def spoken(lines: Iterable[Line]) -> Iterator[tuple[Line, list[Sound]]]:
    """Every line with its parts as samples; four voices in turn."""
    with served("engines.speech", "voice=kokoro") as address:
        auth = riva.client.Auth(uri=address)
        tts = riva.client.SpeechSynthesisService(auth)
        voices = VOICES["kokoro"]
        for number, line in enumerate(lines):
            voice = voices[(number // 2 + number % 2) % len(voices)]
            yield line, [_trimmed(tts, part, voice) for part in line.parts]
        auth.channel.close()


def _trimmed(tts: riva.client.SpeechSynthesisService, text: str, voice: str) -> Sound:
    return trimmed(np.frombuffer(tts.synthesize(text, voice, sample_rate_hz=RATE).audio, "<i2"))


def whole(said: Iterable[tuple[Line, list[Sound]]]) -> tuple[Sound, list[Said]]:
    """All of it, one after another, in a quiet room; and what is where."""
    pieces, script, at = [_silence(BEFORE)], list[Said](), BEFORE
    for line, parts in said:
        ends, began = list[float](), at
        for part in parts:
            pieces += [part, _silence(line.thinks)]
            ends.append(at + len(part) / RATE)
            at = ends[-1] + line.thinks
        pieces.append(_silence(line.then))
        at += line.then
        times = (round(seconds, 3) for seconds in (began, ends[0], ends[-1]))
        script.append(Said(line.kind, " ".join(line.parts), *times))
    sound = np.concatenate(pieces)
    return sound + np.random.default_rng(7).normal(0, ROOM, len(sound)).astype(np.float32), script


def _silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def save(file: Path, sound: Sound, script: Sequence[Said]) -> None:
    """Write both files."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    rows = json.dumps([asdict(said) for said in script], indent=1)
    file.with_suffix(".said.json").write_text(f"{rows}\n", encoding="utf-8")


def main() -> None:
    """Make one of the two, and save it."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit((__doc__ or "").splitlines()[0])
    try:
        options = parse(Options, sys.argv[2:])
    except OptionError as error:
        sys.exit(str(error))
    file, times, pause = Path(sys.argv[1]), options.interrupts, options.pause
    sound, script = whole(spoken(interruptions(times, pause) if times else talk(pause)))
    save(file, sound, script)
    sys.stderr.write(f"{file}: {len(sound) / RATE:.0f} s\n")


if __name__ == "__main__":
    main()
