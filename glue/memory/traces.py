"""What is to be forgotten, and where it left a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from glue.memory.entry import Entry
from glue.memory.names import plain
from glue.memory.rules import chosen, taken
from glue.memory.whose import among

COMMON, FEW = 0.05, 40  # a name in more than this share of at least so many lines is a word, too


@dataclass(frozen=True, slots=True)
class Forget:
    """Raw lines and what was learnt from them, all about these viewers, and these entries. `viewers` are as a
    person calls them (a key, or all who have that name); of `authors` both the key and the name are known.
    `banned`: a show (how its lines' ids begin, colon and all), and the key of whom all its lines go."""

    lines: frozenset[str] = frozenset()
    viewers: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    authors: frozenset[tuple[str, str]] = frozenset()
    banned: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Forget) -> Forget:
        lines, viewers = self.lines | other.lines, self.viewers | other.viewers
        entries, authors = self.entries | other.entries, self.authors | other.authors
        return Forget(lines, viewers, entries, authors, self.banned | other.banned)

    def bans(self, viewer: str, id: str) -> bool:
        """Whether this viewer's line is of a show in which all of theirs go."""
        return (f"{id.partition(':')[0]}:", viewer) in self.banned

    @property
    def keys(self) -> frozenset[str]:
        """Of all these viewers."""
        return self.viewers | {key for key, _ in self.authors}


class Traces:
    """Who is named where. Who is called "the", or as she is, takes only their own along: a name that many
    lines have in them is a word. Nor is anybody named by the words of our own patterns and sentences: who is
    called "love" would take along what everybody loves. Nor does anybody take along what another of the same
    name said of themselves."""

    def __init__(self, what: Forget, said: Iterable[str]) -> None:
        """`said`: all that was ever said."""
        self._own = among(what.keys, what.viewers)
        names = {name.casefold() for name in what.viewers | {name for _, name in what.authors} if name}
        named = {name: re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in names}
        counts, lines = dict.fromkeys(named, 0), 0
        for text in said if named else ():
            lines, folded = lines + 1, text.casefold()
            for name, pattern in named.items():
                counts[name] += bool(pattern.search(folded))
        words = {name for name, count in counts.items() if lines >= FEW and count > COMMON * lines}
        self._named = {name: pattern for name, pattern in named.items() if name not in words}

    def in_line(self, viewer: str, author: str, text: str) -> bool:
        """Whether a line of this viewer, called `author`, is theirs, or names one of them."""
        if self._own(viewer, author):
            return True
        found = self._in(text, author)
        return bool(found) and _any(found, chosen(text))

    def in_entry(self, entry: Entry) -> bool:
        """Whether an entry is about one of them, or names one."""
        if self._own(entry.viewer, entry.called):
            return True
        found = self._in(entry.text, entry.called)
        return bool(found) and _any(found, taken(entry.text, entry.called))

    def _in(self, text: str, author: str) -> list[str]:
        folded, own = text.casefold(), author.casefold()
        return [name for name, pattern in self._named.items() if name != own and pattern.search(folded)]


def _any(names: Iterable[str], text: str) -> bool:
    words = f" {plain(text)} "
    return any(f" {key} " in words if (key := plain(name)) else True for name in names)
