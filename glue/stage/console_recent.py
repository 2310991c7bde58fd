"""What a page that has just opened must know: the recent events, and those that still hold. No I/O."""

from collections import deque

from glue.broadcast_events import BroadcastLacking, BroadcastMeasured, StreamFaltered, StreamRestored
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
from glue.measured import VitalsTaken
from glue.sights import Seen, SightDropped

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
                self._hold(f"game {event.who} {event.game}", event)
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
            case GameMessageClosed(fate=GameFate.TAKEN, why=""):
                pass  # the journal has it; a page that was not there misses nothing
            case _:
                if isinstance(event, TurnEnded):
                    self._uncaption(event.turn)
                self._flow.append(to_json(event))

    def _uncaption(self, turn: str) -> None:
        """A caption is over."""
        for what, held in list(self._holds.items()):
            if what.startswith("caption ") and held["turn"] == turn:
                del self._holds[what]

    def _hold(self, what: str, event: Event) -> None:
        self._holds[what] = to_json(event)

    def events(self) -> list[Json]:
        """All of it, in an order that a page can take in as if it had been there."""
        return [*self._cast.values(), *self._flow, *self._holds.values()]
