"""What a viewer says of themselves in so many words, taken down without a model: every line is read this way,
answered or not, at no cost to the reply. What is put less plainly is left to the model (notes.py)."""

from __future__ import annotations

import re
from functools import partial

from glue.events import ChatLine
from glue.memory.entry import Entry, Kind
from glue.memory.names import NOBODY, Names
from glue.memory.notes import LONGEST, Exchange, sound
from glue.memory.rules import SAID, facts

READ = 300  # characters of a line
MOST = 3  # facts of one line
# of themselves, and in chat the "I" is often dropped
OWN = re.compile(
    r"\b(?:i|my|i'm|i've|mine)\b|^(?:been|could|just|finally|gonna|used to|can't|hate|love|got|moved|started|"
    r"finished|bought|made|went|going to|working|learning)\b",
    re.IGNORECASE,
)
LEAST = 5  # words of a line that is worth keeping as it was said


def gleaned(source: str, line: ChatLine, persona: str, at: float, others: Names = NOBODY) -> list[Entry]:
    """The facts in a viewer's line, or, where it is about themselves in other words, what they said; nothing
    where it asks, orders, or names somebody else."""
    if line.deed or not line.author:
        return []
    said = " ".join(line.text[:READ].split()).replace("\u2019", "'")
    exchange = Exchange(source, line.author, said.rstrip("? "), "")  # facts() has left out what is asked
    entry = partial(Entry.fresh, persona=persona, viewer=line.viewer, at=at, source=source, name=line.author)
    found = []
    for topic, text in facts(said, line.author):
        if len(text) <= LONGEST and sound(text, Kind.VIEWER, exchange, others):
            found.append(entry(Kind.VIEWER, text=text, topic=topic))
    if not found and OWN.search(said) and not said.endswith("?") and len(said.split()) >= LEAST:
        text = f"{line.author} {SAID.format(x=said)}"
        if len(text) <= LONGEST and sound(text, Kind.EPISODE, exchange, others):
            found = [entry(Kind.EPISODE, text=text)]
    return found[:MOST]
