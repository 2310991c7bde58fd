"""Between the show's clock and a sound card's: a short queue that a real-time callback empties."""

import threading
import time
from collections import deque

from glue.ports import Pcm

MOST = 0.5  # seconds; beyond it the card's clock is slower than ours, and the oldest sound goes


class Feed:
    """put() by the event loop, fill() by the card's thread. Both only ever hold the lock for a copy."""

    def __init__(self, rate: int, cushion: float) -> None:
        """`cushion`: seconds in hand before a stretch of sound begins."""
        self._cushion = cushion
        self._first = round(cushion * rate)
        self._most = round(MOST * rate)
        self._lock = threading.Lock()
        self._blocks: deque[Pcm] = deque()
        self._queued = 0
        self._since = 0.0  # time.monotonic() of the first block of this stretch
        self._flowing = False

    def put(self, pcm: Pcm) -> None:
        """Add samples."""
        with self._lock:
            if not self._blocks:
                self._since = time.monotonic()
            self._blocks.append(pcm)
            self._queued += pcm.size
            while self._queued > self._most:
                self._queued -= self._blocks.popleft().size

    def fill(self, out: Pcm) -> None:
        """Write the next samples, or silence, into `out` (int16 [frames])."""
        with self._lock:
            if not self._flowing:
                waited = time.monotonic() - self._since >= self._cushion  # a word shorter than the cushion
                self._flowing = bool(self._blocks) and (self._queued >= self._first or waited)
            done = self._take(out) if self._flowing else 0
            out[done:] = 0
            if done < out.size:
                self._flowing = False

    def _take(self, out: Pcm) -> int:
        done = 0
        while self._blocks and done < out.size:
            block = self._blocks.popleft()
            part = block[: out.size - done]
            out[done : done + part.size] = part
            done += part.size
            self._queued -= part.size
            if part.size < block.size:
                self._blocks.appendleft(block[part.size :])
        return done

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._blocks.clear()
            self._queued = 0
            self._flowing = False

    @property
    def queued(self) -> int:
        """Samples that wait."""
        return self._queued
