"""What a record of the journal is found by: its words, what it belongs to, and who wrote the lines in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from glue.redacted import parts_of

Record = dict[str, Any]
Author = tuple[str, str, str]  # name, the platform's own key for it, and where they write

WORD = re.compile(r"\w+")
IDS = frozenset({"id", "line_id", "author_id"})  # no words: nobody types them, and no other line has them
LONGEST = 24  # characters of a word that tell it from others
WORDS = 200  # of one line


def parsed(raw: bytes) -> Record:
    """A line of the journal; empty where it is no record."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def keys(record: Record) -> Iterator[str]:
    """What a line belongs to."""
    if isinstance(turn := record.get("turn"), str) and turn:
        yield turn
    if isinstance(line := record.get("line_id"), str):
        yield f"line {line}"
    if record.get("event") in ("LineArrived", "TurnStarted"):
        for line in (record["line"], *record["line"].get("joined", ())):
            yield f"line {line['id']}"


def authors(record: Record) -> Iterator[Author]:
    """Who wrote the lines that it is about."""
    if record.get("event") in ("LineArrived", "TurnStarted"):
        for part in parts_of(record["line"]):
            yield part.get("author", ""), part.get("author_id", ""), part.get("source", "console")


def words(record: Mapping[str, Any]) -> Iterator[str]:
    """All words of a line's texts but its ids, folded; at most so many of one text that a wall of it costs no
    more."""
    for key, value in record.items():
        if key in IDS:
            continue
        if isinstance(value, str):
            for word in WORD.findall(value.casefold())[:WORDS]:
                yield word[:LONGEST]
        elif isinstance(value, dict):
            yield from words(value)
