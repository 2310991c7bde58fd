"""Wishes to be forgotten that are being carried out, and the file that tells of those that were cut off."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glue.errors import SparkError
from glue.indexed import Author
from glue.redacted import Traces

log = logging.getLogger(__name__)

NAME = "forget.json"  # beside the journal


class Damaged(SparkError):
    """The file tells nothing; the message is one line with the cure."""


@dataclass(frozen=True)
class Late:
    """A wish that was carried out up to line `start`, but `during` these replies: what they were asked is
    written when they are over, and had been put together before."""

    traces: Traces
    start: int
    during: set[str]
    wishes: int  # that it stands for
    torn: int  # lines that it takes along


def leave(journal: Path, wishes: Iterable[Traces], authors: Iterable[Author]) -> None:
    """Write down what is to be taken out of this journal yet, and tell of it."""
    everybody, place = list(authors), journal.with_name(NAME)
    due = [
        {**each.known, "authors": [author for author in everybody if each.theirs(*author)]} for each in wishes
    ]
    draft = place.with_suffix(".new")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            json.dump(due, file)
            file.flush()
            os.fsync(file.fileno())  # or a power cut leaves the name, and nothing in it
        draft.replace(place)
    except OSError as error:
        with suppress(OSError):  # a disk that takes nothing
            draft.unlink(missing_ok=True)
        log.error("%s holds what was to be forgotten (%s); cure: delete it", journal, error.strerror)
    else:
        log.error("%s holds what is to be forgotten; cure: python -m glue.report %s", journal, journal.parent)


def left(journal: Path) -> list[Traces]:
    """What leave() wrote. Raises OSError, Damaged."""
    place = journal.with_name(NAME)
    try:
        found: list[dict[str, Any]] = json.loads(place.read_text(encoding="utf-8"))
        return [_again(each) for each in found]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        why = f"{place} is damaged: nobody knows what is to be forgotten"
        raise Damaged(f"{why}; cure: delete {journal.name}, and it") from error


def _again(known: dict[str, Any]) -> Traces:
    authors = {tuple(author) for author in known.pop("authors")}
    return Traces.again(known, lambda line: (line.author, line.author_id, str(line.source)) in authors)
