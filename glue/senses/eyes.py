"""WORLD -> EVENTS: what she sees. A changed picture is judged by the guard, then read: Seen, or SightDropped.

Not a Sense that a show ends with: it is supervised, and while the server or the screen is away she is blind
and the show goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import anyio
import numpy as np
from anyio import to_thread
from numpy.typing import NDArray

from glue.errors import ConfigError
from glue.events import ChatLine, Event, Source, Stage, StageReached, TurnEnded, TurnStarted
from glue.senses.asked import asks, told
from glue.senses.clean import clean
from glue.senses.frames import frames
from glue.senses.sight import Broadcast, Picture, Sight, Vision
from glue.sight_events import Seen, SightDropped

CELLS = (36, 64)  # rows and columns of a sketch
STIRRED = 6.0  # of 255: a cell whose mean grey moved by more has changed
LINES, THINGS = 12, 8  # of one sight
LONGEST_LINE = 120
FRESH = 60.0  # seconds after the last look at a sight in which she says that she sees it


class Eyes:
    """Looks at `source` every `every_s` seconds; two sights are `apart_s` seconds and a change apart."""

    part = "eyes"

    def __init__(
        self,
        source: str = "screen",
        every_s: float = 1.0,
        apart_s: float = 10.0,
        changed: float = 0.02,
        longest: int = 1280,
        characters: int = 240,
        *,
        vision: Vision,
        broadcast: Broadcast | None = None,
    ) -> None:
        """`changed`: the share of the picture that must differ from the last sight; `longest`: pixels that it
        is scaled down to; `characters` of text that are kept. Raises ConfigError."""
        if longest < 64:
            raise ConfigError(f"vision.eyes.longest: must be 64 or more, not {longest}")
        self._source = source
        self._frames = frames(source, broadcast)
        self._every, self._apart, self._changed = every_s, apart_s, changed
        self._longest, self._characters = longest, characters
        self._vision = vision
        self._sketch: NDArray[np.float32] | None = None  # of the last picture that was looked at
        self._waiting: Picture | None = None  # the newest that nobody has looked at
        self._looked = float("-inf")
        self._thinking = ""  # the turn whose first word is not heard yet
        self._sight = Sight(())
        self._known: Seen | None = None  # the newest, as it was let in, and when it was last there
        self._there = float("-inf")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is held open between two looks."""

    def show(self, event: Event) -> None:
        """The Viewer port: a look costs a core that her first word needs, so it waits until that is heard."""
        match event:
            case TurnStarted():
                self._thinking = event.turn
            case StageReached(stage=Stage.AUDIBLE) | TurnEnded() if event.turn == self._thinking:
                self._thinking = ""
            case Seen() if event.source == self._source:
                self._known = event  # the door has judged it, and may have changed it
            case _:
                pass

    def facts(self, who: str, line: ChatLine) -> list[str]:
        """What she sees right now, where a line asks for that."""
        if line.source in (Source.EYES, Source.HERSELF) or not asks(line.text):
            return []  # nobody else asked
        fresh = anyio.current_time() <= self._there + FRESH
        return [told(self._known if fresh else None)]

    async def watch(self, take: Callable[[Event], None], works: Callable[[], None]) -> None:
        """Look for ever; `works` is called after each look that went well. Raises a PortError."""
        while True:
            newest = await to_thread.run_sync(self._frames.next, self._longest, abandon_on_cancel=True)
            if newest is not None:
                self._waiting = newest
            early = self._thinking or anyio.current_time() < self._looked + self._apart
            if self._waiting is not None and not early:
                await self._consider(self._waiting, take)
                self._waiting = None
            works()
            await anyio.sleep(self._every)

    async def _consider(self, picture: Picture, take: Callable[[Event], None]) -> None:
        drawn = sketch(picture)
        if self._sketch is not None and difference(drawn, self._sketch) < self._changed:
            self._there = anyio.current_time()
            return
        danger = await self._vision.judge(picture)
        now = anyio.current_time()
        if danger.unsafe:
            self._known, self._sight = None, Sight(())
            take(SightDropped(now, self._source, danger.what, danger.score))
        else:
            sight = self._tidy(await self._vision.look(picture))
            if sight != self._sight:
                self._known = None  # until this one is let in
            if sight not in (self._sight, Sight(())):
                take(Seen(now, self._source, sight.texts, sight.things, sight.caption))
            self._sight = sight
        self._sketch, self._looked, self._there = drawn, now, now

    def _tidy(self, sight: Sight) -> Sight:
        """Clean text of a bounded length: whoever wrote it may have meant it for her prompt."""
        texts, left = [], self._characters
        for text in sight.texts[:LINES]:
            if tidy := clean(text, min(left, LONGEST_LINE)).text:
                texts.append(tidy)
                left -= len(tidy)
            if left <= 0:
                break
        things = tuple(dict.fromkeys(clean(thing, 40).text for thing in sight.things))[:THINGS]
        return Sight(tuple(texts), things, clean(sight.caption, self._characters).text)


def sketch(picture: Picture) -> NDArray[np.float32]:
    """Mean grey of CELLS of a picture, 0 to 255; a picture with fewer pixels than cells repeats some."""
    grey: NDArray[np.float32] = picture.mean(axis=2, dtype=np.float32)
    for axis, cells in enumerate(CELLS):
        length = grey.shape[axis]
        starts = (np.arange(cells) * length) // cells
        sizes = np.maximum(np.diff([*starts, length]), 1)
        total = np.add.reduceat(grey, starts, axis=axis)
        grey = np.asarray(total / np.expand_dims(sizes, 1 - axis), np.float32)
    return grey


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The share of a sketch's cells that changed, 0 to 1."""
    return float(np.mean(np.abs(one - other) > STIRRED))
