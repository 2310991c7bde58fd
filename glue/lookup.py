"""The journal, searchable while it is written: words -> lines, by their place in the file.

Nothing of it is on the way of a word: a task of its own reads what was appended, in small slices. A search
looks words up (the last one may be the beginning of one), and reads only the lines that it tells.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
from numpy.typing import NDArray

Record = dict[str, Any]

WORD = re.compile(r"\w+")
SLICE = 50  # lines that are read at a time: about a millisecond
EVERY = 0.5  # seconds between two looks at the file
SILENT = frozenset(
    {"StageReached", "TurnMeasured", "VitalsTaken", "TurnAsked", "ClauseVoiced", "OperatorAsked"}
)
LOOKED = frozenset({"find", "open", "look"})  # what a terminal was told; it would be found again
LONGEST = 24  # characters of a word that tell it from others
WORDS = 200  # of one line


class Lookup:
    """The index of one journal; grows by about 100 bytes an event."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = array("Q")  # where each line begins
        self._lines: dict[str, array[int]] = {}  # word -> numbers of the lines that hold it, rising
        self._turns: dict[str, array[int]] = {}  # reply, or "line ..." -> likewise
        self._told = array("I")  # numbers of the lines that people may want to see
        self._vocabulary: list[str] = []  # sorted, but for what came since the last search
        self._fresh: list[str] = []
        self._end = 0

    def __len__(self) -> int:
        return len(self._places)

    async def keep(self) -> None:
        """Read on for ever."""
        while True:
            while self.read_on():
                await anyio.lowlevel.checkpoint()
            await anyio.sleep(EVERY)

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
        record = _parsed(raw)
        for key in _keys(record):
            self._turns.setdefault(key, array("I")).append(number)
        if record.get("event") in SILENT or record.get("what") in LOOKED:
            return
        self._told.append(number)
        for word in dict.fromkeys(_words(record)):
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
        return self.read([int(number) for number in found[-most:][::-1]])

    def turn(self, id: str) -> list[Record]:
        """Everything about a reply and the line that it answers, in order."""
        numbers = set(self._turns.get(id, ()))
        for record in self.read(sorted(numbers)):
            if record.get("event") == "TurnStarted":
                numbers |= set(self._turns.get(f"line {record['line']['id']}", ()))
        return self.read(sorted(numbers))

    def read(self, numbers: Sequence[int]) -> list[Record]:
        """These lines of the journal."""
        found: list[Record] = []
        try:
            with self._path.open("rb") as file:
                for number in numbers:
                    file.seek(self._places[number])
                    found.append({"number": number, **_parsed(file.readline())})
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


def _parsed(raw: bytes) -> Record:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _keys(record: Record) -> Iterator[str]:
    """What a line belongs to."""
    if isinstance(turn := record.get("turn"), str) and turn:
        yield turn
    if isinstance(line := record.get("line_id"), str):
        yield f"line {line}"
    if record.get("event") == "LineArrived":
        yield f"line {record['line']['id']}"


def _words(record: Record) -> Iterator[str]:
    """All words of a line's texts, folded; at most so many of one text that a wall of it costs no more."""
    for value in record.values():
        if isinstance(value, str):
            for word in WORD.findall(value.casefold())[:WORDS]:
                yield word[:LONGEST]
        elif isinstance(value, dict):
            yield from _words(value)
