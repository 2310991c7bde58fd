"""What she knows of herself: fixed, from her persona's file; recalled where a line asks for it."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Collection, Iterable

from glue.memory.entry import MOST, Entry, Kind

MARK = "self"
LONGEST = 30  # characters of a character's key that stand in an id
YOURS = re.compile(r"\b(?:your|yours|yourself|ur)\b", re.IGNORECASE)
YOU = re.compile(r"\b(?:you|you're|you've|you'd|u)\b", re.IGNORECASE)
VERBS = frozenset("is was does did has had can would will".split())
MINE = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b", re.IGNORECASE)


def fixed(who: str, name: str, facts: Iterable[str]) -> list[Entry]:
    """Her facts as entries. The same words have the same id at every start: the index has them already, and
    what is in her file no more is in the index no more."""
    found = []
    for fact in facts:
        text = " ".join(fact.split())[:MOST]
        digest = hashlib.sha256(f"{name}\n{text}".encode()).hexdigest()[:16]
        found.append(Entry(f"{MARK}:{who[:LONGEST]}:{digest}", Kind.SELF, who, "", text, 0.0, name=name))
    return found


def whose(id: str) -> str | None:
    """Of an entry's id: whose fact it is; None of what is no such fact."""
    mark, _, rest = id.partition(":")
    return rest.rpartition(":")[0] if mark == MARK else None


def about_her(text: str, names: Collection[str] = ()) -> bool:
    """Whether a line asks about her: "what is your favourite food?" does, "do you know my cat?" does not.
    `names`: the cast's, lower case: "does Spark like trains?", and no "hi Spark, I am late"."""
    said = text.replace("\u2019", "'")
    if YOURS.search(said) or (YOU.search(said) and not MINE.search(said)):
        return True
    words = re.findall(r"[\w']+", said.casefold())
    owned = {f"{name}'s" for name in names}
    return not owned.isdisjoint(words) or any(
        verb in VERBS and name in names for verb, name in itertools.pairwise(words)
    )
