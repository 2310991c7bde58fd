"""Whether a disk was full: by the error of a write of ours, or by the words of a program that we ran."""

from __future__ import annotations

import errno
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
WORDS = re.compile(r"No space left on device|Disk quota exceeded|File too large")


def full(error: OSError) -> bool:
    """Whether a write found no room."""
    return error.errno in FULL


def told(error: OSError) -> str:
    """A failed write in one line, with the cure."""
    cure = (
        "free some of that disk, then start again" if full(error) else "see that you may read and write there"
    )
    return f"{error.filename or 'the disk'}: {error.strerror or error}; cure: {cure}"


def cure(said: Iterable[str], where: Path, usual: str) -> str:
    """What helps a program that ended with these lines: room in `where`, or what usually does."""
    if not any(map(WORDS.search, said)):
        return usual
    beside = tempfile.gettempdir()  # pip unpacks there, and a compiler leaves its steps there
    return f"free some of the disk of {where}, or of {beside} (TMPDIR), then start again"
