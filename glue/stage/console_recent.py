"""What a page that has just opened must know: the recent events, and those that still hold. No I/O."""

from collections import deque

from glue.events import (
    Button,
    ButtonPressed,
    CaptionShown,
    Event,
    PartDegraded,
    PartRecovered,
    StageTaken,
    TurnEnded,
    VitalsTaken,
    to_json,
)

Json = dict[str, object]
SWITCHES = {
    Button.MUTE: "sound",
    Button.UNMUTE: "sound",
    Button.PAUSE_CHAT: "chat",
    Button.RESUME_CHAT: "chat",
    Button.STOP: "show",
    Button.GO: "show",
}


class Recent:
    """Keeps the last `most` events, and of those that describe a state (muted, degraded) the newest."""

    def __init__(self, most: int = 400) -> None:
        self._flow: deque[Json] = deque(maxlen=most)
        self._cast: dict[str, Json] = {}
        self._holds: dict[str, Json] = {}

    def note(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case StageTaken():
                self._cast[event.who] = to_json(event)
            case CaptionShown():
                self._hold(f"caption {event.who}", event)
            case VitalsTaken():
                self._hold("vitals", event)
            case PartDegraded():
                self._hold(f"part {event.part}", event)
            case PartRecovered():
                self._holds.pop(f"part {event.part}", None)
            case ButtonPressed():
                if switch := SWITCHES.get(event.button):
                    self._hold(switch, event)
            case _:
                if isinstance(event, TurnEnded):
                    self._holds.pop(f"caption {event.who}", None)
                self._flow.append(to_json(event))

    def _hold(self, what: str, event: Event) -> None:
        self._holds[what] = to_json(event)

    def events(self) -> list[Json]:
        """All of it, in an order that a page can take in as if it had been there."""
        return [*self._cast.values(), *self._flow, *self._holds.values()]
