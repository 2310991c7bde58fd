"""EVENTS -> DECISIONS: which line she answers, when she keeps silent, when she speaks by herself.

Pure: no I/O, no clock of its own, every method takes `now`. Whoever holds it tells it what happened and does
what it decides.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from glue.events import Button, ChatLine, Fate, Source
from glue.interest import plain, score
from glue.settings import DirectorSettings


@dataclass(frozen=True, slots=True)
class Speak:
    """`who` answers `line` now. `waited`: it lay there while she was speaking."""

    who: str
    line: ChatLine
    received: float
    waited: bool


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The reply in work is cut."""


@dataclass(frozen=True, slots=True)
class Close:
    """A line that nobody will answer, and why."""

    line_id: str
    fate: Fate


Decision = Speak | Interrupt | Close


@dataclass(slots=True)
class Waiting:
    """A line in the inbox."""

    line: ChatLine
    received: float
    waited: bool


@dataclass(slots=True)
class Director:
    """Holds the inbox and the floor. One reply at a time."""

    cast: Sequence[str]
    settings: DirectorSettings = field(default_factory=DirectorSettings)
    speaking: str = ""  # who has the floor
    quiet_since: float = 0.0  # the end of the last reply, or the last line
    paused: bool = False
    stopped: bool = False
    _inbox: list[Waiting] = field(default_factory=list)
    _seen: deque[tuple[float, str]] = field(default_factory=deque)
    _authors: dict[str, deque[float]] = field(default_factory=dict)
    _answered: dict[str, float] = field(default_factory=dict)
    _alone: int = 0  # times that she spoke into silence since the last line

    @property
    def waiting(self) -> int:
        """Lines in the inbox."""
        return len(self._inbox)

    def hear(self, line: ChatLine, now: float) -> list[Close]:
        """A line arrived: it waits in the inbox, or is closed at once."""
        self._alone = 0
        fate = self._refusal(line, now)
        if fate is not None:
            return [Close(line.id, fate)]
        self._inbox.append(Waiting(line, now, waited=bool(self.speaking)))
        if len(self._inbox) <= self.settings.inbox:
            return []
        dullest = min(self._inbox, key=lambda w: (self._score(w, now), -w.received))
        self._inbox.remove(dullest)
        return [Close(dullest.line.id, Fate.OVERFLOW)]

    def _refusal(self, line: ChatLine, now: float) -> Fate | None:
        s, words = self.settings, plain(line.text)
        if self.stopped or self.paused:
            return Fate.PAUSED
        while self._seen and self._seen[0][0] < now - s.repeat_window:
            self._seen.popleft()
        times = self._authors.setdefault(line.author, deque(maxlen=s.burst + 1))
        times.append(now)
        if len(self._authors) > 10 * s.inbox:
            self._authors = {a: t for a, t in self._authors.items() if t[-1] > now - s.burst_window}
        if not words:
            return Fate.SPAM
        if any(words == seen for _, seen in self._seen):
            return Fate.DUPLICATE
        if len(times) > s.burst and times[0] > now - s.burst_window and not line.supporter:
            return Fate.SPAM
        if len(self._seen) < 10 * s.inbox:  # a flood of new words must not make hearing slow
            self._seen.append((now, words))
        return None

    def press(self, button: Button) -> list[Decision]:
        """The operator pressed a button. (Mute is the mixer's business.)"""
        cut: list[Decision] = [Interrupt()] if self.speaking else []
        match button:
            case Button.SKIP:
                return cut
            case Button.STOP:
                self.stopped = True
                return [*cut, *self.empty(Fate.SKIPPED)]
            case Button.GO:
                self.stopped = False
            case Button.PAUSE_CHAT:
                self.paused = True
            case Button.RESUME_CHAT:
                self.paused = False
            case Button.MUTE | Button.UNMUTE:
                pass
        return []

    def likely(self, now: float) -> ChatLine | None:
        """What would be answered if the floor were free."""
        best = max(self._inbox, key=lambda w: (self._score(w, now), -w.received), default=None)
        return best.line if best else None

    def empty(self, fate: Fate) -> list[Close]:
        """Close everything that waits."""
        closed = [Close(w.line.id, fate) for w in self._inbox]
        self._inbox.clear()
        return closed

    def decide(self, now: float) -> list[Decision]:
        """What is to be done now: lines to let go, and at most one to answer."""
        decisions: list[Decision] = list(self._expire(now))
        if self.speaking or self.stopped:
            return decisions
        best = max(self._inbox, key=lambda w: (self._score(w, now), -w.received), default=None)
        if best is not None and (self._score(best, now) >= self.settings.bar or self._lull(now)):
            self._inbox.remove(best)
            decisions.append(self._speak(best, now))
        elif best is None and self._lonely(now):
            self._alone += 1
            line = ChatLine(f"quiet-{now:.3f}", "", "", Source.HERSELF)
            decisions.append(self._speak(Waiting(line, now, waited=False), now))
        return decisions

    def _speak(self, chosen: Waiting, now: float) -> Speak:
        who = self._addressed(chosen.line)
        self.speaking = who
        self._answered[chosen.line.author] = now
        if len(self._answered) > 10 * self.settings.inbox:
            oldest = min(self._answered, key=lambda author: self._answered[author])
            del self._answered[oldest]
        return Speak(who, chosen.line, chosen.received, chosen.waited)

    def ended(self, now: float) -> None:
        """The reply in work is over: the floor is free."""
        self.speaking = ""
        self.quiet_since = now

    def wake_at(self, now: float) -> float:
        """When decide() may answer differently though nothing happens (seconds on the same clock)."""
        if self.stopped or self.speaking:
            return self._next_expiry()
        if self._inbox:
            return min(self._next_expiry(), max(now, self.quiet_since + self.settings.lull))
        return float("inf") if self.paused else self.quiet_since + self._patience_alone()

    def _next_expiry(self) -> float:
        return min((w.received for w in self._inbox), default=float("inf")) + self.settings.patience

    def _expire(self, now: float) -> Iterable[Close]:
        old = [w for w in self._inbox if now >= w.received + self.settings.patience]
        self._inbox = [w for w in self._inbox if w not in old]
        return [Close(w.line.id, Fate.IGNORED) for w in old]

    def _lull(self, now: float) -> bool:
        return now >= self.quiet_since + self.settings.lull

    def _lonely(self, now: float) -> bool:
        return not self.paused and now >= self.quiet_since + self._patience_alone()

    def _patience_alone(self) -> float:
        return min(self.settings.lonely * 1.6**self._alone, self.settings.lonely_most)

    def _score(self, waiting: Waiting, now: float) -> float:
        last = self._answered.get(waiting.line.author)
        since = None if last is None else now - last
        return score(waiting.line, self.cast, age=now - waiting.received, since_answer=since)

    def _addressed(self, line: ChatLine) -> str:
        words = plain(line.text).split()
        return next((who for who in self.cast if who in words), self.cast[0])
