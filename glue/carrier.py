"""The desk's export and import of her memory, told in the journal like every wish: beside controls.py."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from glue.booth import Deed
from glue.desk_events import OperatorServed, Wish
from glue.errors import Declined, Refused
from glue.parts import Parts

NO_MEMORY = "she has no memory in this show; cure: memory=milvus at the start"
NAME = re.compile(r"(?P<name>[\w-][\w.-]{0,60}?)(?:\.jsonl)?")  # of a file: never a path
USUAL = "spark-memory"
LARGEST = 64 * 1024 * 1024  # bytes, as for the page


class Carrier:
    """What the page's two buttons do, whose paths are the browser's and are not sent here, and the terminal's
    two commands, whose files lie in `folder`. keep() does what takes longer than a wish may."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts = parts
        self._folder = folder
        self._errands: list[Callable[[], Awaitable[None]]] = []
        self._asked = anyio.Event()

    def export(self) -> Iterator[bytes] | None:
        """All that she remembers, as JSON lines; None where there is no memory."""
        memories = self._parts.memories
        self._tell("export", memories is not None, "on its way to the browser" if memories else NO_MEMORY)
        return memories.export() if memories else None

    async def take(self, data: bytes) -> tuple[bool, str]:
        """Whether an export was taken in, and what to tell of it."""
        done, told = False, NO_MEMORY
        if self._parts.memories is not None:
            try:
                new = await self._parts.memories.take(data)
                done, told = True, f"{new} entries are new; she recalls them as soon as they are indexed"
            except Refused as error:
                told = error.why
        self._tell("import", done, told)
        return done, told

    def deeds(self) -> Mapping[Wish, Deed]:
        """The terminal's commands: both begin at once and are told of again when they are over. Beside
        the one in work one may wait."""
        return {
            Wish.EXPORT: lambda name: self._begin(self._write, self._place(name or USUAL)),
            Wish.IMPORT: lambda name: self._begin(self._read, self._place(name)),
        }

    async def keep(self) -> None:
        """Carry for ever, one thing after the other."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            while self._errands:
                await self._errands.pop(0)()

    def _place(self, name: str) -> Path:
        found = NAME.fullmatch(name)
        if found is None:
            raise Declined(f"the name of a file in {self._folder} is wanted, without a path")
        return self._folder / f"{found['name']}.jsonl"

    def _begin(self, errand: Callable[[Path], Awaitable[None]], file: Path) -> str:
        if self._parts.memories is None:
            raise Declined(NO_MEMORY)
        if self._errands:
            raise Declined("one waits already; ask again when that is told to be over")
        self._errands.append(partial(errand, file))
        self._asked.set()
        return f"begun: {file}"

    async def _write(self, file: Path) -> None:
        memories = self._parts.memories
        assert memories is not None  # _begin() has seen it
        try:
            await anyio.to_thread.run_sync(_written, file, memories.export())
            self._tell("export", True, f"all of it is in {file}")
        except OSError as error:
            self._tell("export", False, f"{file}: {error.strerror}")

    async def _read(self, file: Path) -> None:
        try:
            data = await anyio.to_thread.run_sync(_within, file)
        except OSError as error:
            self._tell("import", False, f"{file}: {error.strerror}")
            return
        if data is None:
            self._tell("import", False, f"{file} is no file of at most {LARGEST >> 20} MB in its folder")
        else:
            await self.take(data)

    def _tell(self, what: str, done: bool, effect: str) -> None:
        self._parts.emit(OperatorServed(anyio.current_time(), what, "", done, effect))


def _written(file: Path, pages: Iterator[bytes]) -> None:
    """The whole file or, where that fails, what was there before. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_suffix(".part")
    try:
        with part.open("wb") as out:
            for page in pages:
                out.write(page)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _within(file: Path) -> bytes | None:
    """What is in it; None for what is too large, or lies elsewhere by a link. Raises OSError."""
    real = file.resolve(strict=True)
    if real.parent != file.parent.resolve() or not real.is_file() or real.stat().st_size > LARGEST:
        return None
    return real.read_bytes()
