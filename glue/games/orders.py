"""What is done without a thought: what the operator orders, and what a viewer wishes in plain words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence

from glue.games.errands import Errand
from glue.games.plain import Wish, plain
from glue.games.player import Choice
from glue.games.schema import Shape


class Orders:
    """Of one game. `free()` is what she may do at once now, `there()` who is there with her; `dropped()` is
    told that a wish is not done at once after all."""

    def __init__(
        self,
        called: str,
        free: Callable[[], Sequence[Shape]],
        there: Callable[[], Collection[str]],
        dropped: Callable[[], None],
    ) -> None:
        self._called, self._free, self._there, self._dropped = called, free, there, dropped
        self._next: tuple[Choice, Errand | None] | None = None
        self._granted: tuple[str, Choice | None] | None = None  # the last line, and what she does for it

    def give(self, choice: Choice) -> None:
        """The operator's word comes before anybody's."""
        self._drop()
        self._next = choice, None

    def hear(self, errand: Errand, may: bool) -> bool:
        """Whether she does at once what a viewer said, if she `may` now."""
        choice = self.read(errand.text, errand.author) if may and self._next is None else None
        self._granted = errand.id, choice
        if choice is not None:
            self._next = choice, errand
        return choice is not None

    def read(self, text: str, author: str) -> Choice | None:
        """What she would do at once if `author` said this now."""
        return plain(Wish(text, author, self._called, self._there()), self._free())

    def intended(self, id: str, text: str, author: str) -> Choice | None:
        """What she does for a line: as it was granted, or, before it is answered, as it would be."""
        if self._granted is not None and self._granted[0] == id:
            return self._granted[1]
        return self.read(text, author) if self._next is None else None

    def drop(self, ids: Container[str]) -> None:
        """A moderator removed these lines."""
        if self._next is not None and self._next[1] is not None and self._next[1].id in ids:
            self._drop()

    def clear(self) -> None:
        """The game is gone."""
        self._drop()

    def _drop(self) -> None:
        order, self._next = self._next, None
        if order is not None and order[1] is not None:
            self._granted = order[1].id, None
            self._dropped()

    def take(self) -> tuple[Choice, Errand | None] | None:
        """The next one, if it still holds: a wish does not where the game stands otherwise meanwhile."""
        order = self._next
        if order is not None and order[1] and self.read(order[1].text, order[1].author) != order[0]:
            self._drop()
        order, self._next = self._next, None
        return order
