"""Who of the cast is speaking, as the games see it. Pure but for the events that wait."""

import anyio

from glue.events import Event, TurnEnded, TurnStarted


class Voice:
    """Told of every event of the show."""

    def __init__(self) -> None:
        self._turns: dict[str, anyio.Event] = {}

    def note(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case TurnStarted(who=who):
                self._turns[who] = anyio.Event()
            case TurnEnded(who=who):
                if (over := self._turns.pop(who, None)) is not None:
                    over.set()
            case _:
                pass

    def turn(self, who: str) -> anyio.Event | None:
        """What is set when the reply of `who` in work is over; None while she is silent."""
        return self._turns.get(who)
