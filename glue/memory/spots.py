"""Where in a file of JSON lines the line with an id stands: found by one look at each line."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

BEGIN = b'{"id": "'
BREATH = 500  # lines that are looked at before the show's own thread is let on


class Spots:
    """Sixteen bytes a line: a show has a hundred thousand, and few of them are ever looked for."""

    def __init__(self) -> None:
        self._ids = array("q")  # hashes
        self._places = array("Q")
        self._end = 0

    def read_on(self, file: IO[bytes], end: int) -> None:
        """Look at what came since, up to the file's byte `end`. Raises OSError."""
        file.seek(self._end)
        while self._end < end and (line := file.readline()):
            self._ids.append(hash(_id(line)))
            self._places.append(self._end)
            self._end += len(line)
            if len(self._ids) % BREATH == 0:
                time.sleep(0.001)

    def find(self, file: IO[bytes], ids: Iterable[str]) -> Iterator[tuple[int, int]]:
        """Place and length of every line that has one of these ids. Raises OSError."""
        held = np.array(self._ids, np.int64)  # a copy: the other must be free to grow
        for id in ids:
            wanted = id.encode("utf-8", "replace")
            for number in np.flatnonzero(held == hash(wanted)):
                file.seek(self._places[number])
                if _id(line := file.readline()) == wanted:
                    yield self._places[number], len(line)


def _id(line: bytes) -> bytes | None:
    """As it was when it was written; most need no JSON for that. None where there is none."""
    if line.startswith(BEGIN) and b"\\" not in (id := line[len(BEGIN) : line.find(b'"', len(BEGIN))]):
        return id
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    found = said.get("id") if isinstance(said, dict) else None
    return found.encode("utf-8", "replace") if isinstance(found, str) else None
