"""The journal on its bad days: a full disk, and words that no UTF-8 can write."""

import errno
import json
import logging
from pathlib import Path

import pytest

from glue.events import ChatLine, LineArrived, Source
from glue.journal import Journal


def arrived(text: str) -> LineArrived:
    return LineArrived(1.0, ChatLine("x-1", "mika", text, Source.CONSOLE))


class Disk:
    """A file on a disk with so many bytes of room."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("ab", buffering=0)
        self.room = 0

    def write(self, raw: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self.file.write(raw[: self.room])
        self.room -= taken
        return taken

    def close(self) -> None:
        self.file.close()


def test_after_a_full_disk_the_journal_goes_on_and_says_what_it_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, {}) as journal:
        assert journal._file is not None
        journal._file.close()
        journal._file = disk = Disk(path)  # type: ignore[assignment]
        disk.room = 30
        with caplog.at_level(logging.ERROR):
            for text in ("half", "not at all", "nor this"):
                journal.show(arrived(text))
        disk.room = 10_000
        journal.show(arrived("room again"))
        journal.show(arrived("and on"))
    assert len(caplog.records) == 1
    head, torn, lost, first, second = path.read_text().splitlines()
    assert json.loads(head)["event"] == "ShowStarted" and len(torn) == 30
    assert json.loads(lost) == {"event": "JournalLost", "events": 3}
    assert [json.loads(line)["line"]["text"] for line in (first, second)] == ["room again", "and on"]


def test_half_a_character_is_written_as_something(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl", {}) as journal:
        journal.show(arrived("\ud800 hello"))
    said = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[1])
    assert said["line"]["text"].endswith("hello")
