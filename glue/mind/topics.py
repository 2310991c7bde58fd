"""DECISION -> TEXT: what she turns to when nobody writes: each topic once before any comes again."""

from __future__ import annotations

import random
from collections.abc import Sequence

from glue.mind.bag import Bag

# What the operator wants her to talk about may stand for an hour: asked the same way each time, a model says
# the same each time.
ABOUT = (
    "Say something about {}.",
    "Ask chat a question about {}.",
    "Share an opinion of yours about {}.",
    "Make a joke about {}.",
    "Tell chat what you like best about {}.",
    "Wonder aloud about {}.",
)
ANYTHING = ("Say what is on your mind.",)  # of a character without topics
ASKED = 16  # lines whose request is remembered: one is asked for as long as it is answered


class Topics:
    """What a line that nobody wrote asks for: the same for the same line, in the prompt, in what is prefilled
    and in the history."""

    def __init__(self, topics: Sequence[str], seed: int = 0) -> None:
        """`seed` 0: by chance."""
        chance = random.Random(seed or None)
        self._own, self._about = Bag(topics or ANYTHING, chance), Bag(ABOUT, chance)
        self._topic = ""
        self._asked: dict[str, str] = {}

    def steer(self, topic: str) -> None:
        """What the next lines are about; "" is what she likes."""
        self._topic = topic

    def of(self, line_id: str) -> str:
        """The request that this line is."""
        if line_id not in self._asked:
            self._asked[line_id] = self._about.draw().format(self._topic) if self._topic else self._own.draw()
            if len(self._asked) > ASKED:
                del self._asked[next(iter(self._asked))]
        return self._asked[line_id]
