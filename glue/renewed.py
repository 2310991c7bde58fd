"""A new line and the lines that wait: which of them it goes on with, or makes idle. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from glue.decisions import Close
from glue.events import ChatLine, Fate, Source


def renewed(line: ChatLine, waiting: Iterable[ChatLine]) -> tuple[ChatLine, list[Close]]:
    """What `line` becomes, and those that need no answer of their own any more."""
    same = [w for w in waiting if w.source is line.source and w.author == line.author]
    if line.source is Source.GAME:  # only the latest is worth a word
        return line, [Close(w.id, Fate.IGNORED) for w in same]
    if line.source is not Source.VOICE or not same:
        return line, []
    # what somebody says aloud in several goes is one line: who pauses has not finished
    parts = (*(part for w in same for part in w.parts), line)
    text = " ".join(part.text for part in parts)
    return replace(line, text=text, joined=parts), [Close(w.id, Fate.CONTINUED) for w in same]
