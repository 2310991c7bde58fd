"""Who may come in, and how fast: screening, rate limits, time-outs, slow mode. Pure; takes `now`.

Stands between the senses and the director. What it does with a line is told as events.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass
from typing import Any

from glue.chat_events import SAYING
from glue.events import ChatLine, Event, Fate, LineClosed, Source
from glue.safety.screen import Screen
from glue.safety_events import LineScreened, Screened, SlowModeSet, ViewerTimedOut
from glue.settings import SafetySettings
from glue.sight_events import Seen, SightDropped, described

GOES_ON = 20.0  # seconds after which a viewer's next line is no continuation
LITTLE = 40  # signs of it that may belong to the next one
# No viewer's: what comes here is screened, but never too fast, and nobody is timed out for it.
OURS = frozenset({Source.VOICE, Source.CONSOLE, Source.TERMINAL, Source.GAME})
VIEWERS = 20_000  # that are remembered at most, in each respect
SHOWN = 100  # of those that are timed out
TIMES = 10_000  # arrivals that a rate is taken from
UNSPEAKABLE = "the name is not to be read out"
ANNOUNCE = "Chat is too fast for you. Announce slow mode: one line each in {gap:g} seconds."


@dataclass(frozen=True, slots=True)
class Admission:
    """`line` as it may be read, or None; `events`: what was done; `announce`: what she should say of it."""

    line: ChatLine | None
    events: tuple[Event, ...] = ()
    announce: str = ""


class Door:
    """The state of one show's chat. Without a `screen`, lines are only counted."""

    def __init__(self, settings: SafetySettings | None = None, screen: Screen | None = None) -> None:
        """Without settings it stands open: no limits."""
        self._open = settings is None
        self._settings = settings or SafetySettings()
        self._screen = screen
        self._allowed = {name.casefold() for name in self._settings.allowed}
        self._arrived: deque[float] = deque(maxlen=TIMES)
        # viewer, or "@name": by hand -> the casefolded name, and until when
        self._out: dict[str, tuple[str, float]] = {}
        self._strikes: dict[str, deque[float]] = {}
        self._last: dict[str, float] = {}  # viewer -> last line in slow mode
        self._renamed: dict[str, str] = {}  # line -> its author, whose name is not to be read out
        self._before: dict[str, tuple[float, str]] = {}  # viewer -> when and what they wrote last
        self._slow = False
        self._gap = self._settings.slow_gap
        self._by_hand = False  # the operator's slow mode does not end by itself

    def admit(self, line: ChatLine, now: float, wanted: bool = False) -> Admission:
        """Judge a line that arrived at `now`. `wanted`: it is not for her to read (a vote), so that it can
        be neither too much nor too soon."""
        if self._open or line.source is Source.HERSELF:
            return Admission(line)
        free = wanted or line.source in OURS
        events, announce = ([], "") if free else self._pace(now)
        refused = self._timed_out(line, now) or (None if free else self._limits(line, now))
        if refused:
            fate, why = refused
            return Admission(None, (*events, LineClosed(now, line.id, fate, why=why)), announce)
        if self._screen is None:
            return Admission(line, tuple(events), announce)
        screened, screen_events = self._screened(line, self._screen, now)
        return Admission(screened, (*events, *screen_events), announce)

    def _screened(self, line: ChatLine, screen: Screen, now: float) -> tuple[ChatLine | None, list[Event]]:
        """The line as it may be read, None for bait, and what was done."""
        judged = screen.line(line.text, self._earlier(line, now))
        why = judged.reason
        author = screen.name(line.author)
        events: list[Event] = []
        if judged.outcome is not Screened.PASSED:
            events.append(LineScreened(now, line.id, judged.outcome, why))
        if judged.outcome in (Screened.PASSED, Screened.SANITISED):
            self._before[_viewer(line)] = (now, line.text[-LITTLE:])
            _forget(self._before)
            if author != line.author:
                self._renamed[line.id] = line.author
                _forget(self._renamed)
                events.append(LineScreened(now, line.id, Screened.SANITISED, UNSPEAKABLE))
            return dataclasses.replace(line, author=author, text=judged.text), events
        deed = line.text.partition(SAYING)[0]
        # she thanks; what was said is left out
        if line.deed and deed != line.text and screen.line(deed).text:
            return dataclasses.replace(line, author=author, text=deed), events
        events.append(LineClosed(now, line.id, Fate.BLOCKED, why=why))
        if judged.outcome is Screened.IGNORED and line.source not in OURS:
            events += self._strike(line, now)
        return None, events

    def sees(self, seen: Seen) -> tuple[Event, ...]:
        """A sight as she may remark on it, or that it was dropped: who wrote what is in the picture may have
        meant it for her."""
        judged = self._screen.line(described(seen)) if self._screen else None
        if judged is None or judged.outcome is Screened.PASSED:
            return (seen,)
        why = judged.reason
        if judged.outcome is not Screened.SANITISED:
            return (SightDropped(seen.at, seen.source, why, 1.0),)
        told = LineScreened(seen.at, "sight", judged.outcome, f"in a picture, {why}")
        return told, Seen(seen.at, seen.source, (judged.text,))

    def _earlier(self, line: ChatLine, now: float) -> str:
        """What the same viewer wrote a moment ago; a word may be spread over two lines."""
        at, text = self._before.pop(_viewer(line), (now, ""))
        return text if 0 <= now - at <= GOES_ON else ""

    def wrote(self, line: ChatLine) -> str:
        """Who wrote a line that was let in, by the name that they have in chat."""
        return self._renamed.get(line.id, line.author)

    def time_out(self, author: str, until: float) -> None:
        """Let nothing in until then of whoever is called so; a time that has passed lets them in again."""
        name = author.casefold()
        self._out = {who: out for who, out in self._out.items() if out[0] != name}
        self._out[f"@{name}"] = name, until
        _forget(self._out)

    @property
    def usual_gap(self) -> float:
        """Seconds between a viewer's lines where slow mode begins by itself."""
        return self._settings.slow_gap

    def standing(self, now: float) -> dict[str, object]:
        """What holds, for the operator: `slow`, seconds between a viewer's lines, 0 where chat is as fast as
        it likes; `out`: the last who may not write, by name, `left` seconds of it, the newest first."""
        out = [(name, until - now) for name, until in reversed(self._out.values()) if until > now]
        return {
            "slow": self._gap if self._slow else 0.0,
            "usual": self.usual_gap,
            "out": [{"name": name, "left": round(left)} for name, left in out[:SHOWN]],
        }

    def slow_down(self, gap: float) -> None:
        """The operator's slow mode, `gap` seconds between a viewer's lines; stays until it is 0 again."""
        self._slow = self._by_hand = gap > 0
        self._gap = gap or self._settings.slow_gap
        self._last.clear()

    def _timed_out(self, line: ChatLine, now: float) -> tuple[Fate, str] | None:
        """A game may be called as a viewer is: it has a pause button of its own."""
        named = None if line.source is Source.GAME else self._out.get(f"@{line.author.casefold()}")
        out = any(now < until for _, until in filter(None, (named, self._out.get(_viewer(line)))))
        return (Fate.BLOCKED, "timed out") if out else None

    def _limits(self, line: ChatLine, now: float) -> tuple[Fate, str] | None:
        s = self._settings
        if line.supporter or line.deed or self._known(line):
            return None
        if s.overall and self._rate(now, 1.0) > s.overall:
            return Fate.OVERFLOW, "chat is faster than safety.overall"
        if self._slow and now < self._last.get(_viewer(line), float("-inf")) + self._gap:
            return Fate.SPAM, "slow mode"
        if self._slow:
            self._last[_viewer(line)] = now
            _forget(self._last)
        return None

    def _known(self, line: ChatLine) -> bool:
        """Whether safety.allowed has them; on YouTube anybody may take a name, and an id stands there."""
        own = [] if line.source is Source.YOUTUBE else [line.author]
        return not self._allowed.isdisjoint(name.casefold() for name in [*own, line.author_id])

    def _rate(self, now: float, seconds: float) -> float:
        """Lines a second over the last `seconds`."""
        count = 0
        for at in reversed(self._arrived):
            if at <= now - seconds:
                break
            count += 1
        return count / seconds

    def _pace(self, now: float) -> tuple[list[Event], str]:
        """Count an arrival; slow mode begins and ends here."""
        s = self._settings
        self._arrived.append(now)
        while self._arrived and self._arrived[0] <= now - max(1.0, s.slow_window):
            self._arrived.popleft()
        if not (s.slow_above and s.slow_window) or self._by_hand:
            return [], ""
        rate = len(self._arrived) / s.slow_window
        if not self._slow and rate > s.slow_above:
            self._slow = True
            return [SlowModeSet(now, s.slow_gap)], ANNOUNCE.format(gap=s.slow_gap)
        if self._slow and rate < s.slow_above / 2:
            self._slow = False
            self._last.clear()
            return [SlowModeSet(now, 0.0)], ""
        return [], ""

    def _strike(self, line: ChatLine, now: float) -> list[Event]:
        """A line was not let in: a viewer who goes on is timed out, there and not where another one is
        called the same."""
        s, viewer = self._settings, _viewer(line)
        if not s.strikes:
            return []
        times = self._strikes.setdefault(viewer, deque(maxlen=s.strikes))
        times.append(now)
        _forget(self._strikes)
        if len(times) < s.strikes or times[0] < now - s.strike_window:
            return []
        del self._strikes[viewer]
        self._out[viewer] = line.author.casefold(), now + s.timeout
        _forget(self._out)
        return [ViewerTimedOut(now, line.author, now + s.timeout, f"{s.strikes} lines that were not let in")]


def _viewer(line: ChatLine) -> str:
    """Who wrote it: by the id, for names may be shared and are changed; else by the name, in any case."""
    return line.viewer if line.author_id else f"{line.source} {line.author.casefold()}"


def _forget(known: dict[Any, Any]) -> None:
    """Keep the memory bounded: the oldest entry goes."""
    if len(known) > VIEWERS:
        del known[next(iter(known))]
