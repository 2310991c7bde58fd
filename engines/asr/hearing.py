"""One stream: sound in, interim and final results out.

While somebody speaks, what there is so far is recognised now and then (interim). At the first 100 ms of
silence it is recognised as if it were over: if it is, the words are there already; if speech goes on, they
were interim.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

from engines.asr.detector import RATE, WINDOW, Detector, Samples, Watch
from engines.asr.endpoint import Endpoint, Thresholds
from engines.asr.phantom import believed, complete, early
from engines.asr.whisper import Heard, Word

Hear = Callable[[Samples], Awaitable[Heard]]
BEFORE = 0.3  # seconds kept in front of the first voice: consonants that the detector missed
LATE = 0.1  # seconds that a voice is heard before the detector is sure of it
AFTER = 0.2  # seconds of the silence behind that are recognised too
BATCH = 64  # windows that the detector looks at in one go, where so many come at once: two seconds
TOLD = 1875  # windows that a result tells of, at most: a minute. Those of a night were too long a message


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds; see engines/asr/options.py."""

    interim: float = 0.5
    guess: float = 0.1
    stop: float = 0.38
    stop_open: float = 0.9
    longest: float = 28.0
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(frozen=True, slots=True)
class Result:
    """What was understood between `start` and `at` (seconds of the stream); words' times are the stream's."""

    text: str
    final: bool
    confidence: float
    start: float
    at: float
    words: tuple[Word, ...] = ()
    probabilities: tuple[float, ...] = ()  # of a voice, one a window since the last result; the newest


@dataclass(frozen=True, slots=True)
class Guess:
    """What was understood of the utterance's first `samples`, when it had paused `pauses` times."""

    heard: Heard
    samples: int
    pauses: int


Tell = Callable[[Result], Awaitable[None]]


class Hearing:
    """Feed it samples as they come; it awaits `tell` for each result."""

    def __init__(self, detector: Detector, hear: Hear, tell: Tell, settings: Settings) -> None:
        self._watch, self._hear, self._tell, self._settings = Watch(detector), hear, tell, settings
        self._endpoint = Endpoint(settings.thresholds)
        self._rest = np.empty(0, np.float32)
        self._sound = np.empty(0, np.float32)  # the utterance, or what precedes one
        self._at = 0  # samples of the stream so far
        self._busy: asyncio.Task[None] | None = None
        self._guess: Guess | None = None
        self._asked = 0  # samples of the utterance when it was last recognised
        self._told = ""
        self._probabilities: deque[float] = deque(maxlen=TOLD)

    async def feed(self, sound: Samples) -> None:
        """More sound, 16 kHz. Raises what recognising it did."""
        sound = np.concatenate([self._rest, sound])
        whole = len(sound) - len(sound) % WINDOW
        windows, self._rest = sound[:whole].reshape(-1, WINDOW), sound[whole:]
        for start in range(0, len(windows), BATCH):
            some = windows[start : start + BATCH]
            for window, probability in zip(some, self._watch.probabilities(some), strict=True):
                await self._window(window, probability)

    async def end(self) -> None:
        """No more sound, or the client says that the utterance is over: a final result, empty if need be."""
        await self._close(asked_for=True)

    async def stop(self) -> None:
        """Nobody listens any more, nor to what went wrong."""
        if self._busy is not None:
            self._busy.cancel()
            await asyncio.gather(self._busy, return_exceptions=True)

    async def _window(self, window: Samples, probability: float) -> None:
        self._probabilities.append(probability)
        self._at += WINDOW
        self._sound = np.concatenate([self._sound, window])
        self._endpoint.feed(probability)
        if not self._endpoint.speaking:
            self._sound = self._sound[-round(BEFORE * RATE) :]
            return
        if self._over():
            await self._close()
        elif self._due():
            self._busy = asyncio.create_task(self._recognise())

    def _over(self) -> bool:
        """Whether the utterance has ended: enough silence for what was said, or too long."""
        settings, end = self._settings, self._endpoint
        if len(self._sound) >= settings.longest * RATE:
            return True  # in the middle of a word, perhaps; Whisper hears no more at once
        if not end.worth_hearing:
            return end.silence >= settings.stop
        known = self._known()
        said = known is not None and complete(known.text)
        return end.silence >= (settings.stop if said else settings.stop_open)

    def _known(self) -> Heard | None:
        """What the utterance says, if that was recognised in this pause."""
        guess = self._guess
        fits = guess is not None and self._endpoint.paused and guess.pauses == self._endpoint.pauses
        return guess.heard if guess and fits else None

    def _due(self) -> bool:
        """Whether it is time to recognise what there is."""
        if self._busy is not None:
            if not self._busy.done():
                return False
            self._busy.result()  # raises what it failed with: a stream that goes on would seem to hear
        end = self._endpoint
        if not end.worth_hearing:
            return False
        if end.paused:
            return end.silence >= self._settings.guess and self._known() is None
        return len(self._sound) - self._asked >= self._settings.interim * RATE

    async def _recognise(self) -> None:
        """What there is so far."""
        sound, pauses = self._trimmed(), self._endpoint.pauses if self._endpoint.paused else -1
        self._asked = len(self._sound)
        heard = await self._hear(sound)
        self._guess = Guess(heard, len(sound), pauses)
        text = early(heard, self._endpoint.voiced)
        if text and text != self._told:
            self._told = text
            await self._tell(self._result(text, heard, final=False))

    def _trimmed(self) -> Samples:
        """The utterance without the silence at its end."""
        spare = int((self._endpoint.silence - AFTER) * RATE)
        return self._sound[: len(self._sound) - spare] if spare > 0 else self._sound

    async def _close(self, asked_for: bool = False) -> None:
        """The utterance is over: its final words. Where there were none, no result unless `asked_for`."""
        if self._busy is not None:
            await self._busy
        heard = self._known()
        if heard is None:
            heard = await self._hear(self._trimmed()) if self._endpoint.worth_hearing else Heard("")
        text = believed(heard, self._endpoint.voiced)
        result = self._result(text, heard, final=True)
        self._endpoint.reset()
        self._sound, self._guess, self._asked, self._told = self._sound[-round(BEFORE * RATE) :], None, 0, ""
        if text or asked_for:
            await self._tell(result)

    def _result(self, text: str, heard: Heard, final: bool) -> Result:
        start = (self._at - len(self._sound)) / RATE
        words = tuple(_moved(word, start) for word in heard.words)
        probabilities = tuple(self._probabilities)
        self._probabilities.clear()
        return Result(text, final, heard.confidence, start, self._at / RATE, words, probabilities)


def _moved(word: Word, start: float) -> Word:
    """A word's times on the stream's clock. Whisper lets the first word begin with the silence before it."""
    begin = max(word.start, min(BEFORE - LATE, word.end))
    return Word(word.text, begin + start, word.end + start, word.sure)
