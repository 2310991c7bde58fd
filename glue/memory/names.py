"""Whom a text names: whole words in any capitals, at a cost that does not grow with the names known."""

from __future__ import annotations

import re

WORD = re.compile(r"\w+")
LONGEST = 5  # words of a name that are looked at


def plain(text: str) -> str:
    """A text's words, in small letters."""
    return " ".join(WORD.findall(text.casefold()))


class Names:
    """Names of viewers; beyond `most` the one that was met longest ago is let go."""

    def __init__(self, *names: str, most: int = 20_000) -> None:
        self._known: dict[str, None] = {}
        self._most = most
        self._longest = 1  # words of one
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """This viewer is here."""
        if key := _key(name):
            self._known.pop(key, None)
            self._known[key] = None
            self._longest = max(self._longest, key.count(" ") + 1)
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]

    def discard(self, name: str) -> None:
        """This one is not to be known."""
        self._known.pop(_key(name), None)

    def are_in(self, text: str, but: str = "") -> bool:
        """Whether a text names one of them, other than `but`. May be asked in another thread."""
        words, own = plain(text).split(), _key(but)
        return any(
            (name := " ".join(words[start : start + length])) in self._known and name != own
            for start in range(len(words))
            for length in range(1, self._longest + 1)
        )


def _key(name: str) -> str:
    return " ".join(WORD.findall(name.casefold())[:LONGEST])


NOBODY = Names()
