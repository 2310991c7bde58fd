"""Lines that say nothing new: one author's flood, or the same words once more. Pure."""

from collections import deque
from dataclasses import dataclass, field

from glue.events import ChatLine, Fate, Source
from glue.interest import plain
from glue.settings import DirectorSettings


@dataclass(slots=True)
class Floods:
    """Remembers what was said lately, and how often each author spoke; both within bounds."""

    _seen: deque[tuple[float, str]] = field(default_factory=deque)
    _authors: dict[str, deque[float]] = field(default_factory=dict)

    def refusal(self, line: ChatLine, now: float, settings: DirectorSettings) -> Fate | None:
        """Why `line` is let go at once; None where it may wait for an answer."""
        s, words = settings, plain(line.text)
        if line.deed:
            return None
        times = self._noted(line.author, now, s)
        if not words:
            return Fate.SPAM
        if line.source is Source.VOICE:
            return None  # people repeat themselves, and one at a time is no flood
        while self._seen and self._seen[0][0] < now - s.repeat_window:
            self._seen.popleft()
        if any(words == seen for _, seen in self._seen):
            return Fate.DUPLICATE
        if len(times) > s.burst and times[0] > now - s.burst_window and not line.supporter:
            return Fate.SPAM
        if len(self._seen) < 10 * s.inbox:  # a flood of new words must not make hearing slow
            self._seen.append((now, words))
        return None

    def _noted(self, author: str, now: float, s: DirectorSettings) -> deque[float]:
        """When `author` spoke lately, now included."""
        times = self._authors.setdefault(author, deque(maxlen=s.burst + 1))
        times.append(now)
        if len(self._authors) > 10 * s.inbox:
            self._authors = {a: t for a, t in self._authors.items() if t[-1] > now - s.burst_window}
        return times
