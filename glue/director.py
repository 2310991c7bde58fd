"""EVENTS -> DECISIONS: which line she answers, when she keeps silent, when she speaks by herself.

Pure: no clock of its own, every method takes `now`. Whoever holds it tells it what happened, and acts.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from glue.banter import Banter
from glue.called import called
from glue.decisions import Close, Decision, Interrupt, Shorten, Speak
from glue.events import Button, ChatLine, Ending, Fate, Source, TurnEnded
from glue.floods import Floods
from glue.glance import Glance
from glue.interest import score
from glue.listening import Listening
from glue.meant import Meant, can_wait
from glue.patience import Patience
from glue.renewed import renewed
from glue.settings import DirectorSettings
from glue.shares import Shares
from glue.sight_events import Seen
from glue.thanks import together
from glue.waiting import Waiting, paid, rest, returns

OWED = 8  # points at most for a source whose lines wait while others are answered
FAVOURS = 2  # lines of supporters that are preferred in a row; then one of another viewer is as good


@dataclass(slots=True)
class Director:
    """Holds the inbox and the floor. One reply at a time."""

    cast: Sequence[str]
    settings: DirectorSettings = field(default_factory=DirectorSettings)
    names: Mapping[str, str] = field(default_factory=lambda: {"main": "Spark", "evil": "Evil"})  # as called
    meant: Meant = field(default_factory=Meant)
    speaking: str = ""  # who has the floor
    quiet_since: float = 0.0  # the end of the last reply
    listening: Listening = field(default_factory=Listening)
    patience: Patience = field(default_factory=Patience)
    _resting_until: float = 0.0  # a neighbour is away
    paused: bool = False
    stopped: bool = False
    _inbox: list[Waiting] = field(default_factory=list)
    _floods: Floods = field(default_factory=Floods)
    _shares: Shares = field(default_factory=Shares)
    answering: frozenset[str] = frozenset()  # lines whose fate is that of the reply in work
    thanking: bool = False  # that reply thanks somebody who gave something
    _chosen: Sequence[Waiting] = ()  # what it answers
    _hurrying: bool = False  # she was told to end with the clause she is at
    _stopping: bool = False  # she was told to stop at once
    _owed: dict[Source, int] = field(default_factory=dict)  # replies to other sources while this one waited
    _favours: int = 0  # supporters' lines that were answered since another viewer's
    _alone: int = 0  # times that she spoke into silence since the last line
    _glance: Glance = field(default_factory=Glance)
    _banter: Banter = field(default_factory=Banter)

    def deaf(self, line: ChatLine) -> bool:
        """Whether the operator lets nothing like `line` in: everything is stopped, or chat is paused."""
        return self.stopped or (self.paused and can_wait(line))

    @property
    def called(self) -> dict[str, str]:
        """The cast by the names that they are called by."""
        return {self.names.get(who, who): who for who in self.cast}

    @property
    def waiting(self) -> int:
        """Lines in the inbox."""
        return len(self._inbox)

    def hear(self, line: ChatLine, now: float) -> list[Close]:
        """A line arrived: it waits in the inbox, or is closed at once."""
        self._alone = 0
        if line.source is Source.VOICE:
            self.listening.finished(now)
        fate = Fate.PAUSED if self.deaf(line) else self.meant.refusal(line, self.names.values())
        fate = fate or self._floods.refusal(line, now, self.settings)
        if fate is not None:
            return [Close(line.id, fate)]
        line, closed = renewed(line, (w.line for w in self._inbox))
        over = {close.line_id for close in closed}
        self._inbox = [w for w in self._inbox if w.line.id not in over]
        self._inbox.append(Waiting(line, now, waited=bool(self.speaking)))
        if len(self._inbox) <= self.settings.inbox:
            return closed
        crowd = Counter(w.line.source for w in self._inbox).most_common(1)[0][0]
        crowded = [w for w in self._inbox if w.line.source is crowd]
        dullest = min(crowded, key=lambda w: (self._score(w, now), -w.received))
        self._inbox.remove(dullest)
        return [*closed, Close(dullest.line.id, Fate.OVERFLOW)]

    def again(self) -> None:
        """Nothing was heard of the reply in work, for it gave way to something: its lines wait again."""
        again = [w for w in self._chosen if w.line.id in self.answering and returns(w)]
        self._inbox += [replace(w, waited=True) for w in again]
        self._shares.unspoke(again)
        self.answering -= {w.line.id for w in again}

    def postpone(self, now: float) -> None:
        """Nothing was heard of the reply in work, for a neighbour is away: its lines wait again, behind the
        others, and all take a rest. Without it an engine's restart costs every line that waits."""
        again = [replace(w, waited=True, failed=w.failed + 1) for w in self._chosen if returns(w)]
        again = [w for w in again if w.line.id in self.answering]
        self._inbox += again
        self._shares.unspoke(again)
        self.answering -= {w.line.id for w in again}
        self._resting_until = now + rest(again)

    def see(self, seen: Seen) -> None:
        """She saw something: worth a remark when the floor is quiet and nobody's line waits."""
        self._glance.see(seen)

    def press(self, button: Button) -> list[Decision]:
        """The operator pressed a button. (Mute is the mixer's business.)"""
        cut: list[Decision] = [Interrupt()] if self.speaking else []
        match button:
            case Button.SKIP | Button.DUMP:
                return cut
            case Button.STOP | Button.PANIC:
                self.stopped = True
                self._banter.drop()
                return [*cut, *self.empty(Fate.SKIPPED)]
            case Button.GO:
                self.stopped = False
            case Button.PAUSE_CHAT | Button.RESUME_CHAT:
                self.paused = button is Button.PAUSE_CHAT
        return []

    def remove(self, ids: Collection[str]) -> list[Decision]:
        """A moderator removed these lines: they do not wait any longer, and no reply to one goes on. Who
        was to be thanked together with a removed one waits again."""
        closed = [Close(w.line.id, Fate.REMOVED) for w in self._inbox if w.line.id in ids]
        self._inbox = [w for w in self._inbox if w.line.id not in ids]
        self.forget(ids)
        if any(part.id in ids for line in self._retort() for part in line.parts):
            return [Interrupt(), *closed]
        if self.answering.isdisjoint(ids):
            return list(closed)
        spared = [replace(w, waited=True) for w in self._chosen if w.line.id not in ids]
        self._chosen = [replace(w, last=True) for w in self._chosen if w.line.id in ids]
        self.answering = frozenset(w.line.id for w in self._chosen)
        self._inbox += spared
        self._shares.unspoke(spared)
        self._stopping = True
        return [Interrupt(), *closed]

    def forget(self, ids: Collection[str], whose: Callable[[ChatLine], bool] | None = None) -> None:
        """What was said about these lines, and about all that are `whose()`, is not taken up any more."""
        self._banter.forget(ids, whose)

    def _retort(self) -> list[ChatLine]:
        """What another one of the cast said, where that is being answered."""
        return [w.line for w in self._chosen if w.line.source is Source.TWIN]

    def forgo(self, theirs: Callable[[ChatLine], bool]) -> None:
        """If the reply in work fails, these of the lines that it answers do not wait again."""
        self._chosen = [replace(w, last=True) if theirs(w.line) else w for w in self._chosen]

    def likely(self, now: float) -> ChatLine | None:
        """What would be answered if the floor were free."""
        best = self._best(now)
        return together([w.line for w in self._with(best)]) if best else None

    def _best(self, now: float) -> Waiting | None:
        def worth(waiting: Waiting) -> tuple[float, ...]:
            last = 0 if paid(waiting) else -waiting.failed  # whoever failed lets the others try first
            return last, self._score(waiting, now), -waiting.received

        return self._shares.fair(max(self._inbox, key=worth, default=None), self._inbox)

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
        yields = (self.thanking and now < self.listening.until) or (self._inbox and self._retort())
        if self.speaking and not self.patience.singing and (due < float("inf") or yields):
            decisions += self._give_way(now >= due)
        if self.speaking or self.stopped or now < max(min(self.listening.until, due), self._resting_until):
            return decisions
        best, lull = self._best(now), now >= self.quiet_since + self.settings.lull
        if best is not None and (self._score(best, now) >= self.settings.bar or lull):
            chosen = self._with(best)
            self._inbox = [w for w in self._inbox if w not in chosen]
            decisions.append(self._speak(chosen, now))
        elif best is None and now >= self._banter.due(self.quiet_since, self._silence, now, self.settings):
            who, line = self._banter.take()
            decisions.append(self._speak([Waiting(line, now, waited=False)], now, who))
        elif best is None and now >= self._glance.due(self._silence, now, self.settings):
            decisions.append(self._speak([Waiting(self._glance.take(now), now, waited=False)], now))
        elif best is None and now >= self._lonely_at():
            self._alone += 1
            line = ChatLine(f"quiet-{now:.3f}", "", "", Source.HERSELF)
            who = self._banter.alone(self.cast)
            decisions.append(self._speak([Waiting(line, now, waited=False)], now, who))
        return decisions

    def _give_way(self, due: bool) -> list[Decision]:
        """To thanks: the clause that is heard now is the last; one that takes too long is cut. Thanks
        themselves are not cut, and end so for other thanks, and for somebody who speaks; what two of the
        cast say to each other ends so for whoever writes."""
        if due and not self.thanking:
            self._stopping = True
            return [Interrupt()]
        first, self._hurrying = not self._hurrying, True
        return [Shorten()] if first else []

    def _speak(self, chosen: Sequence[Waiting], now: float, who: str = "") -> Speak:
        line = together([w.line for w in chosen])
        who = who or called(line.text, self.called) or self.cast[0]
        ids = tuple(w.line.id for w in chosen)
        sent = line.source not in (Source.HERSELF, Source.EYES, Source.TWIN)
        self.speaking, self._chosen, self.answering = who, chosen, frozenset(ids if sent else ())
        self.thanking = any(map(paid, chosen))
        self.listening.chosen(now, self.settings)
        if sent and line.deed is None and line.source is not Source.GAME:
            self._favours = self._favours + 1 if line.supporter else 0
        passed_over = {w.line.source for w in self._inbox} - {line.source}
        self._owed = {source: min(self._owed.get(source, 0) + 1, OWED) for source in passed_over}
        if sent:
            most = 10 * self.settings.inbox
            self._shares.spoke(chosen, self._inbox, now, most, lambda w: self._score(w, w.received))
        return Speak(who, line, chosen[0].received, any(w.waited for w in chosen), ids)

    def heard(self, ended: TurnEnded, line: ChatLine, gone: Collection[str]) -> None:
        """So much of a reply to `line` was heard: another one of the cast may answer that, unless it goes
        back to lines that are `gone`. Where nothing was, for a neighbour is away, the lines wait again."""
        name = self.names.get(ended.who, ended.who)
        self._banter.heard(ended, line, name, self.cast, self.settings)
        self.forget(gone)
        if ended.ending is Ending.FAILED and not ended.heard:
            self.postpone(ended.at)

    def ended(self, now: float) -> None:
        """The reply in work is over: the floor is free."""
        self.speaking, self._chosen, self.answering = "", (), frozenset()
        self.thanking = self._hurrying = self._stopping = False
        self.quiet_since = now
        self.patience.ended(now, self._inbox)
        self.listening.answered(now, self.settings)

    def wake_at(self, now: float) -> float:
        """When decide() may answer differently though nothing happens (seconds on the same clock)."""
        expiry = self.patience.next(self._inbox, self.settings)
        if self.stopped or self.speaking:  # thanks are not cut for thanks, and no song is
            return min(expiry, float("inf") if self.thanking or self.patience.singing else self._thanks_due())
        until = max(min(self.listening.until, self._thanks_due()), self._resting_until)
        if now < until:
            return min(expiry, until)
        if self._inbox:
            return min(expiry, max(now, self.quiet_since + self.settings.lull))
        retort = self._banter.due(self.quiet_since, self._silence, now, self.settings)
        return min(self._lonely_at(), self._glance.due(self._silence, now, self.settings), retort)

    @property
    def _silence(self) -> float:
        """Since when nobody has spoken; while chat is paused she says nothing by herself."""
        return float("inf") if self.paused else max(self.quiet_since, self.listening.heard)

    def _thanks_due(self) -> float:
        """When what she says, and who is listened to, must give way to thanks."""
        if self._stopping or self.stopped:
            return float("inf")
        urgent = (w.received for w in self._inbox if paid(w))
        return min(urgent, default=float("inf")) + self.settings.thanks

    def _expire(self, now: float) -> Iterable[Close]:
        old = self.patience.over(self._inbox, now, self.settings)
        self._inbox = [w for w in self._inbox if w not in old]
        return [Close(w.line.id, Fate.FAILED if w.failed else Fate.IGNORED) for w in old]

    def _lonely_at(self) -> float:
        """When she has been alone for long enough to speak by herself."""
        patience = min(self.settings.lonely * 1.6**self._alone, self.settings.lonely_most)
        return self._silence + patience

    def _score(self, waiting: Waiting, now: float) -> float:
        since = self._shares.since(waiting.line.viewer, now)
        names = [*self.called, *self.meant.called(waiting.line.text)]
        favour = 1.0 if self._favours < FAVOURS else 0.0
        points = score(waiting.line, names, self.patience.waited(waiting, now), since, favour)
        return points + self._owed.get(waiting.line.source, 0)
