"""Lines that say nothing new: one viewer's flood, or the same words once more. Pure."""

from collections import deque
from dataclasses import dataclass, field

from glue.events import ChatLine, Fate, Source
from glue.interest import plain
from glue.settings import DirectorSettings


@dataclass(slots=True)
class Floods:
    """Remembers what was said lately, and how often each viewer spoke; both within bounds."""

    _seen: deque[tuple[float, str, str]] = field(default_factory=deque)  # when, who, what
    _lately: deque[float] = field(default_factory=deque)  # arrivals
    _viewers: dict[str, deque[float]] = field(default_factory=dict)

    def refusal(self, line: ChatLine, now: float, settings: DirectorSettings) -> Fate | None:
        """Why `line` is let go at once; None where it may wait for an answer."""
        s, words = settings, plain(line.text)
        if line.deed:
            return None
        times = self._noted(line.viewer, now, s)
        if not words:
            return Fate.SPAM
        if line.source is Source.VOICE:
            return None  # people repeat themselves, and one at a time is no flood
        while self._seen and self._seen[0][0] < now - s.repeat_window:
            self._seen.popleft()
        # Two who greet her alike in a slow chat are two; in a fast one it is a wave that is copied.
        wave = self._wave(now, s)
        if any(words == seen and (wave or viewer == line.viewer) for _, viewer, seen in self._seen):
            return Fate.DUPLICATE
        most = 2 * s.burst if line.supporter else s.burst
        if len(times) > most and times[-1 - most] > now - s.burst_window:
            return Fate.SPAM
        if len(self._seen) < 10 * s.inbox:  # a flood of new words must not make hearing slow
            self._seen.append((now, line.viewer, words))
        return None

    def _wave(self, now: float, s: DirectorSettings) -> bool:
        """Whether chat is fast, this line included."""
        self._lately.append(now)
        if len(self._lately) > s.wave:
            self._lately.popleft()
        return len(self._lately) == s.wave and self._lately[0] > now - s.burst_window

    def _noted(self, viewer: str, now: float, s: DirectorSettings) -> deque[float]:
        """When `viewer` spoke lately, now included."""
        times = self._viewers.setdefault(viewer, deque(maxlen=2 * s.burst + 1))
        times.append(now)
        if len(self._viewers) > 10 * s.inbox:
            self._viewers = {v: t for v, t in self._viewers.items() if t[-1] > now - s.burst_window}
        return times
