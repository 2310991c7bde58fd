"""WORLD -> EVENTS: when somebody fell silent, by what a recogniser says of the sound that it was sent. Pure.

Its answers count seconds of the stream and say how probably each window of it was a voice; the show counts
seconds of its own clock. A piece of sound arrives as it is made, so both meet where the piece was sent.
"""

from collections import deque
from collections.abc import Sequence

WINDOW = 0.032  # seconds that one probability speaks for: Silero's 512 samples at 16 kHz
VOICED = 0.5
KEPT = 4096  # pieces whose moment is remembered: 80 s of 20 ms


class Spoken:
    """One stream's clock, and the end of the last voice in it."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._seconds = 0.0
        self._voice_ends: float | None = None

    def sent(self, seconds: float, now: float) -> None:
        """A piece of sound, `seconds` long, was sent at `now`."""
        self._seconds += seconds
        self._sent.append((self._seconds, now))

    def answered(self, processed: float, probabilities: Sequence[float]) -> None:
        """An answer: `processed` seconds of the stream so far, and its newest windows."""
        voiced = [i for i, probability in enumerate(probabilities) if probability >= VOICED]
        if voiced:
            self._voice_ends = processed - (len(probabilities) - 1 - voiced[-1]) * WINDOW

    def until(self) -> float | None:
        """When the last voice ended, on the show's clock; None where the server does not say."""
        if self._voice_ends is None:
            return None
        later = (now - (end - self._voice_ends) for end, now in self._sent if end >= self._voice_ends)
        return next(later, None)
