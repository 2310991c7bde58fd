"""What a page shows of a game, drawn anew when something changed, but not too often."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import anyio

from glue.events import Event
from glue.game_events import GameChanged
from glue.games.table import Table
from glue.games.text import shorten

SHOWN = 100  # actions on the page
REDRAW = 0.25  # seconds between two pictures of the game: some register a hundred actions one by one


class Picture:
    """One game's. `draw()` makes it."""

    def __init__(self, draw: Callable[[], GameChanged], emit: Callable[[Event], None]) -> None:
        self._draw, self._emit = draw, emit
        self._dirty = anyio.Event()

    def changed(self) -> None:
        """It shows something else now."""
        self._dirty.set()

    async def run(self) -> None:
        """Tell viewers, until cancelled. A state of the game every second changes nothing of this, mostly."""
        last: GameChanged | None = None
        while True:
            await self._dirty.wait()
            self._dirty = anyio.Event()
            now = self._draw()
            if last is None or replace(now, at=last.at) != last:
                self._emit(now)
                last = now
            await anyio.sleep(REDRAW)


def drawn(table: Table, connected: bool, paused: bool, vetoed: Collection[str]) -> GameChanged:
    """How a game stands now."""
    want = table.want
    return GameChanged(
        anyio.current_time(),
        table.who,
        table.game,
        connected,
        paused,
        tuple(shorten(shape.signature, 160) for shape in list(table.actions.values())[:SHOWN]),
        tuple(sorted(vetoed)),
        shorten(want.force.query, 200) if want else "",
        want.force.priority.value if want else "",
    )
