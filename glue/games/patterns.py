"""How long a game's pattern may take to match. Pure.

Python's matcher tries every way in which a text may be shared out among the pieces of a pattern, and nothing
can stop it meanwhile: not a time-out, nor another thread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import comb

# A pattern, piece by piece: comments, what is escaped, classes, groups, and how often something may come.
PIECE = re.compile(
    r"(?P<comment>\(\?#[^)]*\))|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\()\??|(?P<close>\))|(?P<either>\|)"
    r"|(?P<often>[*+?]|\{\d*(?:,\d*)?\})[?+]?|.",
    re.DOTALL,
)
VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")  # in which a "#" hides the rest of the line
ANCHORED = ("^", "\\A")  # any other pattern may begin anywhere in the text
WIDE = 16  # ways of one piece; more of them are counted as however many the text has letters for


@dataclass(frozen=True, slots=True)
class Ways:
    """At most, of a part of a pattern. `wide`: pieces that may be as long as the text; `few`: the ways of all
    the others together."""

    wide: int = 0
    few: int = 1

    def among(self, letters: int) -> int:
        """To share out a text so long."""
        return comb(letters + self.wide, self.wide) * self.few


@lru_cache(256)
def ways(pattern: str) -> Ways | None:
    """Of a pattern that re.compile takes. None where a group is repeated that may match the same text in more
    ways than one: they multiply with every letter."""
    if VERBOSE.search(pattern):
        return None
    groups = [_Group()]  # those that are open
    starts = pattern.startswith(ANCHORED)
    for piece in PIECE.finditer(pattern):
        if piece["open"]:
            groups.append(_Group())
        elif piece["close"]:
            ended = groups.pop().ended()
            groups[-1].goes_on(ended)
        elif piece["either"]:
            groups[-1].either()
            starts &= len(groups) > 1
        elif piece["often"] and not groups[-1].again(piece["often"]):
            return None
        elif not piece["often"] and not piece["comment"]:
            groups[-1].goes_on(Ways())
    if not starts:
        groups[0].anywhere()
    return groups[0].ended()


class _Group:
    """The ways of its alternatives so far, of the one that is being read, and of that one's last piece."""

    def __init__(self) -> None:
        self._others, self._ways, self._last = Ways(0, 0), Ways(), Ways()

    def goes_on(self, piece: Ways) -> None:
        """With something that has so many ways."""
        self._ways = Ways(self._ways.wide + piece.wide, self._ways.few * piece.few)
        self._last = piece

    def again(self, often: str) -> bool:
        """Its last piece may come so often; False where its ways would multiply."""
        if self._last != Ways() and often != "?":
            return False
        if not self._last.wide:  # what is wide has ways enough for none of it
            self.goes_on(_repeated(often))
            self._last = Ways()
        return True

    def either(self) -> None:
        """Another alternative begins."""
        self._others, self._ways = self.ended(), Ways()

    def ended(self) -> Ways:
        """As one piece of what it stands in."""
        return Ways(max(self._others.wide, self._ways.wide), self._others.few + self._ways.few)

    def anywhere(self) -> None:
        """Each of its alternatives may begin at any letter."""
        self._others = Ways(self._others.wide + 1, self._others.few)
        self._ways = Ways(self._ways.wide + 1, self._ways.few)


def _repeated(often: str) -> Ways:
    """Something that has one way by itself, and comes so often: {3} is so many, and no more."""
    if often == "?":
        return Ways(0, 2)
    least, comma, most = often[1:-1].partition(",")
    if often not in "*+" and (not comma or most):
        few = int(most or least or 1) - int(least or 0) + 1 if comma else 1
        if few <= WIDE:
            return Ways(0, few)
    return Ways(1, 1)
