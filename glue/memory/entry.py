"""One thing that she remembers, and how it is written down."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

ID = re.compile(r"[\w:.-]{1,64}", re.ASCII)  # stands in filters of the index as it is
SHARED = "shared"  # the persona of what all characters know
MOST = 400  # characters of a text; a longer one is cut
FILLERS = frozenset(
    {"now", "currently", "just", "still", "really", "actually", "these", "days", "a", "an", "the"}
)
ONE_AT_A_TIME = frozenset({"name", "home", "job", "age", "language"})  # a new one ends the old one


class Kind(StrEnum):
    """What sort of thing is remembered."""

    EPISODE = "episode"  # something that happened
    VIEWER = "viewer"  # a fact about a viewer, from that viewer's own words
    JOKE = "joke"
    PROMISE = "promise"  # she made it
    SELF = "self"  # about herself: from her persona, never from chat; it stands in no file


class WrongEntry(ValueError):
    """A line of a memory file that is no entry; one line that says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`, `ended`: wall clock, seconds since 1970, for people; the order is the file's. `ended` 0: it still
    holds. `viewer`: whom it is about, as events.ChatLine.viewer has it; "": nobody. `name`: what they are
    called, "" in old files: as `viewer` says. `source`: the raw lines that it was learnt from, with blanks
    between. `count`: how often chat laughed at this, which she said."""

    id: str
    kind: Kind
    persona: str
    viewer: str
    text: str
    at: float
    ended: float = 0.0
    topic: str = ""
    source: str = ""
    name: str = ""
    count: int = 0

    @classmethod
    def fresh(
        cls,
        kind: Kind,
        *,
        persona: str,
        viewer: str,
        text: str,
        at: float,
        topic: str = "",
        source: str = "",
        name: str = "",
        count: int = 0,
    ) -> Entry:
        """One that was just learnt, with an id of its own."""
        return cls(uuid4().hex, kind, persona, viewer, text, at, 0.0, topic, source, name, count)

    @property
    def called(self) -> str:
        """The viewer's name."""
        return self.name or self.viewer

    @property
    def lines(self) -> list[str]:
        """The raw lines that it was learnt from."""
        return self.source.split()


_ENTRY = TypeAdapter(Entry)


def dump(entry: Entry) -> str:
    """One line of JSON."""
    return json.dumps(dataclasses.asdict(entry), ensure_ascii=False)


def load(line: str | bytes) -> Entry:
    """dump()'s line again. Raises WrongEntry."""
    try:
        entry = _ENTRY.validate_json(line, strict=False)
    except (ValidationError, ValueError, RecursionError) as error:
        raise WrongEntry(str(error).splitlines()[0]) from error
    longest = max(len(entry.viewer), len(entry.name), len(entry.persona))
    if not ID.fullmatch(entry.id) or longest > 100:
        raise WrongEntry("an entry's id is none, or its viewer or persona is too long")
    return dataclasses.replace(entry, text=" ".join(entry.text.split())[:MOST], topic=entry.topic[:40])


def meant(entry: Entry) -> str:
    """What is embedded of an entry: a name in front makes all that is about one viewer, or her, alike."""
    for owner in (f"{entry.called}'s ", f"{entry.called} "):
        if entry.called and entry.text.startswith(owner):
            return entry.text.removeprefix(owner) or " "
    return entry.text or " "


def told(at: float) -> str:
    """When she was told, as she would say it."""
    try:
        day = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return "some day"  # by a clock that was far off
    return f"told on {day.day} {day:%B} {day.year}"


def same(text: str) -> str:
    """What two texts have in common that say the same with other capitals and dots, or a "now" more."""
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return " ".join(word for word in words if word not in FILLERS) or " ".join(words)


def ends(new: Entry, old: Entry) -> bool:
    """Whether `new` takes the place of `old`: the same viewer's home is now another one."""
    return (
        new.kind is old.kind is Kind.VIEWER
        and not old.ended
        and _one(new, old)
        and new.topic == old.topic
        and (new.topic in ONE_AT_A_TIME or new.topic.startswith("my "))
        and same(new.text) != same(old.text)
    )


def repeats(new: Entry, old: Entry) -> bool:
    """Whether `old` says already what `new` says."""
    return not old.ended and new.kind is old.kind and _one(new, old) and same(new.text) == same(old.text)


def _one(new: Entry, old: Entry) -> bool:
    """Whether they are about the same viewer and known to the same character."""
    shared = SHARED in (new.persona, old.persona) or new.persona == old.persona
    return shared and new.viewer.casefold() == old.viewer.casefold()
