"""What the operator blocks on air: a short list that changes while the show runs, kept in a file.

The large lists are the config's; this one is what a person adds by hand, so it is written whole each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from glue.safety.lists import read
from glue.safety.phrases import Phrases

MOST = 5000  # entries
LONGEST = 100  # characters of one


class Blocklist:
    """Entries as in safety.blocked; "stem*" is every word that begins so."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises ConfigError for a file that is there and cannot be read; without a path nothing is kept."""
        self._path = path
        self._entries = list(dict.fromkeys(read(path)))[:MOST] if path and path.exists() else []
        self._phrases = Phrases(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def find(self, text: str) -> str:
        """The first entry that `text` holds, however it is spelt; "" for none."""
        return self._phrases.find(text)

    def add(self, entry: str) -> bool:
        """Block a word or phrase; False for what is no entry, is there already, or is one too many.

        Raises OSError where it cannot be kept; it holds for this show all the same."""
        entry = " ".join(entry.partition("#")[0].split())[:LONGEST]
        if entry in self._entries or len(self._entries) >= MOST or not len(Phrases([entry])):
            return False
        self._entries.append(entry)
        self._changed()
        return True

    def remove(self, entry: str) -> bool:
        """Let it through again; False for what is not there. Raises OSError as add()."""
        entry = " ".join(entry.split())
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        self._changed()
        return True

    def _changed(self) -> None:
        self._phrases = Phrases(self._entries)
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(f".{os.getpid()}")
        fresh.write_text("".join(f"{entry}\n" for entry in self._entries), encoding="utf-8")
        fresh.replace(self._path)


def kept_at(configured: str) -> Path:
    """Where the list is kept: as configured, or in the user's state folder (XDG base directories)."""
    if configured:
        return Path(configured).expanduser()
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "spark-vtuber" / "blocklist.txt"
