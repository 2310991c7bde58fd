"""EVENTS -> DECISIONS: which line she answers, when she keeps silent, when she speaks by herself.

Pure: no I/O, no clock of its own, every method takes `now`. Whoever holds it tells it what happened and does
what it decides.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from glue.decisions import Close, Decision, Interrupt, Shorten, Speak
from glue.events import Button, ChatLine, Fate, Source
from glue.floods import Floods
from glue.interest import plain, score
from glue.settings import DirectorSettings
from glue.sights import Seen, described
from glue.thanks import together

OWED = 8  # points at most for a source whose lines wait while others are answered


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
    listening_until: float = 0.0  # somebody speaks: nobody is answered before they have finished
    paused: bool = False
    stopped: bool = False
    _inbox: list[Waiting] = field(default_factory=list)
    _floods: Floods = field(default_factory=Floods)
    _answered: dict[str, float] = field(default_factory=dict)
    _monologue: float = 0.0  # when the one who speaks began
    answering: frozenset[str] = frozenset()  # lines whose fate is that of the reply in work
    thanking: bool = False  # that reply thanks somebody who gave something
    _chosen: Sequence[Waiting] = ()  # what it answers
    _hurrying: bool = False  # she was told to end with the clause she is at
    _stopping: bool = False  # she was told to stop at once
    _owed: dict[Source, int] = field(default_factory=dict)  # replies to other sources while this one waited
    _alone: int = 0  # times that she spoke into silence since the last line
    _sight: Seen | None = None  # the newest that she has not remarked on
    _glanced: float = float("-inf")  # her last remark on a sight

    @property
    def deaf(self) -> bool:
        """Whether the operator has stopped chat."""
        return self.stopped or self.paused

    @property
    def waiting(self) -> int:
        """Lines in the inbox."""
        return len(self._inbox)

    def hear(self, line: ChatLine, now: float) -> list[Close]:
        """A line arrived: it waits in the inbox, or is closed at once."""
        self._alone = 0
        if line.source is Source.VOICE:
            self.listening_until = now
        fate = Fate.PAUSED if self.deaf else self._floods.refusal(line, now, self.settings)
        if fate is not None:
            return [Close(line.id, fate)]
        line, closed = self._joined(line)
        closed += self._overtaken(line)
        self._inbox.append(Waiting(line, now, waited=bool(self.speaking)))
        if len(self._inbox) <= self.settings.inbox:
            return closed
        crowd = Counter(w.line.source for w in self._inbox).most_common(1)[0][0]
        crowded = [w for w in self._inbox if w.line.source is crowd]
        dullest = min(crowded, key=lambda w: (self._score(w, now), -w.received))
        self._inbox.remove(dullest)
        return [*closed, Close(dullest.line.id, Fate.OVERFLOW)]

    def again(self, line: ChatLine, received: float) -> None:
        """Its speaker went on before she had said anything: what they say now belongs to it."""
        self._inbox.append(Waiting(line, received, waited=True))

    def _joined(self, line: ChatLine) -> tuple[ChatLine, list[Close]]:
        """What somebody says aloud in several goes, as one line: who pauses has not finished."""
        before = [w for w in self._inbox if w.line.author == line.author and w.line.source is Source.VOICE]
        if line.source is not Source.VOICE or not before:
            return line, []
        self._inbox = [w for w in self._inbox if w not in before]
        parts = (*(part for w in before for part in w.line.parts), line)
        text = " ".join(part.text for part in parts)
        return replace(line, text=text, joined=parts), [Close(w.line.id, Fate.CONTINUED) for w in before]

    def overhear(self, now: float) -> None:
        """Somebody speaks: let them finish, but not for ever."""
        if now > self.listening_until:
            self._monologue = now
        self.listening_until = min(now + self.settings.listen, self._monologue + self.settings.listen_most)

    def see(self, seen: Seen) -> None:
        """She saw something: worth a remark when the floor is quiet and nobody's line waits."""
        self._sight = seen

    def _overtaken(self, line: ChatLine) -> list[Close]:
        """In a game only the latest is worth a word."""
        if line.source is not Source.GAME:
            return []
        old = [w for w in self._inbox if w.line.source is Source.GAME and w.line.author == line.author]
        self._inbox = [w for w in self._inbox if w not in old]
        return [Close(w.line.id, Fate.IGNORED) for w in old]

    def press(self, button: Button) -> list[Decision]:
        """The operator pressed a button. (Mute is the mixer's business.)"""
        cut: list[Decision] = [Interrupt()] if self.speaking else []
        match button:
            case Button.SKIP | Button.DUMP:
                return cut
            case Button.STOP | Button.PANIC:
                self.stopped = True
                return [*cut, *self.empty(Fate.SKIPPED)]
            case Button.GO:
                self.stopped = False
            case Button.PAUSE_CHAT | Button.RESUME_CHAT:
                self.paused = button is Button.PAUSE_CHAT
            case Button.MUTE | Button.UNMUTE:
                pass
        return []

    def remove(self, ids: Collection[str]) -> list[Decision]:
        """A moderator removed these lines: they do not wait any longer, and no reply to one goes on. Who
        was to be thanked together with a removed one waits again."""
        closed = [Close(w.line.id, Fate.REMOVED) for w in self._inbox if w.line.id in ids]
        self._inbox = [w for w in self._inbox if w.line.id not in ids]
        if self.answering.isdisjoint(ids):
            return list(closed)
        spared = [replace(w, waited=True) for w in self._chosen if w.line.id not in ids]
        self._chosen = [w for w in self._chosen if w.line.id in ids]
        self.answering = frozenset(w.line.id for w in self._chosen)
        self._inbox += spared
        self._stopping = True
        return [Interrupt(), *closed]

    def likely(self, now: float) -> ChatLine | None:
        """What would be answered if the floor were free."""
        best = self._best(now)
        return together([w.line for w in self._with(best)]) if best else None

    def _best(self, now: float) -> Waiting | None:
        return max(self._inbox, key=lambda w: (self._score(w, now), -w.received), default=None)

    def _with(self, best: Waiting) -> list[Waiting]:
        """The lines that are answered together: all who are to be thanked, or one."""
        return [w for w in self._inbox if w.line.deed] if best.line.deed else [best]

    def standing(self, now: float) -> list[tuple[Waiting, float]]:
        """What waits, the best first, with its score."""
        return sorted(((w, self._score(w, now)) for w in self._inbox), key=lambda scored: -scored[1])

    def empty(self, fate: Fate) -> list[Close]:
        """Close everything that waits."""
        closed = [Close(w.line.id, fate) for w in self._inbox]
        self._inbox.clear()
        return closed

    def decide(self, now: float) -> list[Decision]:
        """What is to be done now: lines to let go, and at most one to answer."""
        decisions: list[Decision] = list(self._expire(now))
        due = self._thanks_due()
        overheard = self.thanking and now < self.listening_until
        if self.speaking and (due < float("inf") or overheard):
            decisions += self._give_way(now >= due)
        if self.speaking or self.stopped or now < min(self.listening_until, due):
            return decisions
        best = self._best(now)
        if best is not None and (self._score(best, now) >= self.settings.bar or self._lull(now)):
            chosen = self._with(best)
            self._inbox = [w for w in self._inbox if w not in chosen]
            decisions.append(self._speak(chosen, now))
        elif best is None and self._sight is not None and now >= self._glance_at(now):
            line = ChatLine(f"seen-{now:.3f}", "", described(self._sight), Source.EYES)
            self._sight, self._glanced = None, now
            decisions.append(self._speak([Waiting(line, now, waited=False)], now))
        elif best is None and now >= self._lonely_at():
            self._alone += 1
            line = ChatLine(f"quiet-{now:.3f}", "", "", Source.HERSELF)
            decisions.append(self._speak([Waiting(line, now, waited=False)], now))
        return decisions

    def _give_way(self, due: bool) -> list[Decision]:
        """To thanks: the clause that is heard now is the last; one that takes too long is cut. Thanks
        themselves are not cut, and end so for other thanks, and for somebody who speaks."""
        if due and not self.thanking:
            self._stopping = True
            return [Interrupt()]
        first, self._hurrying = not self._hurrying, True
        return [Shorten()] if first else []

    def _speak(self, chosen: Sequence[Waiting], now: float) -> Speak:
        line = together([w.line for w in chosen])
        who = self._addressed(line)
        ids = tuple(w.line.id for w in chosen)
        sent = line.source not in (Source.HERSELF, Source.EYES)
        self.speaking, self._chosen, self.answering = who, chosen, frozenset(ids if sent else ())
        self.thanking = any(map(_paid, chosen))
        passed_over = {w.line.source for w in self._inbox} - {line.source}
        self._owed = {source: min(self._owed.get(source, 0) + 1, OWED) for source in passed_over}
        self._answered |= {w.line.author: now for w in chosen}
        while len(self._answered) > 10 * self.settings.inbox:
            oldest = min(self._answered, key=lambda author: self._answered[author])
            del self._answered[oldest]
        return Speak(who, line, chosen[0].received, any(w.waited for w in chosen), ids)

    def ended(self, now: float) -> None:
        """The reply in work is over: the floor is free."""
        self.speaking, self._chosen, self.answering = "", (), frozenset()
        self.thanking = self._hurrying = self._stopping = False
        self.quiet_since = now

    def wake_at(self, now: float) -> float:
        """When decide() may answer differently though nothing happens (seconds on the same clock)."""
        if self.stopped or self.speaking:  # thanks are not cut for thanks
            return min(self._next_expiry(), float("inf") if self.thanking else self._thanks_due())
        if now < (until := min(self.listening_until, self._thanks_due())):
            return min(self._next_expiry(), until)
        if self._inbox:
            return min(self._next_expiry(), max(now, self.quiet_since + self.settings.lull))
        return min(self._lonely_at(), self._glance_at(now))

    def _glance_at(self, now: float) -> float:
        """When she may remark on what she sees; never, where there is nothing or it is stale by then."""
        if self._sight is None or self.paused:
            return float("inf")
        s = self.settings
        at = max(self.quiet_since + s.glance, self._glanced + s.glance_apart)
        return at if max(now, at) <= self._sight.at + s.glance_fresh else float("inf")

    def _thanks_due(self) -> float:
        """When what she says, and who is listened to, must give way to thanks."""
        if self._stopping or self.stopped:
            return float("inf")
        urgent = (w.received for w in self._inbox if _paid(w))
        return min(urgent, default=float("inf")) + self.settings.thanks

    def _next_expiry(self) -> float:
        mortal = (w.received for w in self._inbox if not _paid(w))
        return min(mortal, default=float("inf")) + self.settings.patience

    def _expire(self, now: float) -> Iterable[Close]:
        patience = self.settings.patience
        old = [w for w in self._inbox if now >= w.received + patience and not _paid(w)]
        self._inbox = [w for w in self._inbox if w not in old]
        return [Close(w.line.id, Fate.IGNORED) for w in old]

    def _lull(self, now: float) -> bool:
        return now >= self.quiet_since + self.settings.lull

    def _lonely_at(self) -> float:
        """When she has been alone for long enough to speak by herself."""
        patience = min(self.settings.lonely * 1.6**self._alone, self.settings.lonely_most)
        return float("inf") if self.paused else self.quiet_since + patience

    def _score(self, waiting: Waiting, now: float) -> float:
        last = self._answered.get(waiting.line.author)
        since = None if last is None else now - last
        points = score(waiting.line, self.cast, age=now - waiting.received, since_answer=since)
        return points + self._owed.get(waiting.line.source, 0)

    def _addressed(self, line: ChatLine) -> str:
        words = plain(line.text).split()
        return next((who for who in self.cast if who in words), self.cast[0])


def _paid(waiting: Waiting) -> bool:
    """Whether it is thanked in any case, and in time."""
    return waiting.line.deed is not None and waiting.line.deed.paid
