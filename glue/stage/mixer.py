"""The playback clock: takes 10 ms from every track, sums them, holds them back by the delay, hands them out.

It is monotonic and paces the whole show (nothing else may): while nobody speaks it does not tick at all,
and the first block of a reply leaves the moment it is written. Outputs follow; none of them is the clock.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import numpy as np

from glue.ports import Output, Pcm
from glue.stage.track import Track

BLOCK = 0.010  # seconds
DUCKED = 0.2  # of her loudness, while somebody else may be about to speak
RAMP = 0.005  # seconds
LATE = 0.25  # a loop that fell this far behind skips the lost time instead of catching up


@dataclass(slots=True)
class Block:
    """10 ms of the show, due at `at`: for each voice its track, its first sample's number, its samples."""

    at: float
    parts: list[tuple[Track, int, Pcm]]

    def sum(self, size: int) -> Pcm:
        """The voices together, int16 [size], clipped."""
        total = np.zeros(size, np.int32)
        for _, _, pcm in self.parts:
            total[: pcm.size] += pcm
        return np.clip(total, -32768, 32767).astype(np.int16)


class Mixer:
    """Tracks in, outputs behind. `delay` may be changed while it runs; what is on its way keeps its time."""

    def __init__(self, outputs: Sequence[Output], rate: int, ahead: float, delay: float = 0.0) -> None:
        self.rate = rate
        self.delay = delay
        self.muted = False
        self._gain, self._ducked_until = 1.0, float("-inf")
        self._outputs = outputs
        self._ahead = ahead
        self._tracks: list[Track] = []
        self._line: deque[Block] = deque()
        self._wake = anyio.Event()
        self._block = round(BLOCK * rate)

    def track(self) -> Track:
        """A new voice."""
        track = Track(self.rate, self._ahead, lambda: self._wake.set())
        self._tracks.append(track)
        return track

    def latency(self) -> float:
        """Seconds from leaving the mixer to the ear, as the first output that knows says."""
        return next((known for known in (o.latency() for o in self._outputs) if known > 0), 0.0)

    async def run(self) -> None:
        """Play for ever."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            await self._play()

    async def _play(self) -> None:
        due = anyio.current_time()
        while self._line or any(track.queued for track in self._tracks):
            now = anyio.current_time()
            if now - due > LATE:
                due = now
            self._mix(due)
            while self._line and self._line[0].at <= due:
                self._leave(self._line.popleft())
            due += BLOCK
            await anyio.sleep_until(due)

    def _mix(self, due: float) -> None:
        parts = []
        for track in self._tracks:
            if track.queued:
                first = track.written - track.queued
                parts.append((track, first, track.take(self._block)))
        if not parts:
            return
        at = due + self.delay
        if self._line:  # a shorter delay holds from the next pause on: nothing overtakes
            at = max(at, self._line[-1].at + BLOCK)
        self._line.append(Block(at, parts))

    def _leave(self, block: Block) -> None:
        pcm = np.zeros(self._block, np.int16) if self.muted else self._leveled(block.sum(self._block))
        for output in self._outputs:
            output.play(pcm, block.at)
        for track, first, part in block.parts:
            track.left(block.at, first, part)

    def duck(self, seconds: float) -> None:
        """Be quieter for so long."""
        self._ducked_until = anyio.current_time() + seconds

    def _leveled(self, pcm: Pcm) -> Pcm:
        """A block at the loudness of now; a change is a ramp, for a step clicks."""
        goal = DUCKED if anyio.current_time() < self._ducked_until else 1.0
        if goal == self._gain == 1.0:
            return pcm
        steps = np.full(pcm.size, goal)
        ramp = min(pcm.size, round(RAMP * self.rate))
        steps[:ramp] = np.linspace(self._gain, goal, ramp)
        self._gain = goal
        leveled: Pcm = (pcm * steps).astype(np.int16)
        return leveled

    def flush(self, track: Track) -> None:
        """Silence one voice at once: what is queued, delayed, or in an output and not heard yet."""
        now = anyio.current_time()
        self._take_out(track)
        for output in self._outputs:
            output.flush(now)
        track.flush(now - self.latency())

    def withdraw(self, track: Track) -> int:
        """As flush(), but what an output has is heard: other voices are in it. Returns the samples that were
        to come."""
        left = track.queued + self._take_out(track)
        track.flush(anyio.current_time())
        return left

    def _take_out(self, track: Track) -> int:
        """Of the delay line; returns its samples there."""
        held = 0
        for block in self._line:
            held += sum(pcm.size for whose, _, pcm in block.parts if whose is track)
            block.parts = [part for part in block.parts if part[0] is not track]
        self._line = deque(block for block in self._line if block.parts)
        return held

    def dump(self) -> float:
        """Throw away what the delay line holds; returns its seconds. The operator's last resort."""
        held = len(self._line) * BLOCK
        self._line.clear()
        for track in self._tracks:
            track.flush(anyio.current_time())
        return held
