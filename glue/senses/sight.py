"""What the eyes need of others: the ports Vision and Broadcast, which only they use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # RGB, shape [height, width, 3]


@dataclass(frozen=True, slots=True)
class Danger:
    """What the guard says of a picture: the score, 0 to 1, of what must not be shown, and what that is."""

    score: float
    what: str
    unsafe: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What is in a picture, as the server says it: text in reading order, things, a caption or ""."""

    texts: tuple[str, ...]
    things: tuple[str, ...] = ()
    caption: str = ""


class Vision(Protocol):
    """Eyes behind the Triton wire."""

    async def judge(self, picture: Picture) -> Danger:
        """May this be looked at? Raises Unreachable, Refused, TooSlow."""
        ...

    async def look(self, picture: Picture) -> Sight:
        """What is there. Raises as judge()."""
        ...


class Broadcast(Protocol):
    """What goes out to the audience, looked at."""

    def shot(self, source: str, longest: int) -> bytes:
        """A picture (JPEG) of a named source, "" for the whole, about `longest` pixels wide. Blocks: call it
        in a thread. Raises Unreachable, TooSlow, Refused."""
        ...
