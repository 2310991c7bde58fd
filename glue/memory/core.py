"""Core memory: what she knows at any time, without recall: a few lines that stand in every prompt.

It is put together from counts and from entries that passed their judges, in the background; it changes rarely
and all at once, because everything behind it in the prompt is evaluated again then.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

import anyio.to_thread

from glue.errors import PortError
from glue.memory.bonds import Closeness
from glue.memory.entry import Entry, Kind
from glue.memory.keeping import Keeping
from glue.memory.store import Store
from glue.ports import Llm

EVERY_S = 300.0  # between two edits, at least
REGULARS, PROMISES, JOKES = 6, 2, 2
MOST_JOKES = 1000
NAME = re.compile(r"\w[\w-]{0,24}")  # a name that is a sentence stands in no prompt
Know = Callable[[str, str], Awaitable[None]]  # a character, and the block that her prompts will have


def lines(store: Store, who: str) -> list[str]:
    """What is worth knowing always, the most important first."""
    entries = [e for e in list(store.entries.values()) if not e.ended and e.persona in (who, "shared")]
    friends = store.bonds.closest(REGULARS)
    found = [
        _listed("Old friends: ", _names(b.called for b in friends if b.closeness is Closeness.FRIEND)),
        _listed("Regulars: ", _names(b.called for b in friends if b.closeness is Closeness.REGULAR)),
        *(f"Promised to {e.called}: {e.text.rstrip('.')}." for e in _newest(entries, Kind.PROMISE, PROMISES)),
        *(f"Running joke: {e.text.rstrip('.')}." for e in _jokes(entries)),
    ]
    return [line for line in found if line]


def _newest(entries: Iterable[Entry], kind: Kind, most: int) -> list[Entry]:
    some = [e for e in entries if e.kind is kind and (not e.viewer or NAME.fullmatch(e.called))]
    return sorted(some, key=lambda entry: -entry.at)[:most]


def _jokes(entries: Iterable[Entry]) -> list[Entry]:
    """Those that ran best; one that was laughed at once is none yet."""
    some = _newest((e for e in entries if e.count != 1), Kind.JOKE, MOST_JOKES)
    return sorted(some, key=lambda entry: -entry.count)[:JOKES]


def _names(viewers: Iterable[str]) -> list[str]:
    return [name for name in viewers if NAME.fullmatch(name)]


def _listed(head: str, names: list[str]) -> str:
    return f"{head}{', '.join(names)}." if names else ""


class Core:
    """Keeps the block of each of the cast at most `tokens` long, and edits it rarely."""

    def __init__(
        self, llm: Llm, keeping: Keeping, know: Know, unknow: Callable[[str], None], tokens: int
    ) -> None:
        self._llm = llm
        self._keeping = keeping
        self._know = know
        self._unknow = unknow
        self._tokens = tokens
        self._told: dict[str, str] = {}
        self._seen = -1

    async def edit(self, cast: Iterable[str]) -> None:
        """Now, if something changed since. A model that cannot count at the moment is asked the next time."""
        store = self._keeping.store
        if store is None or self._seen == self._keeping.changes or not self._tokens:
            return
        seen = self._keeping.changes
        try:
            for who in sorted(cast):
                block = await self._fitting(await anyio.to_thread.run_sync(lines, store, who))
                if self._keeping.changes == seen and block != self._told.get(who, ""):
                    self._told[who] = block
                    await self._know(who, block)
        except PortError:
            return
        self._seen = seen

    async def _fitting(self, found: list[str]) -> str:
        """As many of the lines as the budget has room for."""
        block = ""
        for line in found:
            longer = f"{block} {line}".strip()
            if await self._llm.count(f"({longer})") > self._tokens:
                continue
            block = longer
        return f"({block})" if block else ""

    def forget(self, gone: Mapping[str, Entry], viewer: str) -> None:
        """These entries and this viewer were forgotten: a block that holds some of it leaves the prompt now;
        the next edit makes another."""
        self._seen = -1
        for who, block in list(self._told.items()):
            texts = [entry.text.rstrip(".") for entry in gone.values()]
            if any(text in block for text in texts) or (viewer and viewer.casefold() in block.casefold()):
                del self._told[who]
                self._unknow(who)
