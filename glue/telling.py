"""The journal's lines as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glue.events import Source

FORGOTTEN = "(forgotten)"
Record = Mapping[str, Any]

WORDS = (
    *("author", "name", "data", "text", "message", "fate", "button", "phase", "wish", "what", "effect"),
    *("part", "outcome", "why", "ending", "song", "heard"),
)


def line_of(record: Record) -> str:
    """One event."""
    line = record.get("line") or {}
    told = [str(line[key]) for key in ("author", "text") if line.get(key)]
    told += [FORGOTTEN] if line and not told and line.get("source") != Source.HERSELF else []
    told += [str(record[key]) for key in WORDS if record.get(key)]
    name = record.get("turn") or record.get("line_id") or line.get("id") or ""
    return f"{record.get('at', 0.0):9.1f} {record.get('event', '')} {name} {' | '.join(told)}".rstrip()


def turn_of(records: Sequence[Record]) -> list[str]:
    """A reply: its line, recalled memories, clauses, verdicts, times, and the end of its prompt."""
    return [text for record in records for text in _told(record)]


def _told(record: Record) -> Iterator[str]:
    match record.get("event"):
        case "StageReached":
            yield f"{record['at']:9.3f} {record['stage']}"
        case "TurnAsked":
            yield from (f"remembered: {text}" for text in record["recalled"])
            last = record["messages"][-1][1] if record["messages"] else FORGOTTEN
            yield f"asked ({len(record['messages'])} messages): {last}"
        case "TurnMeasured":
            yield f"tokens: {record['prompt_tokens']}, cached {record['cached_tokens']}"
        case _:
            yield line_of(record)
