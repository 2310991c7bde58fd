"""EVENTS -> what the broadcast shows: scene, caption, what is played, mute, highlights. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from glue.broadcast_events import Phase, PhaseBegun
from glue.chat_events import SAYING, Deed, LinesRemoved
from glue.desk_events import OperatorServed, Wish
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
from glue.song_events import SongEnded, SongStarted

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
        self._begun = self._stopped = self._muted = self._over = self._waits = False
        self._names: dict[str, str] = {}
        self._first = ""  # who of them answers where nobody is called by name; "" until the operator says
        self._games: dict[tuple[str, str], str] = {}
        self._song = ""  # that is sung
        self._captions: dict[str, tuple[str, str, float]] = {}  # who: turn, words, until when
        self._praised: ChatLine | None = None
        self._two_until = float("-inf")  # another one than the first of the cast is in the picture
        self.marks: deque[tuple[float, ChatLine]] = deque(maxlen=MARKS)  # highlights, when and for what

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
            case TurnEnded():
                self._ended(event)
            case LinesRemoved(line_ids=ids):
                self._take_back(ids)
            case GameChanged() | SongStarted() | SongEnded():
                self._play(event)
            case ButtonPressed(button=button):
                self._press(button)
            case OperatorServed(what=Wish.PERSONA, text=who, done=True):
                self._first = who.strip()
            case PhaseBegun(phase=phase):
                self._waits, self._over = phase is Phase.WAITING, phase is Phase.ENDING
                self._begun |= phase is Phase.LIVE
            case _:
                return False
        return True

    def _join(self, who: str, until: float) -> None:
        """The usual scene is of the first of the cast; another one who speaks is beside her `until` then, and
        so is who has become the first meanwhile."""
        first = self._first or next(iter(self._names), who)
        if who in self._names and (who != first or self._two_until == float("inf")):
            self._two_until = until

    def _play(self, event: GameChanged | SongStarted | SongEnded) -> None:
        if not isinstance(event, GameChanged):
            self._song = f"\u266a {event.song}" if isinstance(event, SongStarted) else ""
            return
        self._games.pop((event.who, event.game), None)
        if event.connected:
            self._games[event.who, event.game] = event.game

    def _press(self, button: Button) -> None:
        if button in (Button.MUTE, Button.UNMUTE):
            self._muted = button is Button.MUTE
        elif button in (Button.STOP, Button.PANIC):
            self._stopped = True
        elif button is Button.GO:
            self._stopped = False
            self._captions.clear()  # the words of a panic have no end of their own

    def _ended(self, ended: TurnEnded) -> None:
        self._join(ended.who, ended.at + self._together)
        shown, words, _ = self._captions.get(ended.who, ("", "", 0.0))
        if shown == ended.turn:  # not a panic's, which came first and stays
            self._captions[ended.who] = (ended.turn, words, ended.at + self._linger)
        if self._praised is not None and ended.heard:
            self.marks.append((ended.at, self._praised))
        self._praised = None

    def _take_back(self, ids: Collection[str]) -> None:
        """What a moderator removed is no highlight, nor what it was part of."""
        left = [(at, line) for at, line in self.marks if not _among(line, ids)]
        self.marks = deque(left, MARKS)
        if self._praised is not None and _among(self._praised, ids):
            self._praised = None

    def end(self) -> None:
        """The show is over."""
        self._over = True

    def cue(self, now: float) -> Cue:
        """What is to be shown at `now`."""
        spoken = {who: words for who, (_, words, until) in self._captions.items() if now < until}
        if len(self._names) > 1:
            spoken = {who: words and f"{self._names.get(who, who)}: {words}" for who, words in spoken.items()}
        caption = "\n".join(filter(None, spoken.values()))
        playing = self._song or next(reversed(self._games.values()), "")
        return Cue(self._state(now), caption, playing, self._muted)

    def changes_at(self, now: float) -> float:
        """When cue() changes though nothing happens."""
        ends = [*(until for _, _, until in self._captions.values()), self._two_until]
        return min((until for until in ends if until > now), default=float("inf"))

    def _state(self, now: float) -> State:
        if self._over:
            return State.ENDING
        if self._stopped:
            return State.BRB
        if self._waits:
            return State.STARTING
        if self._games:
            return State.GAME
        if now < self._two_until:
            return State.TWINS
        return State.CHATTING if self._begun else State.STARTING


def why(line: ChatLine) -> str:
    """What a highlight is marked with: the deed. A viewer's own words passed no gate to be shown."""
    return f"{line.author} {line.text.partition(SAYING)[0]}"[:120]


def _among(line: ChatLine, ids: Collection[str]) -> bool:
    return any(part.id in ids for part in line.parts)
