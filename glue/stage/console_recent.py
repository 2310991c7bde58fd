"""What a page that has just opened must know: the recent events, and those that still hold. No I/O."""

from collections import deque
from collections.abc import Sequence

from glue.broadcast_events import (
    BroadcastLacking,
    BroadcastMeasured,
    PhaseBegun,
    StreamFaltered,
    StreamRestored,
)
from glue.desk_events import OperatorAsked, OperatorServed, Wish
from glue.events import (
    AWAY,
    Button,
    ButtonPressed,
    CaptionShown,
    Event,
    PartDegraded,
    PartRecovered,
    StageTaken,
    TurnEnded,
    to_json,
)
from glue.game_events import GameChanged, GameFate, GameMessageClosed
from glue.measured_events import VitalsTaken
from glue.memory_events import LinesForgotten
from glue.ports import Whose
from glue.redacted import Traces, redacted
from glue.sight_events import Seen, SightDropped

Json = dict[str, object]
SWITCHES = {
    Button.MUTE: "sound",
    Button.UNMUTE: "sound",
    Button.PAUSE_CHAT: "chat",
    Button.RESUME_CHAT: "chat",
    Button.STOP: "show",
    Button.PANIC: "show",
    Button.GO: "show",
}
MOST_GAMES = 64  # whose pictures are kept: a game may come back under a new name each time


class Recent:
    """Keeps the last `most` events, and of those that describe a state (muted, degraded) the newest."""

    def __init__(self, most: int = 400) -> None:
        self._flow: deque[Json] = deque(maxlen=most)
        self._cast: dict[str, Json] = {}
        self._holds: dict[str, Json] = {}

    def note(self, event: Event) -> None:  # noqa: C901  (a table of events, a line each)
        """Take an event in."""
        match event:
            case StageTaken():
                self._cast[event.who] = to_json(event)
            case CaptionShown():
                self._hold(f"caption {event.who}", event)
            case GameChanged():
                self._game(f"game {event.who} {event.game}", event)
            case PhaseBegun():
                self._hold("phase", event)
            case VitalsTaken():
                self._hold("vitals", event)
            case BroadcastMeasured():
                self._hold("broadcast", event)
            case StreamFaltered():
                self._hold(f"stream {event.fault}", event)
                self._flow.append(to_json(event))
            case StreamRestored():
                self._holds.pop(f"stream {event.fault}", None)
                self._flow.append(to_json(event))
            case BroadcastLacking():
                self._hold(f"lacking {event.why}", event)
            case PartDegraded():
                if event.part == "broadcast":  # what its stream suffered from is not known any more
                    self._holds = {k: held for k, held in self._holds.items() if not k.startswith("stream ")}
                self._hold(f"part {event.part}", event)
            case PartRecovered():
                self._holds.pop(f"part {event.part}", None)
            case Seen() | SightDropped():
                self._hold("sight", event)
            case ButtonPressed():
                if event.button is Button.GO:
                    self._uncaption(AWAY)
                if switch := SWITCHES.get(event.button):
                    self._hold(switch, event)
            case LinesForgotten(line_ids=ids):
                clean = zip(redacted(self._flow, ids), self._flow, strict=True)
                self._flow = deque((new or old for new, old in clean), self._flow.maxlen)
                self._flow.append(to_json(event))
            case OperatorAsked(wish=Wish.FORGET) | OperatorServed(what=Wish.FORGET):
                nameless = {"text": "", "effect": ""}  # a page that was not there need not learn of whom
                self._flow.append({key: nameless.get(key, value) for key, value in to_json(event).items()})
            case GameMessageClosed(fate=GameFate.TAKEN, why=""):
                pass  # the journal has it; a page that was not there misses nothing
            case _:
                if isinstance(event, TurnEnded):
                    self._uncaption(event.turn)
                self._flow.append(to_json(event))

    def forget(self, ids: Sequence[str], whose: Whose | None) -> None:
        """What of it betrays these lines and all that are `whose()`, though none may be in it any more."""
        traces = Traces(ids, [whose] if whose else [])
        for record in self._flow:
            traces.note(record)
        self._flow = deque((traces.left(each) or each for each in self._flow), self._flow.maxlen)

    def _uncaption(self, turn: str) -> None:
        """A caption is over."""
        for what, held in list(self._holds.items()):
            if what.startswith("caption ") and held["turn"] == turn:
                del self._holds[what]

    def _game(self, what: str, event: GameChanged) -> None:
        """Of too many games those go first that have gone, and of these what changed longest ago."""
        self._holds.pop(what, None)
        games = [each for each in self._holds if each.startswith("game ")]
        if len(games) >= MOST_GAMES:
            del self._holds[min(games, key=lambda each: bool(self._holds[each]["connected"]))]
        self._hold(what, event)

    def _hold(self, what: str, event: Event) -> None:
        self._holds[what] = to_json(event)

    def events(self) -> list[Json]:
        """All of it, in an order that a page can take in as if it had been there."""
        return [*self._cast.values(), *self._flow, *self._holds.values()]
