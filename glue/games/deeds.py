"""What she did in one game, and what came of it: what a viewer asks for in the past tense. Pure."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from glue.games.messages import Context, Result
from glue.games.person import first_person, in_words
from glue.games.text import beginning, line

KEPT = 200
MOST = 120  # characters of one, as she says it
UNHEARD = "no answer came in time"  # the message of a result that the game did not give
PAST = {
    "build": "built", "come": "came", "dig": "dug", "do": "did", "eat": "ate", "fight": "fought",
    "flee": "fled", "get": "got", "go": "went", "make": "made", "put": "put", "run": "ran", "set": "set",
    "sleep": "slept", "take": "took", "throw": "threw",
}  # fmt: skip


class Came(StrEnum):
    """How it stands with a deed."""

    BEGUN = "begun"  # its outcome is told later
    DONE = "done"
    FAILED = "failed"
    BEFELL = "befell"  # not hers: it happened to her


@dataclass(slots=True)
class Deed:
    """`verb` and `things` as words of the game's; `told` is the game's word on it, as it came."""

    id: str
    verb: str
    things: str
    came: Came
    told: str

    @property
    def said(self) -> str:
        """As she tells it."""
        told = line(first_person(self.told), 2 * MOST)
        what = " ".join(filter(None, [self.verb, self.things]))
        match self.came:
            case Came.BEFELL:
                said = told
            case Came.BEGUN:
                said = f"I am still at it: {what}."
            case Came.DONE:
                said = f"I {' '.join(filter(None, [_past(self.verb), self.things]))}. {told}"
            case Came.FAILED:
                said = f"I tried to {what}. {told or 'It failed.'}"
        return beginning(said.strip(), MOST)


@dataclass(slots=True)
class Deeds:
    """The newest ones of one game."""

    last: str = ""  # what happened, as the game told it
    whole: bool = True  # none was forgotten: what is not here was not done
    _kept: deque[Deed] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Deed]:
        """The newest first."""
        return reversed(self._kept)

    def judged(self, said: str, result: Result, later: bool) -> str:
        """An action was judged; returns that as a sentence. `later`: a game that only says yes tells in a
        context what came of it. What was merely looked at is no deed."""
        if not (result.success and result.silent):
            verb, things = _parted(said)
            self._keep(Deed(result.id, verb, things, _came(result, later), result.message))
        failed = "" if result.success else "It failed. "
        self.last = f"You did {said}. {failed}{result.message}".strip()
        return self.last

    def late(self, result: Result, later: bool) -> None:
        """An action was judged after its time: unless the game has told more of it by now, that is true."""
        for deed in [each for each in self._kept if each.id == result.id and each.told == UNHEARD]:
            deed.came, deed.told = _came(result, later), result.message
            if result.success and result.silent:
                self._kept.remove(deed)
        self.last = result.message if self.last.endswith(UNHEARD) else self.last

    def told(self, context: Context) -> None:
        """The game tells something: the outcome of what she began, or what befell her."""
        self.last = context.message or self.last
        text = context.said or context.message
        if not context.of:
            if text and not context.silent:
                self._keep(Deed("", "", "", Came.BEFELL, text))
            return
        for deed in self._kept:
            if deed.id == context.of:  # it may have been given up for lost: the game knows better
                deed.came, deed.told = (Came.DONE if context.success else Came.FAILED), text

    def broken_off(self) -> None:
        """The game began anew: most likely nobody will tell what came of what was begun."""
        for deed in self._kept:
            if deed.came is Came.BEGUN:
                deed.came, deed.told = Came.FAILED, "It was broken off."

    def _keep(self, deed: Deed) -> None:
        self._kept.append(deed)
        if len(self._kept) > KEPT:
            self._kept.popleft()
            self.whole = False


def _came(result: Result, later: bool) -> Came:
    if not result.success:
        return Came.FAILED
    return Came.BEGUN if later and not result.message else Came.DONE


def _past(verb: str) -> str:
    return PAST.get(verb) or (f"{verb}d" if verb.endswith("e") else f"{verb}ed")


def _parted(said: str) -> tuple[str, str]:
    """`collect {"item": "log", "count": 3}` as its verb and its things: "collect", "3 log"."""
    name, _, data = said.partition(" ")
    verb, *more = name.replace("_", " ").split() or [name]
    try:
        given = json.loads(data) if data else {}
    except ValueError:  # so long that it was cut
        return verb, in_words(" ".join([*more, data]))
    values = [*given.values()] if isinstance(given, dict) else [given]
    values.sort(key=lambda value: isinstance(value, str) or bool(more))  # "3 log", but "hole 3"
    return verb, in_words(" ".join([*more, *(str(value) for value in values)]))
