"""What the operator blocks on air: a short list that changes while the show runs, kept in a file.

The large lists are the config's; this one is what a person adds by hand, so it is written whole each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from glue.folders import put, state
from glue.safety.lists import read
from glue.safety.phrases import Phrases

MOST = 5000  # entries that are added in a show; the file may have any number
LONGEST = 100  # characters of one


class Blocklist:
    """Entries as in safety.blocked; "stem*" is every word that begins so."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises ConfigError for a file that is there and cannot be read; without a path nothing is kept."""
        self._path = path
        self._entries = list(dict.fromkeys(read(path))) if path and path.exists() else []
        self._phrases = Phrases(self._entries)
        self._added = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def newest(self, most: int) -> list[str]:
        """The last entries, for a page: it could not draw 100,000."""
        return self._entries[-most:]

    def find(self, text: str) -> str:
        """The first entry that `text` holds, however it is spelt; "" for none."""
        return self._phrases.find(text)

    def add(self, entry: str) -> bool:
        """Block a word or phrase; False for what is no entry, is there already, or is one too many.

        Raises OSError where it cannot be kept; it holds for this show all the same."""
        entry = " ".join(entry.partition("#")[0].split())[:LONGEST]
        if entry in self._entries or self._added >= MOST or not len(Phrases([entry])):
            return False
        self._entries.append(entry)
        self._added += 1
        self._phrases.add(entry)
        self._write()
        return True

    def remove(self, entry: str) -> bool:
        """Let it through again; False for what is not there. Raises OSError as add()."""
        entry = " ".join(entry.split())
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        self._phrases = Phrases(self._entries)
        self._write()
        return True

    def _write(self) -> None:
        if self._path is None:
            return
        put(self._path, "".join(f"{entry}\n" for entry in self._entries))


def kept_at(configured: str) -> Path:
    """Where the list is kept: as configured, or in the user's state folder."""
    return state("blocklist.txt", configured)
