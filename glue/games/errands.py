"""What viewers said to her that she may have to do in a game: kept until an action for it was sent. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from glue.games.text import line

KEPT = 3  # at a time, the newest: she does one thing after the other
PATIENCE = 180.0  # seconds; then nobody waits for it any more
TRIES = 3  # actions for one, as long as the game takes none: it may be busy
LONGEST = 300  # characters in a prompt


@dataclass(slots=True, eq=False)
class Errand:
    """A viewer's line. `id` is the line's, `heard` when she began to answer it."""

    id: str
    author: str
    text: str
    heard: float
    tries: int = 0


class Errands:
    """One game's, the oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Errand] = []

    def hear(self, errand: Errand) -> None:
        """A viewer spoke to her."""
        self._waiting = [*self._waiting, errand][-KEPT:]

    def next(self, now: float) -> Errand | None:
        """The one to think of now. It stays, for a thought may be given up."""
        self._waiting = [each for each in self._waiting if now - each.heard < PATIENCE]
        return self._waiting[0] if self._waiting else None

    def done(self, errand: Errand) -> None:
        """She has acted on it, or decided that there is nothing to do."""
        self._waiting = [each for each in self._waiting if each is not errand]

    def again(self, errand: Errand) -> None:
        """The game did not take what she did about it: next time, then."""
        errand.tries += 1
        if errand.tries < TRIES:
            self._waiting = [*self._waiting, errand][:KEPT]

    def remove(self, ids: Container[str]) -> None:
        """A moderator removed these lines."""
        self._waiting = [each for each in self._waiting if each.id not in ids]


def with_errand(task: str, errand: Errand | None) -> str:
    """`task`, and then what a viewer said: a small model does what was said last."""
    if errand is None:
        return task
    said = f'{errand.author} says: "{errand.text}" If they want something done, do that; if not, go on.'
    return f"{task}\n{line(said, LONGEST)}"
