"""EVENTS -> what the broadcast shows: scene, caption, what is played, mute, highlights. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from glue.chat_events import Deed
from glue.events import (
    Button,
    ButtonPressed,
    CaptionShown,
    ChatLine,
    Event,
    StageTaken,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import GameChanged

MARKS = 8  # highlights that may wait for OBS


class State(StrEnum):
    """Where the show stands; config names a scene for each."""

    STARTING = "starting"
    CHATTING = "chatting"
    TWINS = "twins"
    GAME = "game"
    BRB = "brb"
    ENDING = "ending"


@dataclass(frozen=True, slots=True)
class Cue:
    """What the broadcast should show now."""

    state: State
    caption: str
    playing: str
    muted: bool


class Cues:
    """Follows the show. What a caption shows has been heard, and stays for `linger` seconds after its end."""

    def __init__(self, highlights: Collection[Deed], linger: float, together: float) -> None:
        self._highlights, self._linger, self._together = highlights, linger, together
        self._begun = self._stopped = self._muted = self._over = False
        self._names: dict[str, str] = {}
        self._games: dict[tuple[str, str], str] = {}
        self._captions: dict[str, tuple[str, str, float]] = {}  # who: turn, words, until when
        self._praised: ChatLine | None = None
        self._two_until = float("-inf")  # another one than the first of the cast is in the picture
        self.marks: deque[tuple[float, str]] = deque(maxlen=MARKS)  # highlights, when and why

    def note(self, event: Event) -> bool:
        """Take note; whether it can have changed anything."""
        match event:
            case StageTaken(who=who, name=name):
                self._names[who] = name
            case TurnStarted(who=who, line=line):
                self._begun = True
                self._join(who, float("inf"))
                self._praised = line if line.deed in self._highlights else None
            case CaptionShown(who=who, turn=turn, text=text, spoken=spoken):
                self._captions[who] = (turn, text[:spoken], float("inf"))
            case TurnEnded(at=at, who=who, turn=turn, heard=heard):
                self._join(who, at + self._together)
                shown, words, _ = self._captions.get(who, ("", "", 0.0))
                if shown == turn:  # not a panic's, which came first and stays
                    self._captions[who] = (turn, words, at + self._linger)
                if self._praised is not None and heard:
                    self.marks.append((at, f"{self._praised.author} {self._praised.text}"[:120]))
                self._praised = None
            case GameChanged(who=who, game=game, connected=connected):
                self._games.pop((who, game), None)
                if connected:
                    self._games[who, game] = game
            case ButtonPressed(button=button):
                self._press(button)
            case _:
                return False
        return True

    def _join(self, who: str, until: float) -> None:
        """The usual scene shows the first of the cast; another one who speaks is beside her `until` then."""
        if who in list(self._names)[1:]:
            self._two_until = until

    def _press(self, button: Button) -> None:
        if button in (Button.MUTE, Button.UNMUTE):
            self._muted = button is Button.MUTE
        elif button in (Button.STOP, Button.PANIC):
            self._stopped = True
        elif button is Button.GO:
            self._stopped = False
            self._captions.clear()  # the words of a panic have no end of their own

    def end(self) -> None:
        """The show is over."""
        self._over = True

    def cue(self, now: float) -> Cue:
        """What is to be shown at `now`."""
        spoken = {who: words for who, (_, words, until) in self._captions.items() if now < until}
        if len(self._names) > 1:
            spoken = {who: words and f"{self._names.get(who, who)}: {words}" for who, words in spoken.items()}
        caption = "\n".join(filter(None, spoken.values()))
        return Cue(self._state(now), caption, next(reversed(self._games.values()), ""), self._muted)

    def changes_at(self, now: float) -> float:
        """When cue() changes though nothing happens."""
        ends = [*(until for _, _, until in self._captions.values()), self._two_until]
        return min((until for until in ends if until > now), default=float("inf"))

    def _state(self, now: float) -> State:
        if self._over:
            return State.ENDING
        if self._stopped:
            return State.BRB
        if self._games:
            return State.GAME
        if now < self._two_until:
            return State.TWINS
        return State.CHATTING if self._begun else State.STARTING
