"""What is left of the journal's records when lines are forgotten. Pure; the same records twice: note() first
collects what betrays them, left() then tells what may stay.

Names and words count only where our own code puts them, so that nobody takes much of others along, be they
called "the" or "hello". A line in somebody else's prompt is known by author and text together, in full; what
she knew of a viewer by its words (three at least, or all) or by the name that it begins with; a name in her
core memory by its place there; one in a wish of the operator's by being what the wish was about. Only of what
the operator merely looked at does every text go that has a name or such words anywhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from glue.events import ChatLine, Source
from glue.ports import Whose

Record = Mapping[str, Any]

WORD = re.compile(r"\w+")
FEW = 3  # words: fewer stand in other texts by chance
ASIDE = " just told "  # in a note of what another one of the cast said before
LOOKS = frozenset({"look", "find", "open"})  # wishes that did nothing but show what was written
BEFORE, BEHIND = (": ", ", ", "promised to "), (",", ".", ":")  # a name in core memory
# What may give away a viewer of whose lines and replies it is none: left() looks at nothing else of others.
TELLING = frozenset(
    "TurnAsked SpeechHeard LinesRemoved ViewerTimedOut MemoryAdded HighlightMarked GameMessageClosed"
    " OperatorAsked OperatorServed".split()
)
# No words of anybody's: what a record is, and which line and reply it belongs to.
STAY = frozenset(
    "event at id line_id turn who source fate stage outcome ending kind button wish what deed by".split()
)


@dataclass(frozen=True, slots=True)
class Known:
    """A Whose that tells what else betrays a viewer: what they are called, and the `texts` that she knew."""

    whose: Whose
    names: Collection[str] = ()
    texts: Collection[str] = ()

    def __call__(self, line: ChatLine) -> bool:
        return self.whose(line)


@dataclass(slots=True)
class Noted:
    """What betrays them in words, of which forget.json tells (glue/unfinished.py)."""

    ids: set[str] = field(default_factory=set)
    turns: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)  # that she knew
    said: set[str] = field(default_factory=set)  # author and words of a line
    bare: set[str] = field(default_factory=set)  # the words alone, where they are not few
    asked: set[str] = field(default_factory=set)  # what the model was told of a line
    heard: set[str] = field(default_factory=set)  # the answers: the others of the cast were told of them


class Traces:
    """What betrays the lines with these `ids` and all that are `whose()`: their replies, their words, and the
    names of these viewers (where `named`: of whoever wrote one of the lines). `whose` may be emptied when all
    are noted that were meant: what the same viewer writes later is a new line."""

    def __init__(self, ids: Iterable[str], whose: Sequence[Whose], named: bool = False) -> None:
        self.whose, self._named = whose, named
        known = [each for each in whose if isinstance(each, Known)]
        self._noted = Noted(
            ids=set(ids),
            names={name.casefold() for each in known for name in each.names},
            texts={_plain(text) for each in known for text in each.texts},
        )

    @property
    def known(self) -> dict[str, list[str]]:
        """All but whose() in words, for again()."""
        return {name: sorted(words) for name, words in asdict(self._noted).items()}

    @classmethod
    def again(cls, known: Mapping[str, Iterable[str]], whose: Whose) -> Traces:
        """The same as was `known`."""
        traces = cls((), [whose])
        traces._noted = Noted(**{name: set(words) for name, words in known.items()})
        return traces

    @property
    def keys(self) -> set[str]:
        """What the records that are theirs belong to, as far as they are noted: replies, and "line ..."."""
        return {f"line {id}" for id in self._noted.ids} | self._noted.turns

    def theirs(self, name: str, author_id: str, source: str) -> bool:
        """Whether all that this author wrote is to be forgotten."""
        part = {"id": "", "author": name, "author_id": author_id, "source": source}
        return any(_is(part, whose) for whose in self.whose)

    def note(self, record: Record) -> None:
        """Take a record in; in the journal's order."""
        line, turn = record.get("line") or {}, record.get("turn")
        for part in parts_of(line):
            theirs = any(_is(part, whose) for whose in self.whose)
            if not theirs and part.get("id") not in self._noted.ids:
                continue
            self._noted.ids.add(part.get("id", ""))
            author, text = part.get("author", ""), part.get("text", "")
            self._noted.names |= {author.casefold()} - {""} if theirs or self._named else set()
            self._noted.said |= {_said(part), _said(line)} - {""}
            self._noted.bare |= {_plain(text)} if len(WORD.findall(text)) >= FEW else set()
            self._noted.turns |= {turn} if turn else set()
        if record.get("event") == "TurnAsked" and turn in self._noted.turns and record.get("messages"):
            self._noted.asked.add(record["messages"][-1][1].rpartition("\n")[2])
        if record.get("event") == "LinesRemoved" and self.theirs("?", *_key(record.get("viewer", ""))):
            self._noted.names.add(record["viewer"].casefold())
        if record.get("event") == "TurnEnded" and turn in self._noted.turns:
            self._noted.heard.add(_plain(record["heard"]))

    def left(self, record: Record) -> dict[str, Any] | None:
        """What may stay of a record when all are noted; None where all may."""
        left = dict(record)
        if self._belongs(record):
            left = _blank(record)
        elif record.get("event") == "TurnAsked":
            left = self._prompt(record)
        elif record.get("event") in TELLING and self._tells(record):
            left = _blank(record)
        return None if left == record else left

    def _belongs(self, record: Record) -> bool:
        parts = parts_of(record.get("line") or {})
        return (
            record.get("line_id") in self._noted.ids
            or record.get("turn") in self._noted.turns
            or any(part.get("id") in self._noted.ids for part in parts)
        )

    def _prompt(self, record: Record) -> dict[str, Any]:
        """Of a prompt for another line: without what they said, the answer behind it, and what she knew."""
        recalled = [text for text in record["recalled"] if not self._knew(text)]
        messages, gone = [], False
        for role, content in record["messages"]:
            *notes, said = content.split("\n")
            if role == "user":
                gone = said in self._noted.asked or _plain(said) in self._noted.said
                notes = ["" if self._notes(each) else each for each in notes]
                content = "\n".join([*notes, "" if gone else said])
            messages.append([role, "" if gone and role == "assistant" else content])
        if messages and len(recalled) < len(record["recalled"]):
            messages[-1][1] = messages[-1][1].rpartition("\n")[2]
        return {**record, "recalled": recalled, "messages": messages}

    def _tells(self, record: Record) -> bool:
        """Whether what belongs to no line and no reply gives them away."""
        match record:
            case {"event": "SpeechHeard", "author": author, "text": text}:
                return author.casefold() in self._noted.names or self._begins(f"{author} {text}")
            case {"event": "ViewerTimedOut", "author": whose} | {"event": "LinesRemoved", "viewer": whose}:
                return whose.casefold() in self._noted.names
            case {"event": "MemoryAdded", "viewer": viewer, "text": text}:
                return viewer.casefold() in self._noted.names or self._knew(text)
            case {"event": "HighlightMarked", "why": why}:
                return self._begins(why)
            case {"event": "GameMessageClosed", "text": text}:
                return any(bare in _plain(text) for bare in self._noted.bare)
            case {"event": "OperatorAsked" | "OperatorServed", "text": text}:
                wish = record.get("wish") or record.get("what")
                return self._wished(wish, text, record.get("effect", ""))
        return False

    def _wished(self, wish: object, text: str, effect: str) -> bool:
        if wish in LOOKS:
            seen = f"{text} {effect}"
            words, names = _plain(seen), set(map(_plain, self._noted.names)) - {""}
            parts = names | self._noted.said | self._noted.bare | self._noted.texts
            ids = self._noted.ids | self._noted.turns
            return not ids.isdisjoint(seen.split()) or any(part in words for part in parts)
        if wish == "remember":
            return self._knew(text.partition(" ")[2])
        about = text.removeprefix("@").strip() if wish == "forget" else text.rpartition(" ")[0]
        return wish in ("forget", "timeout") and about.casefold() in self._noted.names

    def _begins(self, words: str) -> bool:
        """Whether these are the first words of a line, with its author before them."""
        first = _plain(words).rstrip()
        return bool(first) and any(said.startswith(first) for said in self._noted.said)

    def _knew(self, text: str) -> bool:
        """Whether something that she remembers is about them."""
        begins = tuple(f"{name}{end}" for name in self._noted.names for end in ("'s ", " "))
        return text.casefold().startswith(begins) or self._holds(text)

    def _notes(self, note: str) -> bool:
        """Whether what stands before a line in a prompt, in brackets, has something of them in it."""
        if not note.startswith("("):
            return False
        said = [_plain(note[colon.end() :]) for colon in re.finditer(": ", note) if ASIDE in note]
        if any(heard.startswith(words) for words in said for heard in self._noted.heard):
            return True
        folded = note.casefold()
        named = (f"{a}{name}{b}" in folded for name in self._noted.names for a in BEFORE for b in BEHIND)
        return any(named) or self._holds(note)

    def _holds(self, text: str) -> bool:
        words = _plain(text)
        return any(each in words if each.count(" ") > FEW else each == words for each in self._noted.texts)


def redacted(records: Iterable[Record], ids: Collection[str]) -> list[dict[str, Any] | None]:
    """For each record, in the journal's order, what may stay of it without the lines with these `ids`, the
    replies to them, and what names who wrote them; None where all may."""
    every, traces = list(records), Traces(ids, (), named=True)
    for record in every:
        traces.note(record)
    return [traces.left(record) for record in every]


def parts_of(line: Record) -> Sequence[Record]:
    """The lines that it stands for: several where supporters are thanked together."""
    return line.get("joined") or ([line] if line else [])


def _key(viewer: str) -> tuple[str, str]:
    """A viewer's id and source."""
    source, _, id = viewer.partition(":")
    return id, source or Source.CONSOLE


def _said(line: Record) -> str:
    return _plain(f"{line.get('author', '')} {line.get('text', '')}")


def _is(part: Record, whose: Whose) -> bool:
    if not part.get("author"):
        return False
    source = Source(part.get("source", Source.CONSOLE))
    return whose(ChatLine(part["id"], part["author"], "", source, author_id=part.get("author_id", "")))


def _plain(text: str) -> str:
    """A text's words, to be looked for among others; of one that has none, itself."""
    return f" {' '.join(WORD.findall(text.casefold()))} " if WORD.search(text) else text.strip()


def _blank(value: Any, key: str = "") -> Any:
    """The same without its words; of a list its numbers stay, and which lines were joined."""
    if isinstance(value, str):
        return value if key in STAY else ""
    if isinstance(value, Mapping):
        return {name: _blank(each, name) for name, each in value.items()}
    if isinstance(value, list | tuple) and key == "joined":
        return type(value)(map(_blank, value))
    if isinstance(value, list | tuple):
        return type(value)(each for each in value if not isinstance(each, str | Mapping | list | tuple))
    return value
