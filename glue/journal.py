"""Every event -> journal.jsonl: the show's own account, one JSON object a line, flushed as it happens."""

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from glue.events import CaptionShown, Event, to_json

log = logging.getLogger(__name__)


class Journal:
    """A Viewer (ports) that writes. The first line holds `head`: machine, models, settings, wall clock."""

    def __init__(self, path: Path, head: Mapping[str, object]) -> None:
        self._path = path
        self._head = head
        self._file: TextIO | None = None

    def __enter__(self) -> "Journal":
        self._file = self._path.open("a", encoding="utf-8")
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
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:  # a full disk must not end the show
            log.error("the journal cannot be written any more: %s", error.strerror)
            self._file = None
