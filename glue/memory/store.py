"""The truth: every entry, every raw line beside them, and who comes how often. The index is made from it."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from glue.memory.bonds import Bonds
from glue.memory.entry import Entry, WrongEntry, dump, ends, load, repeats
from glue.memory.file import BREATH, LineFile
from glue.memory.whose import theirs

log = logging.getLogger(__name__)
T = TypeVar("T")
COMMON, FEW = 0.05, 40  # a name in more than this share of at least so many lines is a word, too
LONGEST = 2000  # characters of a raw line that are kept
FILES = ("entries.jsonl", "lines.jsonl", "viewers.jsonl")


class Store:
    """Entries by id, newest version. One task changes entries; forget...() may run in a thread meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError: locked, another version's, not to be written."""
        opened: list[LineFile] = []
        try:
            for name in FILES:
                opened.append(LineFile(folder / name))
        except BaseException:
            for file in opened:
                file.close()
            raise
        self._file, self._raw, viewers = opened
        self.bonds = Bonds(viewers)
        self.entries: dict[str, Entry] = {}
        self._of: dict[str, dict[str, None]] = {}  # a viewer's entries
        self._keys: dict[str, set[str]] = {}  # of the viewers who are called so
        self._from: dict[str, dict[str, None]] = {}  # what was learnt from a line
        self.damaged = 0  # lines that are no entries; they stay in the file
        for line in self._file.read():
            try:
                self._know(load(line))
            except WrongEntry:
                self.damaged += 1
        if self.damaged:
            log.warning("lines of the memory file that cannot be read: %d", self.damaged)

    def learn(self, new: Entry, now: float, alike: Collection[str] = ()) -> list[Entry]:
        """Add an entry; what it contradicts ends `now`, a repetition adds nothing. Returns what changed.

        `alike`: entries that mean the same, by their vectors. Raises Refused (no room)."""
        known = self.about(new.viewer)
        changed = [
            dataclasses.replace(old, ended=max(now, old.at, 1.0))  # 0 means that it holds: a clock may be off
            for old in known
            if ends(new, old)
        ]
        if not changed and any(repeats(new, old) or _alike(new, old, alike) for old in known):
            return []
        for entry in (*changed, new):
            self.put(entry)
        return [*changed, new]

    def about(self, viewer: str) -> list[Entry]:
        """The entries about a viewer, or about nobody."""
        return [self.entries[id] for id in self._of.get(viewer.casefold(), {}) if id in self.entries]

    def put(self, entry: Entry) -> None:
        """Write an entry as it is. Raises Refused."""
        self._file.append(dump(entry))
        self._know(entry)

    def _know(self, entry: Entry) -> None:
        old = self.entries.get(entry.id)
        if old is not None and old.viewer != entry.viewer:
            self._of.get(old.viewer.casefold(), {}).pop(entry.id, None)
        self.entries[entry.id] = entry
        self._of.setdefault(entry.viewer.casefold(), {})[entry.id] = None
        self._keys.setdefault(entry.called.casefold(), set()).add(entry.viewer)
        if entry.source:
            self._from.setdefault(entry.source, {})[entry.id] = None

    def heard(self, id: str, author: str, text: str, at: float, viewer: str = "") -> None:
        """Keep a raw line; `viewer`: the author's key, where that is no name. Raises Refused."""
        line: dict[str, object] = {"id": id, "author": author[:100], "text": text[:LONGEST], "at": at}
        line |= {"viewer": viewer} if viewer and viewer != author else {}
        self._raw.append(json.dumps(line, ensure_ascii=False))

    def hide(
        self, ids: Iterable[str], viewer: str = "", entries: Iterable[str] = (), name: str = ""
    ) -> dict[str, Entry]:
        """Out of what is known, at once: what was learnt from these lines, all that is about this viewer, and
        these entries. The files still hold it until forget() was called with what is returned."""
        keys = {viewer} | (set() if name else self._keys.get(viewer.casefold(), set())) if viewer else set()
        gone = {entry.id: entry for key in keys for entry in self.about(key)}
        gone |= {id: self.entries[id] for id in entries if id in self.entries}
        for source in ids:
            gone |= {id: self.entries[id] for id in self._from.get(source, {}) if id in self.entries}
        self._unknow(gone)
        return gone

    def forget(
        self, ids: Iterable[str], viewer: str, hidden: Collection[str] = (), name: str = ""
    ) -> dict[str, Entry]:
        """Leave no trace in the files of these lines, of what was learnt from them, and of this viewer.

        Who is called "the", or as she is, takes only their own along: a name that many lines have in them is
        a word; and nobody takes along what is another's of the same name. Returns the entries that were known
        until now. Raises Refused."""
        lines, about = set(ids), self._about(viewer, name) if viewer else _nobody
        self._raw.keep(lambda line: _id(line) not in lines and not about(*_told(line)))
        gone = {
            entry.id: entry
            for entry in _gently(self.entries.values())
            if entry.source in lines or about(entry.viewer, entry.called, entry.text)
        }
        self._unknow(gone)
        if viewer:
            self.bonds.forget(viewer, name)
        self._strike({*gone, *hidden})
        return gone

    def _about(self, viewer: str, name: str) -> Callable[[str, str, str], bool]:
        """Whether a text of somebody with a key and a name has to go with this viewer."""
        own, called = theirs(viewer, name), (name or viewer).casefold()
        named = re.compile(rf"(?<!\w){re.escape(called)}(?!\w)")
        lines = with_it = 0
        for line in _gently(self._raw.read()):
            lines += 1
            with_it += bool(named.search(_told(line)[2].casefold()))
        word = lines >= FEW and with_it > COMMON * lines

        def about(key: str, author: str, text: str) -> bool:
            if own(key, author):
                return True
            return not word and author.casefold() != called and bool(named.search(text.casefold()))

        return about

    def forget_entries(self, ids: Iterable[str]) -> dict[str, Entry]:
        """Leave no trace of these entries. Raises Refused."""
        gone = {id: self.entries[id] for id in ids if id in self.entries}
        self._unknow(gone)
        self._strike(set(gone))
        return gone

    def _unknow(self, gone: Iterable[str]) -> None:
        for id in gone:
            entry = self.entries.pop(id, None)
            if entry is not None:
                self._of.get(entry.viewer.casefold(), {}).pop(id, None)
                self._from.get(entry.source, {}).pop(id, None)

    def _strike(self, gone: Collection[str]) -> None:
        if gone:
            self._file.keep(lambda line: _id(line) not in gone)

    def sync(self) -> None:
        """See that all of it is on the disk. Raises Refused."""
        self._file.sync()
        self._raw.sync()
        self.bonds.sync()

    def close(self) -> None:
        """Put it on the disk and let go of it."""
        try:
            self._file.close()
        finally:
            try:
                self._raw.close()
            finally:
                self.bonds.close()


def _gently(things: Iterable[T]) -> Iterator[T]:
    """All of a long row as it is now; the interpreter is the show's, too."""
    for number, each in enumerate(things if isinstance(things, Iterator) else list(things), 1):
        yield each
        if number % BREATH == 0:
            time.sleep(0.001)


def _alike(new: Entry, old: Entry, alike: Collection[str]) -> bool:
    topics = {new.topic, old.topic}
    return old.id in alike and not old.ended and (len(topics) == 1 or "other" in topics)


def _nobody(key: str, author: str, text: str) -> bool:
    return False


def _id(line: bytes) -> object:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said.get("id") if isinstance(said, dict) else None


def _told(line: bytes) -> tuple[str, str, str]:
    """A raw line's viewer, author and words, to find a name in."""
    try:
        said = json.loads(line)
        return str(said.get("viewer", said["author"])), str(said["author"]), str(said["text"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", "", line.decode("utf-8", "replace")
