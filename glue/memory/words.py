"""Memories as her prompt has them: what holds, in words, with dates where a line asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from glue.memory.entry import SHARED, Entry, Kind, told
from glue.memory.jokes import RUNNING
from glue.memory.spans import span

WHEN = re.compile(r"\b(?:when|how long|since|date|month|what day)\b", re.IGNORECASE)


def words(known: Mapping[str, Entry], ids: Sequence[str], line: str, who: str, now: float) -> list[str]:
    """These entries, as far as `who` knows them. What holds no more is left out, and what was only quoted
    before a fact was learnt: it may be what that ended."""
    found = [known[id] for id in ids if id in known and not known[id].ended]
    found = [entry for entry in found if entry.persona in (who, SHARED)]
    newest = max((entry.at for entry in found if entry.kind is Kind.VIEWER), default=0.0)
    fresh = [entry for entry in found if entry.kind is not Kind.EPISODE or entry.at >= newest]
    dated = bool(WHEN.search(line) or span(line, now))
    return [_worded(entry, dated) for entry in fresh]


def _worded(entry: Entry, dated: bool) -> str:
    text = entry.text
    if entry.count:  # chat laughed at this
        times = "" if entry.count < RUNNING else f" {entry.count} times"
        text = f'chat laughed{times} at "{text}"'
    return f"{text} ({told(entry.at)})" if dated and entry.kind is not Kind.SELF else text
