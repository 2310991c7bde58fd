"""What she still had to say when a voice stopped her: she says it, where nothing came of that voice. Pure.

A recogniser makes words of a cough, a laugh or a chair now and then, and takes them back: no line follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from glue.chat_events import LinesRemoved
from glue.cues import Script
from glue.events import Button, ButtonPressed, ChatLine, Ending, Event, Source, TurnEnded, TurnStarted
from glue.news import NEWS

AT_ONCE = 1.0  # seconds at most from the words that stop her to the end of the reply
STALE = 6.0  # seconds since then after which it is no matter any more: somebody did speak
GO_ON = "Go on with what you were saying."
REST = "-rest"  # how the ids of its lines end


def goes_on(line: ChatLine) -> bool:
    """Whether what answers `line` is the rest of a reply."""
    return line.id.startswith(NEWS) and line.id.endswith(REST)


@dataclass(slots=True)
class Unsaid:
    """Of the last reply."""

    _line: ChatLine | None = None  # that was answered
    _stopped: float = float("-inf")  # by a voice
    _rest: Script | None = None

    def __bool__(self) -> bool:
        return self._rest is not None

    def note(self, event: Event) -> None:
        """An event of the show."""
        match event:
            case TurnStarted(line=line):
                self.drop()
                self._line = line
            case TurnEnded(at, who, turn, Ending.CUT, said, heard) if at - self._stopped < AT_ONCE:
                self._rest = self._left(who, turn, said.split(), heard.split())
            case ButtonPressed(_, button) if button not in (Button.MUTE, Button.UNMUTE):
                self.drop()  # a person wants it so
            case LinesRemoved(_, ids) if self._line and not {*ids}.isdisjoint(p.id for p in self._line.parts):
                self.drop()
            case _:
                pass

    def stops(self, now: float) -> None:
        """A voice takes the floor."""
        self._stopped = now

    def drop(self) -> None:
        """It is not said."""
        self._rest, self._stopped = None, float("-inf")

    def take(self, now: float, free: float) -> Script | None:
        """It is to be said now, once: nobody is listened to since `free`."""
        if now < free:
            return None
        rest, self._rest = self._rest, None
        return rest if now < self._stopped + STALE else None

    def _left(self, who: str, turn: str, said: list[str], heard: list[str]) -> Script | None:
        """What was not heard of what was written. Of a reply of which nothing was, the line waits again."""
        if self._line is None or not heard or said[: len(heard)] != heard or said == heard:
            return None
        line = ChatLine(f"{NEWS}{turn}{REST}", "", GO_ON, Source.HERSELF, joined=self._line.parts)
        return Script(who, line, " ".join(said[len(heard) :]))
