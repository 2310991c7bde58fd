"""Where the operator's wishes are carried out, one after the other: whoever comes second is told so.

What each wish does is a function of its text, given by app: it returns its effect in a line, or raises
Declined, or a part's Refused, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from glue.cues import Cues
from glue.decisions import Close, Decision, Interrupt
from glue.desk_events import OperatorAsked, OperatorServed, Wish
from glue.errors import Declined, Refused
from glue.events import Button

Deed = Callable[[str], str]


def silent() -> float:
    """A mixer that holds nothing back."""
    return 0.0


def faceless(away: bool) -> None:
    """Nobody to look at."""


def seconds_of(text: str, most: float, wrong: str) -> float:
    """Seconds as a person writes them, "2.5" or "2,5": 0 to `most`. Raises Declined(`wrong`)."""
    try:
        seconds = float(text.replace(",", "."))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= most:
        raise Declined(wrong)
    return seconds


@dataclass(slots=True)
class Booth:
    """`dump()` throws away what waits to be heard and returns its seconds; `away(True)` makes every face
    neutral and says so in a caption, `away(False)` ends that; `late()`: seconds that all sound is delayed;
    `hush()` ends sounds that are not hers."""

    deeds: Mapping[Wish, Deed] = field(default_factory=dict)
    cues: Cues = field(default_factory=Cues)
    dump: Callable[[], float] = silent
    away: Callable[[bool], None] = faceless
    late: Callable[[], float] = silent
    hush: Callable[[], float] = silent

    def serve(self, asked: OperatorAsked) -> OperatorServed:
        """Do what is asked for, or say why not."""
        done, effect = True, ""
        try:
            if asked.wish not in self.deeds:
                raise Declined("this show has nobody for that")
            effect = self.deeds[asked.wish](asked.text.strip())
        except Declined as why:
            done, effect = False, str(why)
        except Refused as error:
            done, effect = False, error.why
        return OperatorServed(asked.at, asked.wish.value, asked.text, done, effect)

    def press(self, button: Button) -> float:
        """What a button does to sound and faces; the seconds of sound that are gone."""
        if button in (Button.STOP, Button.PANIC):
            self.cues.scripts.clear()
        if button is Button.STOP:
            self.hush()
        if button in (Button.PANIC, Button.GO):
            self.away(button is Button.PANIC)
        return self.dump() if button in (Button.PANIC, Button.DUMP) else 0.0


STATES = {
    Button.MUTE: "no sound leaves",
    Button.UNMUTE: "she is heard again",
    Button.PAUSE_CHAT: "chat is not read; you, voices, games and who paid are heard",
    Button.RESUME_CHAT: "chat is read again",
    Button.STOP: "stopped",
    Button.PANIC: "stopped, neutral face, the caption is up",
    Button.GO: "live",
}


def effect(button: Button, decisions: Sequence[Decision], turn: str, seconds: float) -> str:
    """A button's effect in a line; `turn` was in work when it was pressed, "" for none."""
    closed = sum(isinstance(decision, Close) for decision in decisions)
    cut = any(isinstance(decision, Interrupt) for decision in decisions)
    parts = [STATES.get(button, "")]
    parts.append(f"{seconds:.1f} s of sound dumped" if seconds else "")
    parts.append(f"reply {turn} is cut" if cut and turn else "")
    parts.append(f"{closed} waiting lines let go" if closed else "")
    return ", ".join(filter(None, parts)) or "nobody speaks"
