"""What she promised: when her answer is one, when she has kept it, and when it is past. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from glue.memory.entry import Entry, Kind
from glue.memory.names import WORD
from glue.memory.notes import PROMISES
from glue.memory.rules import SMALL

DAY = 86_400.0  # seconds
DONE = re.compile(
    r"\b(?:(?:as|like|just as|just like) (?:i )?promised|(?:i|i've|i have) (?:just )?kept (?:my|that|the) "
    r"promise|promise (?:is )?(?:kept|fulfilled|done)|(?:that was|there is|there's|here is|here's) "
    r"(?:what i promised|the \w+ (?:that )?i promised))\b",
    re.IGNORECASE,
)
# Still to come, beside what PROMISES finds.
COMING = re.compile(
    r"\bwe(?:'ll| will|'re going to| are going to)\b|\btomorrow\b|\bnext (?:time|stream|week)\b",
    re.IGNORECASE,
)
# Words of a promise that do not tell it from another.
ANY = SMALL | frozenset(
    "next time stream show tomorrow today tonight soon later promised promise spark evil "
    "you your our one some all any can not but out".split()
)
DOES = re.compile(
    r"\b(?:will|to|i'll|going to) (\w+)"
)  # she kept it by doing that: "here is", not "I will draw"


def done(heard: str) -> bool:
    """Whether she says that she has kept a promise; "as I promised, I will draw it" keeps none."""
    heard = heard.replace("\u2019", "'")
    rest = DONE.sub(" ", heard)
    return rest != heard and not PROMISES.search(rest) and not COMING.search(rest)


def kept(entries: Iterable[Entry], who: str, heard: str, now: float) -> list[Entry]:
    """The promise of `who` that she says she has kept, as it ends: at most one, of which she names all that
    it is about, or two things at least."""
    if not done(heard):
        return []
    said, words = _telling(heard), set(WORD.findall(heard.casefold()))
    found = []
    for each in _held(entries, who):
        things = _things(each)
        named = len(things & said)
        if named and named >= min(len(things), 2):
            theirs = not words.isdisjoint(WORD.findall(each.called.casefold()))
            found.append((named, theirs, -each.at, each))
    return [_ended(max(found, key=lambda each: each[:3])[3], now)] if found else []


def past(entries: Iterable[Entry], days: float, now: float) -> list[Entry]:
    """The promises that are older than so many days, as they end; 0: none ever is."""
    return [_ended(each, now) for each in _held(entries) if days and each.at < now - days * DAY]


def _held(entries: Iterable[Entry], who: str = "") -> list[Entry]:
    return [e for e in entries if e.kind is Kind.PROMISE and not e.ended and who in ("", e.persona)]


def _things(entry: Entry) -> set[str]:
    """What a promise is about; where that is nothing, what she will do."""
    text = entry.text.casefold().replace("\u2019", "'")
    return _telling(DOES.sub(" ", text), entry.called) or _telling(text, entry.called)


def _telling(text: str, name: str = "") -> set[str]:
    """The beginnings of its words that say something; a viewer's `name` says nothing of what."""
    words = set(WORD.findall(text.casefold())) - ANY - set(WORD.findall(name.casefold()))
    return {word[:5] for word in words if len(word) > 2}


def _ended(entry: Entry, now: float) -> Entry:
    return dataclasses.replace(entry, ended=max(now, entry.at, 1.0))  # 0 means that it holds
