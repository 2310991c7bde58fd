"""Every event -> journal.jsonl: the show's own account, one JSON object a line, written as it happens."""

import json
import logging
import time
from collections.abc import Mapping
from io import FileIO
from itertools import islice
from pathlib import Path

from glue.events import CaptionShown, Event, to_json

log = logging.getLogger(__name__)

NAME = "journal.jsonl"  # in the run folder


def begun(run_dir: Path) -> bool:
    """Whether a show has got further than its head there."""
    try:
        with (run_dir / NAME).open("rb") as rows:
            return len(list(islice(rows, 2))) > 1
    except OSError:
        return False


class Journal:
    """A Viewer (ports) that writes. The first line holds `head`: machine, models, settings, wall clock."""

    def __init__(self, path: Path, head: Mapping[str, object]) -> None:
        self._path = path
        self._head = head
        self._file: FileIO | None = None
        self._torn = False  # the last line is not whole
        self._lost = 0  # events since the disk was full

    def __enter__(self) -> "Journal":
        self._file = self._path.open("ab", buffering=0)  # what a full disk refuses must not be tried again
        self._write({"event": "ShowStarted", "wall": time.time(), **self._head})
        return self

    def __exit__(self, *exc: object) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def show(self, event: Event) -> None:
        """Write an event. A caption's progress is left out: it is ClauseCleared again, 15 times a second."""
        if not isinstance(event, CaptionShown):
            self._write(to_json(event))

    def _write(self, record: Mapping[str, object]) -> None:
        """A full disk must not end the show, nor the journal: what follows is written when there is room."""
        if self._file is None:
            return
        lost = [{"event": "JournalLost", "events": self._lost}] if self._lost else []
        lines = [json.dumps(each, ensure_ascii=False) + "\n" for each in (*lost, record)]
        raw = ("\n" * self._torn + "".join(lines)).encode(errors="backslashreplace")
        why: str | None = "no room on the disk"
        try:
            written = self._file.write(raw)
        except OSError as error:
            written, why = 0, error.strerror
        if written == len(raw):
            self._torn, self._lost = False, 0
        else:
            if not self._lost:
                log.error("the journal cannot be written: %s; it is tried on", why)
            self._torn |= written > 0
            self._lost += 1
