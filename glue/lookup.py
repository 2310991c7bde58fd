"""The journal, searchable while it is written: words -> lines, by their place in the file.

Nothing of it is on the way of a word: a task of its own reads what was appended, in small slices. A search
looks words up (the last one may be the beginning of one), and reads only the lines that it tells.
"""

from __future__ import annotations

import json
import logging
from array import array
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
from numpy.typing import NDArray

from glue.indexed import LONGEST, WORD, Author, Record, authors, keys, parsed, words
from glue.ports import Whose
from glue.redacted import TELLING, Traces
from glue.unfinished import NAME, Late, leave, left

log = logging.getLogger(__name__)

SLICE = 50  # lines that are read at a time: about a millisecond
PAUSE = 0.002  # seconds between two slices of what is to be forgotten: a troll wishes that often
CLOSING = 5.0  # seconds for the last wishes when the show ends
EVERY = 0.5  # seconds between two looks at the file
SILENT = frozenset(
    "StageReached TurnMeasured TurnRecalled VitalsTaken TurnAsked ClauseVoiced OperatorAsked GameChanged"
    " LookupsTimed".split()
)
LOOKED = frozenset({"find", "open", "look"})  # what a terminal was told; it would be found again


class Lookup:
    """The index of one journal; grows by 95 bytes an event (100,000 of 10,000 replies), and by 315 a line of
    chat that nobody answers (100,000, of 3,000 viewers)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = array("Q")  # where each line begins
        self._lines: dict[str, array[int]] = {}  # word -> numbers of the lines that hold it, rising
        self._turns: dict[str, array[int]] = {}  # reply, or "line ..." -> likewise
        self._authors: dict[Author, array[int]] = {}  # whose lines are in which, likewise
        self._telling = array("I")  # numbers of the lines that may give away anybody, see TELLING
        self._told = array("I")  # numbers of the lines that people may want to see
        self._vocabulary: list[str] = []  # sorted, but for what came since the last search
        self._fresh: list[str] = []
        self._end = 0
        self._failed = False  # to write over what is to be forgotten
        self._unwanted: list[tuple[Collection[str], Whose | None]] = []
        self._begun: Late | None = None  # of what goes now: a second try must know the words that are gone
        self._late: list[Late] = []
        self._torn = array("I")  # numbers of lines that are no record
        self._open: set[str] = set()  # replies in work
        self._pause = PAUSE

    def __len__(self) -> int:
        return len(self._places)

    async def keep(self) -> None:
        """Read on for ever; what was wished last is done at the end."""
        try:
            while True:
                while self.read_on():
                    await anyio.lowlevel.checkpoint()
                await self.blank()
                await anyio.sleep(EVERY)
        finally:
            self._pause = 0.0  # nobody hears a hole any more
            with anyio.move_on_after(CLOSING, shield=True):
                while self.read_on():
                    await anyio.lowlevel.checkpoint()
                self._open.clear()
                await self.blank()  # what was begun before
                await self.blank()
            if self._unwanted or self._late:
                self._leave()

    def _leave(self) -> None:
        """There was no time for all wishes, or the disk would not have it."""
        begun = [self._begun] if self._begun else []
        ids, whose = self._wanted()
        due = [*(each.traces for each in (*begun, *self._late)), Traces(ids, whose)]
        leave(self._path, due, self._authors)

    async def finish(self) -> bool:
        """Carry out what _leave() wrote down; whether nothing is left of it. Raises OSError, Damaged."""
        while self.read_on():
            pass
        self._pause = 0.0
        for traces in left(self._path):
            self._begun = Late(traces, 0, set(), 0, len(self._torn))
            await self.blank()
            if self._begun:
                return False
        self._path.with_name(NAME).unlink()
        return True

    def forget(self, ids: Collection[str], whose: Whose | None) -> None:
        """These lines, and all that are `whose()`, are to leave the journal: blank() does it."""
        self._unwanted.append((ids, whose))

    async def blank(self) -> None:
        """Write over what the journal holds of what is to be forgotten, see Traces: each line keeps its place
        and its length. Only what may be meant is read, a slice at a time."""
        due = [each for each in self._late if each.during.isdisjoint(self._open)]
        new = self._begun = self._begun or self._begin()
        if not due and not new:
            return
        try:
            with self._path.open("r+b", buffering=0) as file:
                for each in [*due, *([new] if new else [])]:
                    await self._clean(file, each.traces, each.start)
        except OSError as error:
            if not self._failed:
                log.error("the journal holds what is to be forgotten (%s); it is tried on", error.strerror)
            self._failed = True
            return
        self._late = [each for each in self._late if each not in due]
        if new:
            self._begun = None
            del self._unwanted[: new.wishes]
            del self._torn[: new.torn]
            new.traces.whose = ()
            self._late += [replace(new, start=len(self))] if new.during else []

    def _begin(self) -> Late | None:
        """All that is wished by now."""
        if not self._unwanted:
            return None
        ids, whose = self._wanted()
        places = [*(self._turns.get(f"line {id}") for id in ids), self._torn]
        start = 0 if whose else min((numbers[0] for numbers in places if numbers), default=len(self))
        return Late(Traces(ids, whose), start, set(self._open), len(self._unwanted), len(self._torn))

    async def _clean(self, file: FileIO, traces: Traces, start: int) -> None:
        """A line that is no record goes, too: a full disk tore it, and it may be anybody's."""
        mine = await self._whose(traces)
        lines = [self._authors[author] for author in mine]
        await self._note(file, traces, _from(start, *lines, *self._belonging(traces)))
        await self._note(file, traces, _from(start, *self._belonging(traces)))  # of the replies known by now
        numbers = _from(start, *self._belonging(traces), self._telling, self._torn)
        for at, number in enumerate(numbers):
            raw = self._raw(file, number)
            left = traces.left(record) if (record := parsed(raw)) else {}
            if left is not None:
                self._overwrite(file, number, raw, left)
            if left is not None or at % SLICE == 0:
                await anyio.sleep(self._pause)
        for author in mine:
            del self._authors[author]

    async def _whose(self, traces: Traces) -> list[Author]:
        """All of whose lines nothing is to stay."""
        found = []
        for at, author in enumerate(list(self._authors)):
            found += [author] if traces.theirs(*author) else []
            if at % (10 * SLICE) == 0:
                await anyio.sleep(self._pause)
        return found

    async def _note(self, file: FileIO, traces: Traces, numbers: list[int]) -> None:
        for at, number in enumerate(numbers):
            traces.note(parsed(self._raw(file, number)))
            if at % SLICE == 0:
                await anyio.sleep(self._pause)

    def _belonging(self, traces: Traces) -> list[array[int]]:
        return [self._turns[key] for key in traces.keys if key in self._turns]

    def _wanted(self) -> tuple[set[str], list[Whose]]:
        """What is to be forgotten and may be in the file yet."""
        ids = {id for some, _ in self._unwanted for id in some}
        return ids, [whose for _, whose in self._unwanted if whose is not None]

    def _shown(self, records: list[Record]) -> list[Record]:
        """Without what the file should not hold any more: whose a reply is, is seen where it began."""
        if not self._unwanted and not self._late:
            return records
        ids, whose = self._wanted()
        about, new = {f"line {id}" for id in ids}.union(*map(keys, records)), Traces(ids, whose)
        for record in self.read(sorted({number for key in about for number in self._turns.get(key, ())})):
            new.note(record)
        begun = [self._begun] if self._begun else []
        for traces in (new, *(each.traces for each in (*begun, *self._late))):
            records = [traces.left(record) or record for record in records]
        return records

    def _raw(self, file: FileIO, number: int) -> bytes:
        end = self._places[number + 1] if number + 1 < len(self) else self._end
        file.seek(self._places[number])
        return file.read(end - self._places[number])

    def _overwrite(self, file: FileIO, number: int, raw: bytes, left: Mapping[str, Any]) -> None:
        for word in set(words(parsed(raw))) - set(words(left)):
            numbers = self._lines.get(word, array("I"))
            if (at := bisect_left(numbers, number)) < len(numbers) and numbers[at] == number:
                numbers.pop(at)
        text = json.dumps(left, ensure_ascii=False).encode(errors="backslashreplace")
        fits = [each for each in (text, b"{}", b"") if len(each) < len(raw)]
        file.seek(self._places[number])
        file.write(fits[0].ljust(len(raw) - 1) + b"\n")

    def read_on(self, most: int = SLICE) -> bool:
        """Take in up to `most` more lines; whether there may be more."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._end)
                for _ in range(most):
                    raw = file.readline()
                    if not raw.endswith(b"\n"):
                        return False
                    self._take(raw)
                    self._end += len(raw)
        except OSError:
            return False
        return True

    def _take(self, raw: bytes) -> None:
        number = len(self._places)
        self._places.append(self._end)
        record = parsed(raw)
        if not record:
            self._torn.append(number)
        elif record.get("event") == "TurnStarted":
            self._open.add(record["turn"])
        elif record.get("event") == "TurnEnded":
            self._open.discard(record.get("turn", ""))
        for key in keys(record):
            self._turns.setdefault(key, array("I")).append(number)
        for author in authors(record):
            self._authors.setdefault(author, array("I")).append(number)
        if record.get("event") in TELLING:
            self._telling.append(number)
        if record.get("event") in SILENT or record.get("what") in LOOKED:
            return
        self._told.append(number)
        for word in dict.fromkeys(words(record)):
            if word not in self._lines:
                self._lines[word] = array("I")
                self._fresh.append(word)
            self._lines[word].append(number)

    def find(self, query: str, most: int = 50, before: int | None = None) -> list[Record]:
        """The newest `most` lines that hold every word of `query` (no word: all), newest first, each with its
        "number"; `before` that number, for the page that follows."""
        wanted = np.zeros(len(self), np.bool_)
        wanted[np.frombuffer(self._told, np.uint32)] = True
        for word in WORD.findall(query.casefold())[:8]:
            wanted &= self._holding(word[:LONGEST])
        found = np.flatnonzero(wanted)
        if before is not None:
            found = found[: int(np.searchsorted(found, before))]
        return self._shown(self.read([int(number) for number in found[-most:][::-1]]))

    def turn(self, id: str) -> list[Record]:
        """Everything about a reply and the line that it answers, in order."""
        numbers = set(self._turns.get(id, ()))
        for record in self.read(sorted(numbers)):
            if record.get("event") == "TurnStarted":
                numbers |= set(self._turns.get(f"line {record['line']['id']}", ()))
        return self._shown(self.read(sorted(numbers)))

    def read(self, numbers: Sequence[int]) -> list[Record]:
        """These lines of the journal."""
        found: list[Record] = []
        try:
            with self._path.open("rb") as file:
                for number in numbers:
                    file.seek(self._places[number])
                    found.append({"number": number, **parsed(file.readline())})
        except OSError:
            pass
        return found

    def _holding(self, start: str) -> NDArray[np.bool_]:
        """Of every line, whether it has a word that begins so. (Marks need no sorting: that took 300 ms.)"""
        if self._fresh:
            self._vocabulary = sorted([*self._vocabulary, *self._fresh])
            self._fresh = []
        at, marks = bisect_left(self._vocabulary, start), np.zeros(len(self), np.bool_)
        while at < len(self._vocabulary) and self._vocabulary[at].startswith(start):
            marks[np.frombuffer(self._lines[self._vocabulary[at]], np.uint32)] = True
            at += 1
        return marks


def _from(start: int, *numbers: array[int]) -> list[int]:
    """All of these once, rising, from `start` on."""
    return sorted({number for some in numbers for number in some if number >= start})
