"""The truth: every entry, every raw line beside them, and who comes how often. The index is made from it."""

from __future__ import annotations

import dataclasses
import json
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from glue.errors import Refused
from glue.memory.bonds import Bonds
from glue.memory.entry import Entry, Kind, WrongEntry, dump, ends, load, repeats
from glue.memory.file import BREATH, LineFile
from glue.memory.notes import Exchange
from glue.memory.traces import Forget, Traces

log = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST = 2000  # characters of a raw line that are kept
FILES = ("entries.jsonl", "lines.jsonl", "viewers.jsonl", "waiting.jsonl")
SPARE = 1000  # lines of merged entries before the file is written again
MOST = 64 << 20  # bytes of raw lines at a start, 400,000 of them; beyond it the newer half stays
MERGED = b'{"merged"'
Waiting = tuple[str, Exchange]  # a character, and what she is to learn from
_EXCHANGE = TypeAdapter(Exchange)


class Store:
    """Entries by id, newest version. One task changes entries; forget...() may run in a thread meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError: locked, another version's, not to be written."""
        with ExitStack() as stack:  # one that cannot be opened leaves none open
            opened = [stack.enter_context(closing(LineFile(folder / name))) for name in FILES]
            stack.pop_all()
        self._file, self._raw, viewers, self._waiting = opened
        self.bonds = Bonds(viewers)
        self.entries: dict[str, Entry] = {}
        self.fixed: set[str] = set()  # of the cast, whose facts are known
        self._of: dict[str, dict[str, None]] = {}  # a viewer's entries
        self._keys: dict[str, set[str]] = {}  # of the viewers who are called so
        self._from: dict[str, dict[str, None]] = {}  # what was learnt from a line
        self._merged: set[str] = set()  # ids that are in the file, and known no more
        self._struck: set[str] = set()  # lines that are gone, with what was learnt from them still there
        self.damaged = 0  # lines that are no entries; they stay in the file
        self._read()
        if self.damaged:
            log.warning("lines of the memory file that cannot be read: %d", self.damaged)
        if len(self._merged) > SPARE:
            with suppress(Refused):  # no room: it stays as long as it is
                self._strike(set())
        if self._raw.size > MOST:
            with suppress(Refused):
                self._shorten(MOST // 2)

    def _read(self) -> None:
        for line in self._file.read():
            if line.startswith(MERGED):
                self._merged.add(str(_id(line)))
                self._unknow([str(_id(line))])
                continue
            try:
                self._know(load(line))
            except WrongEntry:
                self.damaged += 1

    def _shorten(self, left: int) -> None:
        """Keep the newest raw lines, so many bytes of them, and those that an entry was learnt from: it is
        forgotten with them. Raises Refused."""
        old = self._raw.size - left

        def stays(line: bytes) -> bool:
            nonlocal old
            old -= len(line)
            return old < 0 or bool(self._from.get(str(_id(line))))

        self._raw.keep(stays)

    def learn(self, new: Entry, now: float) -> list[Entry]:
        """Add an entry; what it contradicts ends `now`, a repetition adds nothing. Returns what changed.
        Raises Refused (no room)."""
        known = self.about(new.viewer)
        changed = [
            dataclasses.replace(old, ended=max(now, old.at, 1.0))  # 0 means that it holds: a clock may be off
            for old in known
            if ends(new, old)
        ]
        if not changed and any(repeats(new, old) for old in known):
            return []
        for entry in (*changed, new):
            self.put(entry)
        return [*changed, new]

    def merge(self, new: Entry, alike: Collection[str]) -> bool:
        """An entry that was learnt goes again where an older one says the same; how often chat laughed at it
        is added up. `alike`: those that mean the same, by their vectors. Raises Refused (no room)."""
        olds = (each for each in self.about(new.viewer) if each.id != new.id and _alike(new, each, alike))
        if (old := next(olds, None)) is None:
            return False
        if new.count:
            self.put(dataclasses.replace(old, count=old.count + new.count, at=max(old.at, new.at)))
        self._file.append(json.dumps({"merged": True, "id": new.id}))
        self._merged.add(new.id)
        self._unknow([new.id])
        return True

    def about(self, viewer: str) -> list[Entry]:
        """The entries about a viewer, or about nobody."""
        return [self.entries[id] for id in self._of.get(viewer.casefold(), {}) if id in self.entries]

    def fix(self, who: str, facts: Iterable[Entry]) -> None:
        """What is true of `who` of the cast, by her persona: known, and in no file, so that nothing that is
        said can change it."""
        self.fixed.add(who)
        for entry in facts:
            self._know(entry)

    def put(self, entry: Entry) -> None:
        """Write an entry as it is. Raises Refused."""
        self._file.append(dump(entry))
        self._know(entry)

    def _know(self, entry: Entry) -> None:
        old = self.entries.get(entry.id)
        if old is not None and old.viewer != entry.viewer:
            self._of.get(old.viewer.casefold(), {}).pop(entry.id, None)
        self.entries[entry.id] = entry
        if _fixed(entry):
            return  # nobody is forgotten with it
        self._of.setdefault(entry.viewer.casefold(), {})[entry.id] = None
        self._keys.setdefault(entry.called.casefold(), set()).add(entry.viewer)
        for line in entry.lines:
            self._from.setdefault(line, {})[entry.id] = None

    def heard(self, id: str, author: str, text: str, at: float, viewer: str = "") -> None:
        """Keep a raw line; `viewer`: the author's key, where that is no name. Raises Refused."""
        line: dict[str, object] = {"id": id, "author": author[:100], "text": text[:LONGEST], "at": at}
        line |= {"viewer": viewer} if viewer and viewer != author else {}
        self._raw.append(json.dumps(line, ensure_ascii=False))

    def waiting(self) -> list[Waiting]:
        """What was kept of exchanges that are to be learnt from."""
        found: list[Waiting] = []
        for line in self._waiting.read():
            with suppress(ValueError, KeyError, TypeError, RecursionError, ValidationError):
                said = json.loads(line)
                found.append((str(said.pop("who")), _EXCHANGE.validate_python(said)))
        return found

    def wait(self, exchanges: Iterable[Waiting]) -> None:
        """Keep these, and no others. Raises Refused."""
        rows = [
            {"who": who}
            | dataclasses.asdict(each)
            | {"text": each.text[:LONGEST], "heard": each.heard[:LONGEST]}
            for who, each in exchanges
        ]
        self._waiting.rewrite(json.dumps(row, ensure_ascii=False) for row in rows)

    def hide(self, what: Forget) -> dict[str, Entry]:
        """Out of what is known, at once: what was learnt from these lines, all that is about these viewers,
        and these entries. The files still hold it until forget() was called with what is returned."""
        ids = {id for source in what.lines for id in self._from.get(source, {})} | what.entries
        gone = {id: self.entries[id] for id in ids if id in self.entries and not _fixed(self.entries[id])}
        called = (self._keys.get(viewer.casefold(), set()) for viewer in what.viewers)
        for viewer in what.keys.union(*called):
            gone |= {entry.id: entry for entry in self.about(viewer)}
        for viewer in {key for _, key in what.banned}:
            theirs = (e for e in self.about(viewer) if any(what.bans(e.viewer, line) for line in e.lines))
            gone |= {entry.id: entry for entry in theirs}
        self.bonds.hide(what.keys, what.viewers)
        self._unknow(gone)
        return gone

    def forget(self, what: Forget) -> tuple[dict[str, Entry], set[str], Traces]:
        """Leave no trace of it in the files: another viewer's line goes where it names one of these viewers,
        and what was learnt from it with it.

        Returns the entries that were known until now, the lines that went, and who is named where. Raises
        Refused."""
        traces = Traces(what, (_said(line)[2] for line in _gently(self._raw.read())))
        lines = self._struck  # an attempt before this one may have come as far as that
        lines |= what.lines

        def stays(line: bytes) -> bool:
            id, said = str(_id(line)), _said(line)
            if id not in what.lines and not what.bans(said[0], id) and not traces.in_line(*said):
                return True
            lines.add(id)
            return False

        if what.keys or what.banned:
            self._raw.keep(stays)
        elif what.lines:  # a moderator removes one after the other, and nobody's words are looked for
            self._raw.strike(what.lines)
        if what.lines or what.keys or what.banned:
            self._waiting.keep(lambda line: _id(line) not in lines and not traces.in_line(*_said(line)))
        gone = {
            entry.id: entry
            for entry in _gently(self.entries.values())
            if not _fixed(entry)
            and (not lines.isdisjoint(entry.lines) or entry.id in what.entries or traces.in_entry(entry))
        }
        self._strike({*gone, *what.entries})
        self._unknow(gone)
        if what.keys:
            self.bonds.forget(what.keys, what.viewers)
        self._struck = set()
        return gone, lines, traces

    def _unknow(self, gone: Iterable[str]) -> None:
        for id in gone:
            entry = self.entries.pop(id, None)
            if entry is not None:
                self._of.get(entry.viewer.casefold(), {}).pop(id, None)
                for line in entry.lines:
                    self._from.get(line, {}).pop(id, None)

    def _strike(self, gone: set[str]) -> None:
        merged = set(self._merged)
        if struck := gone | merged:
            self._file.keep(lambda line: _id(line) not in struck)
            self._merged -= merged

    def sync(self) -> None:
        """See that all of it is on the disk. Raises Refused."""
        self._file.sync()
        self._raw.sync()
        self.bonds.sync()

    def close(self) -> None:
        """Put it on the disk and let go of it."""
        with ExitStack() as stack:  # each of them, whatever becomes of the others
            for part in (self._waiting, self.bonds, self._raw, self._file):
                stack.callback(part.close)


def _gently(things: Iterable[T]) -> Iterator[T]:
    """All of a long row as it is now; the interpreter is the show's, too."""
    for number, each in enumerate(things if isinstance(things, Iterator) else list(things), 1):
        yield each
        if number % BREATH == 0:
            time.sleep(0.001)


def _fixed(entry: Entry) -> bool:
    return entry.kind is Kind.SELF


def _alike(new: Entry, old: Entry, alike: Collection[str]) -> bool:
    topics = {new.topic, old.topic}
    return old.id in alike and not old.ended and (len(topics) == 1 or "other" in topics)


def _id(line: bytes) -> object:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said.get("id") if isinstance(said, dict) else None


def _said(line: bytes) -> tuple[str, str, str]:
    """Whose a line is, what they are called, and its words, to find a name in."""
    try:
        said = json.loads(line)
        author = str(said["author"])
        return str(said.get("viewer") or author), author, f"{said['text']} {said.get('heard', '')}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", "", line.decode("utf-8", "replace")
