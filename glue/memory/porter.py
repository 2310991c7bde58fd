"""A memory as JSON lines, to take it elsewhere and bring it back; what she is stays with her persona."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import anyio
import anyio.lowlevel
import anyio.to_thread

from glue.errors import Refused
from glue.memory.entry import Entry, Kind, WrongEntry, dump, load
from glue.memory.keeping import Keeping
from glue.memory.store import Store

PAGE = 200  # entries that are written or read before the show's own thread is let on
MOST_TOLD = 5  # wrong lines that are told of


def exported(store: Store) -> Iterator[bytes]:
    """The lines, a page at a time. May be read in another thread."""
    entries = [entry for entry in list(store.entries.values()) if entry.kind is not Kind.SELF]
    for start in range(0, len(entries), PAGE):
        yield "".join(f"{dump(entry)}\n" for entry in entries[start : start + PAGE]).encode(
            "utf-8", "replace"
        )


def parsed(lines: Iterable[bytes]) -> list[tuple[int, Entry]]:
    """The entries and the numbers of their lines. Raises WrongEntry: some lines are none, and which."""
    found: list[tuple[int, Entry]] = []
    wrong: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = load(line) if line.strip() else None
        except WrongEntry as error:
            wrong.append((number, str(error)))
            continue
        if entry is not None and entry.kind is Kind.SELF:
            wrong.append((number, "what she is comes from conf/persona alone"))
        elif entry is not None:
            found.append((number, entry))
        if number % PAGE == 0:
            time.sleep(0.001)
    if wrong:
        raise WrongEntry(_told(wrong))
    return found


async def taken(data: bytes, keeping: Keeping, refuses: Callable[[str], str]) -> int:
    """Add an export's entries while the show goes on, all or, where a line is wrong or the filters refuse
    one, none; how many were new. Raises Refused."""
    store = keeping.store
    if store is None:
        raise Refused("memory", "it is not open")
    try:
        entries = await anyio.to_thread.run_sync(parsed, data.splitlines())
    except WrongEntry as error:
        raise Refused("memory", str(error)) from error
    new = [(number, entry) for number, entry in entries if store.entries.get(entry.id) != entry]
    wrong = []
    for number, entry in new:
        if why := refuses(entry.text):
            wrong.append((number, f"the filters refuse it ({why})"))
        await anyio.lowlevel.checkpoint()  # a face moves beside it
    if wrong:
        raise Refused("memory", _told(wrong))
    for start in range(0, len(new), PAGE):
        keeping.put([entry for _, entry in new[start : start + PAGE]])
        await anyio.sleep(0.001)
    return len(new)


def _told(wrong: list[tuple[int, str]]) -> str:
    more = f"\nand {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
    return "\n".join(f"line {number}: {why}" for number, why in wrong[:MOST_TOLD]) + more
