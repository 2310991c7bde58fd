"""What adapters log -> the terminal (warnings), and the run folder's show.log (of our own, info as well).

Neither may tell what a viewer wrote, and the file outlives a wish to be forgotten. Of a failure in a server's
words (they may quote the prompt) only its kind is told; of an exception its type and place. Libraries keep to
no such rule (httpx tells addresses with their keys, as info): of theirs the terminal has the warnings.
"""

from __future__ import annotations

import copy
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from glue.errors import PortError

NAME = "show.log"  # in the run folder
KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
STATUS = re.compile(r"\bHTTP \d{3}\b")
LONGEST = 500  # characters of a message, and of its fields
ROW = "%(asctime)s %(levelname)s %(name)s: "

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Fields(logging.Formatter):
    """A message and what stands in its `extra=`: "no such model (model=Ann; has=Bob, Cid)"."""

    def __init__(self, before: str = "") -> None:
        super().__init__(before + "%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        shown = copy.copy(record)
        shown.exc_text = None  # another's, which is kept with the record
        if isinstance(record.args, tuple):
            shown.args = tuple(map(_unquoted, record.args))
        return super().format(shown)

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in KNOWN}
        told = _line("; ".join(f"{name}={value}" for name, value in fields.items()))
        record.message = _line(record.message) + (f" ({told})" if told else "")
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:
        kind, _, place = ei
        return "".join(traceback.format_tb(place)) + (kind.__name__ if kind else "")


class Kept(logging.FileHandler):
    """show.log, made with its first row; a disk that is full loses rows, and nothing else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self.setFormatter(Fields(ROW))

    def handleError(self, record: logging.LogRecord) -> None:
        """Python's prints a traceback for every row."""

    def close(self) -> None:
        with suppress(OSError):  # the rest of a row that found no room
            super().close()


@contextmanager
def logged(run_dir: Path) -> Iterator[None]:
    """Both, while the block runs; a sweep's next show has a folder of its own."""
    terminal, kept = logging.StreamHandler(sys.stderr), Kept(run_dir / NAME)
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(Fields())
    root, ours = logging.getLogger(), logging.getLogger("glue")
    root.addHandler(terminal)
    ours.addHandler(kept)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(logging.NOTSET)
        ours.removeHandler(kept)
        root.removeHandler(terminal)
        kept.close()


def _line(text: str) -> str:
    """On one line, and no signal to a terminal."""
    return "".join(char if char.isprintable() else " " for char in text[:LONGEST])


def _unquoted(value: object) -> object:
    """Of a failure that a server told in its own words: its kind, and its status where it has one."""
    if not isinstance(value, PortError) or not value.quoted:
        return value
    status = STATUS.search(value.why)
    return f"{value.part}: {type(value).__name__}" + (f", {status.group()}" if status else "")
