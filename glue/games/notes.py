"""What she knows of a game, laid out for the server's prefix cache. Pure.

Everything only grows at its end, until it is folded: then the oldest notes become a summary, and the actions
that are there now are described anew in front. What is said once a decision stands behind all that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from glue.games.schema import Shape
from glue.games.text import shorten
from glue.ports import Message

KEPT = 6  # newest notes that a fold leaves as they are
DESCRIBED = 3000  # characters of actions described in front
STATE = 2400  # characters of a state that she reads
QUERY = 800
MANY = 6  # choices; more are not named again behind their descriptions
NAMES = 1200  # characters of the names that she may choose from


@dataclass(slots=True)
class Notes:
    """One game's. `budget`: characters of notes before they are folded."""

    game: str
    name: str  # of who plays
    budget: int = 2400
    lines: list[str] = field(default_factory=list)
    summary: str = ""
    _gone: int = 0  # notes that are no longer in `lines`
    _front: str = ""
    _described: frozenset[str] = frozenset()
    _whole: bool = False  # all of them found room in front
    _last_new: str = ""
    _tainted: bool = False  # the summary in work may hold what was dropped

    def add(self, text: str) -> str:
        """Note something that happened; returns the note. A flood costs the oldest ones, in large steps."""
        note = shorten(text, self.budget // 2)
        if note:
            self.lines.append(note)
        if self._size() > 2 * self.budget:
            self._drop(self.budget // 2)
        return note

    def drop(self, note: str) -> None:
        """Know it no more. Where it is summed up already, the summary goes."""
        self._tainted = True
        if note in self.lines:
            self.lines[self.lines.index(note)] = ""  # its number stays taken
        elif self.summary:
            self.summary, self._described = "", frozenset()

    @property
    def full(self) -> bool:
        """Whether it is time to fold."""
        return self._size() > self.budget

    def oldest(self) -> tuple[list[str], int]:
        """What a fold takes away, and a summary should keep; and the number of the note after it."""
        self._tainted = False
        old = [line for line in self.lines[:-KEPT] if line]
        upto = self._gone + max(0, len(self.lines) - KEPT)
        return ([self.summary, *old] if self.summary else old), upto

    def fold(self, summary: str, upto: int) -> None:
        """`summary` stands for the notes before number `upto`."""
        taken = max(0, upto - self._gone)
        del self.lines[:taken]
        self._gone += taken
        self.summary = "" if self._tainted else shorten(summary, self.budget // 3)
        self._drop(self.budget)
        self._described = frozenset()

    def _drop(self, most: int) -> None:
        while self._size() > most and len(self.lines) > 1:
            del self.lines[0]
            self._gone += 1

    def _size(self) -> int:
        return sum(map(len, self.lines))

    def ask(self, task: str, choices: Sequence[Shape], everything: Iterable[Shape]) -> tuple[Message, ...]:
        """The prompt for a decision. `everything` that the game has is described in front when that is
        written anew; an action that came later is described behind, where it costs its tokens each time."""
        if not self._described:
            self._describe(everything)
        fresh = self._fresh(choices)
        if (told := _told(fresh)) and told == self._last_new:  # it stays: from now on it is in front
            self._describe(everything)
            fresh = self._fresh(choices)
        self._last_new = told = _told(fresh)
        later = shorten(told, DESCRIBED // 2)
        parts = [
            self._front,
            *(f"- {line}" for line in self.lines if line),
            later,
            task,
            answer_form(choices, fresh if self._all(choices) else None),
        ]
        return (
            Message(
                "system",
                f"You are {self.name}, and you play {self.game} to win. Answer in JSON, on one line.",
            ),
            Message("user", "\n".join(part for part in parts if part)),
        )

    def _fresh(self, choices: Sequence[Shape]) -> list[Shape]:
        """Those that are not described in front."""
        return [shape for shape in choices if _described(shape) not in self._described]

    def _all(self, choices: Sequence[Shape]) -> bool:
        """Whether she may choose whatever is described in front: a list of names would say nothing new."""
        if len(choices) <= MANY or not self._whole:
            return False
        return self._described <= {_described(shape) for shape in choices}

    def _describe(self, everything: Iterable[Shape]) -> None:
        texts = [_described(shape) for shape in everything]
        self._described = frozenset(texts)  # those that find no room are known by their names
        while sum(map(len, texts)) > DESCRIBED:
            texts.pop()
        self._whole = len(texts) == len(self._described)
        before = f"Before: {self.summary}" if self.summary else ""
        self._front = "\n".join(part for part in ("You can do:", *texts, before, "What happened:") if part)


def task(state: str, query: str, complaints: Sequence[str] = ()) -> str:
    """What she has to decide now."""
    parts = [shorten(state, STATE), shorten(query, QUERY), *(f"That failed: {each}" for each in complaints)]
    return "\n".join(part for part in parts if part)


def answer_form(choices: Sequence[Shape], beside: Sequence[Shape] | None = None) -> str:
    """What the answer has to look like. On one line, a small model needs half the tokens. `beside`: what may
    be chosen beside all that "You can do"; None: each is named."""
    if len(choices) == 1:
        fields = ", ".join(f"{json.dumps(key)}: ..." for key in choices[0].constraint["properties"])
        return f"You do: {choices[0].name}. Answer with its parameters only: {{{shorten(fields, NAMES)}}}"
    names = shorten(", ".join(shape.name for shape in (choices if beside is None else beside)), NAMES)
    one = (
        f"one of: {names}"
        if beside is None
        else ", or ".join(filter(None, ["one thing that you can do", names]))
    )
    return f'Choose {one}. Answer: {{"action": ..., "data": ...}}'


def _told(shapes: Sequence[Shape]) -> str:
    """What there is to say of them beyond their names."""
    return "\n".join(_described(shape) for shape in shapes if shape.description or not shape.bare)


def _described(shape: Shape) -> str:
    return f"- {shorten(shape.signature, 400)}: {shape.description}"
