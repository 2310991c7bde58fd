"""One voice's line of sound in front of the mixer: what is queued, and which of it is heard when.

A track has its own time: seconds of its sound, silence between clauses not counted. The mouth, the captions
and the history of what was heard all ask `audible()`; nobody else keeps time.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import anyio
import numpy as np

from glue.ports import Pcm

LOUD = 330  # a sample beyond this (-40 dB of full scale) is content, not the breath before it
KEPT = 120.0  # seconds that a stretch of sound is remembered after it was heard


@dataclass(slots=True)
class Stretch:
    """Samples [first, last) of the track, heard from `at` on without a break."""

    at: float
    first: int
    last: int


class Track:
    """A bounded queue of samples with a memory of when they left."""

    def __init__(self, rate: int, ahead: float, wake: Callable[[], None]) -> None:
        """`ahead`: seconds that may wait; `wake` tells the mixer that there is something to play."""
        self.rate = rate
        self.written = 0  # samples
        self._most = int(ahead * rate)
        self._wake = wake
        self._chunks: deque[Pcm] = deque()
        self._queued = 0
        self._gone = 0  # samples that have left the mixer; those between here and `queued` are being delayed
        self._room = anyio.Event()
        self._stretches: deque[Stretch] = deque()
        self._on_audible: Callable[[float], None] | None = None

    @property
    def queued(self) -> int:
        """Samples that wait for the mixer."""
        return self._queued

    async def write(self, pcm: Pcm) -> None:
        """Queue samples; waits while more than `ahead` seconds are queued already."""
        while self._queued > self._most:
            self._room = anyio.Event()
            await self._room.wait()
        if pcm.size:
            self._chunks.append(pcm)
            self._queued += pcm.size
            self.written += pcm.size
            self._wake()

    def on_audible(self, tell: Callable[[float], None]) -> None:
        """Call `tell(at)` once, when the next sample that is loud enough to be content leaves."""
        self._on_audible = tell

    def take(self, count: int) -> Pcm:
        """Up to `count` samples for the mixer, in order."""
        parts: list[Pcm] = []
        while count and self._chunks:
            head = self._chunks.popleft()
            if head.size > count:
                self._chunks.appendleft(head[count:])
                head = head[:count]
            parts.append(head)
            count -= head.size
            self._queued -= head.size
        if self._queued <= self._most:
            self._room.set()
        return np.concatenate(parts) if parts else np.empty(0, np.int16)

    def left(self, at: float, first: int, pcm: Pcm) -> None:
        """The mixer says: `pcm`, which begins at sample `first`, goes out and starts to be heard at `at`."""
        last = self._gone = first + pcm.size
        tail = self._stretches[-1] if self._stretches else None
        joined = tail and tail.last == first and abs(tail.at + (first - tail.first) / self.rate - at) < 0.002
        if tail and joined:
            tail.last = last
        else:
            self._stretches.append(Stretch(at, first, last))
        while self._stretches[0].at < at - KEPT and len(self._stretches) > 1:
            self._stretches.popleft()
        if self._on_audible is not None:
            loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > LOUD)
            if loud.size:
                tell, self._on_audible = self._on_audible, None
                tell(at + float(loud[0]) / self.rate)

    def audible(self, now: float) -> float:
        """Seconds of this track's sound that have been heard at `now`."""
        for stretch in reversed(self._stretches):
            if stretch.at <= now:
                heard = stretch.first + (now - stretch.at) * self.rate
                return min(heard, stretch.last) / self.rate
        return (self._stretches[0].first if self._stretches else self._gone) / self.rate

    def approaching(self, now: float) -> float:
        """As audible(), for a `now` a little ahead: into what is queued, since that follows without a gap."""
        tail = self._stretches[-1] if self._stretches else None
        if tail is None or tail.at > now:
            return self.audible(now)
        return min(tail.first + (now - tail.at) * self.rate, self.written) / self.rate

    def ends(self) -> float:
        """When the last sample that left has been heard (show clock); -inf before the first."""
        if not self._stretches:
            return float("-inf")
        tail = self._stretches[-1]
        return tail.at + (tail.last - tail.first) / self.rate

    async def drained(self, latency: float) -> None:
        """Wait until every sample written has left and, `latency` seconds later, been heard."""
        while True:
            rest = (self.written - self._gone) / self.rate or self.ends() + latency - anyio.current_time()
            if rest <= 0:
                return
            await anyio.sleep(max(rest, 0.001))

    def silences(self, since: float) -> list[float]:
        """Seconds of silence between the stretches that began after `since`."""
        kept = [s for s in self._stretches if s.at >= since]
        ends = [s.at + (s.last - s.first) / self.rate for s in kept]
        return [after.at - end for after, end in zip(kept[1:], ends, strict=False)]

    def flush(self, now: float) -> None:
        """Drop what is queued, and forget what left but is not heard yet at `now`."""
        start = self._stretches[0].first if self._stretches else self._gone
        self._chunks.clear()
        self._queued = 0
        self._on_audible = None
        self._room.set()
        for stretch in self._stretches:
            heard = stretch.first + max(0, int((now - stretch.at) * self.rate))
            stretch.last = min(stretch.last, heard)
        self._stretches = deque(s for s in self._stretches if s.last > s.first)
        self.written = self._gone = max((s.last for s in self._stretches), default=start)
