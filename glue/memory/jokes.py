"""Running jokes: what she said and chat laughed at, counted; by rules, whatever anybody says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from glue.memory.entry import Entry, Kind
from glue.memory.laughs import Reply
from glue.memory.notes import LONGEST, ORDER, grounded
from glue.memory.store import Store

AGAIN = 0.5  # of a joke's words that bring it back
RUNNING = 2  # times that make a joke a running one


def landed(
    reply: Reply, store: Store, source: str, now: float, refuses: Callable[[str], str]
) -> tuple[list[Entry], Entry | None]:
    """The jokes that a reply brought back, each counted once more; where it brought back none, a new one."""
    known = [e for e in list(store.entries.values()) if e.kind is Kind.JOKE and not e.ended]
    back = [
        dataclasses.replace(joke, count=joke.count + 1, at=now)
        for joke in known
        if joke.persona == reply.who and grounded(joke.text, reply.heard, AGAIN)
    ]
    text = " ".join(reply.heard.split())[:LONGEST]
    if back or ORDER.search(text) or refuses(text):
        return back, None
    new = Entry.fresh(Kind.JOKE, persona=reply.who, viewer="", text=text, at=now, source=source, count=1)
    return [], new
