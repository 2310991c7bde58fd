"""What is to be forgotten, and where it left a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from glue.memory.entry import Entry
from glue.memory.names import plain
from glue.memory.rules import chosen, taken

COMMON, FEW = 0.05, 40  # a name in more than this share of at least so many lines is a word, too


@dataclass(frozen=True, slots=True)
class Forget:
    """Raw lines and what was learnt from them, all about these viewers, and these entries."""

    lines: frozenset[str] = frozenset()
    viewers: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()

    def __or__(self, other: Forget) -> Forget:
        return Forget(self.lines | other.lines, self.viewers | other.viewers, self.entries | other.entries)


class Traces:
    """Who is named where. Who is called "the", or as she is, takes only their own along: a name that many
    lines have in them is a word. Nor is anybody named by the words of our own patterns and sentences: who is
    called "love" would take along what everybody loves."""

    def __init__(self, viewers: Iterable[str], said: Iterable[str]) -> None:
        """`said`: all that was ever said."""
        self._own = {viewer.casefold() for viewer in viewers if viewer}
        named = {name: re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in self._own}
        counts, lines = dict.fromkeys(named, 0), 0
        for text in said if named else ():
            lines, folded = lines + 1, text.casefold()
            for name, pattern in named.items():
                counts[name] += bool(pattern.search(folded))
        words = {name for name, count in counts.items() if lines >= FEW and count > COMMON * lines}
        self._named = {name: pattern for name, pattern in named.items() if name not in words}

    def in_line(self, author: str, text: str) -> bool:
        """Whether a line is theirs, or names one of them."""
        if author.casefold() in self._own:
            return True
        found = self._in(text)
        return bool(found) and _any(found, chosen(text))

    def in_entry(self, entry: Entry) -> bool:
        """Whether an entry is about one of them, or names one."""
        if entry.viewer.casefold() in self._own:
            return True
        found = self._in(entry.text)
        return bool(found) and _any(found, taken(entry.text, entry.viewer))

    def _in(self, text: str) -> list[str]:
        folded = text.casefold()
        return [name for name, pattern in self._named.items() if pattern.search(folded)]


def _any(names: Iterable[str], text: str) -> bool:
    words = f" {plain(text)} "
    return any(f" {key} " in words if (key := plain(name)) else True for name in names)
