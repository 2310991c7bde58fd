"""A memory at work without servers: the files are real; the index is a shelf that finds all that is the
viewer's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
import numpy as np

from glue.events import ChatLine, Ending, Event, LineArrived, Source, StageTaken, TurnEnded, TurnStarted
from glue.memory.entry import Entry, Kind
from glue.memory.index import Found, Index
from glue.memory.milvus import MilvusMemory
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.wanted import Wanted
from glue.mind.persona import Persona
from glue.mind.talk import Talk
from tests.wires.memory_servers import Notes

PERSONA = Persona("Spark", "bright", "You are Spark.", [], [], ["Wonder."])


@dataclass
class Shelf:
    """An index that finds all that is about the viewer who asks."""

    entries: dict[str, Entry] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def add(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        self.entries |= {entry.id: entry for entry in entries}

    async def remove(self, gone: Mapping[str, str]) -> None:
        for id in gone:
            self.entries.pop(id, None)

    async def purge(self, names: Iterable[str]) -> None:
        """There are no files."""

    async def flush(self) -> None:
        """Nor is anything late."""

    async def near(self, entry: Entry, vector: Vectors, least: float) -> set[str]:
        return set()

    async def search(self, text: str, vectors: Vectors, wanted: Wanted, most: int) -> list[Found]:
        self.asked.append(text)
        return [
            Found(id, 1.0)
            for id, entry in self.entries.items()
            if entry.viewer in (wanted.viewer, "") and (wanted.hers or entry.kind is not Kind.SELF)
        ]


class Zeros:
    """Vectors that mean nothing."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), 4), np.float32)


@dataclass
class Scene:
    """A memory, her mind and the shelf."""

    memory: MilvusMemory
    talk: Talk
    llm: Notes
    folder: Path
    shelf: Shelf = field(default_factory=Shelf)

    def say(self, line: ChatLine, *then: Event, heard: str = "") -> ChatLine:
        """A line arrives; with `heard` it is answered at once."""
        self.memory.show(LineArrived(0.0, line))
        for event in then:
            self.memory.show(event)
        if heard:
            self.answer(line, heard)
        return line

    def answer(self, line: ChatLine, heard: str) -> None:
        self.memory.show(TurnStarted(0.0, "main", f"t-{line.id}", line, False))
        self.talk.remember(line, heard, cut=False)
        self.memory.show(TurnEnded(0.0, "main", f"t-{line.id}", Ending.FINISHED, heard, heard))

    async def settle(self) -> None:
        """All that the background has to do, is done."""
        index, vectors = cast(Index, self.shelf), cast(Embeddings, Zeros())
        await self.memory._file()
        await self.memory._keeping.work(index, vectors)

    async def recalled(self, line: ChatLine, *arrived: ChatLine) -> list[str]:
        """What she is told at a line, once those that `arrived` (or it) were looked up."""
        index, vectors = cast(Index, self.shelf), cast(Embeddings, Zeros())
        async with anyio.create_task_group() as tg:
            tg.start_soon(self.memory._recalls.serve, index, vectors, lambda: None)
            for each in arrived or (line,):
                if each.id not in self.memory._recalls._lines:
                    self.say(each)
                with anyio.fail_after(30):
                    await self.memory._recalls._lines[each.id].done.wait()
            found = await self.memory.recall("main", line)
            tg.cancel_scope.cancel()
        return list(found)

    def written(self) -> str:
        """All that stands in the files."""
        return "".join(path.read_text(encoding="utf-8") for path in self.folder.iterdir())

    def prompt(self) -> str:
        return " ".join(message.content for message in self.talk.prefix().messages)


@asynccontextmanager
async def remembering(
    folder: Path,
    answers: Sequence[str] = (),
    refuses: Callable[[str], str] = lambda text: "",
    selves: Mapping[str, tuple[str, Sequence[str]]] | None = None,
    **more: Any,
) -> AsyncIterator[Scene]:
    selves = selves or {"main": ("Spark", ())}

    async def know(who: str, text: str) -> None:
        """Core memory has tests of its own."""

    talk, llm = Talk("main", PERSONA, "voice", budget=10**6), Notes(list(answers))
    nowhere = ("http://127.0.0.1:1", "http://127.0.0.1:1", "minilm")
    made = MilvusMemory(
        llm,
        talk.forget,
        know,
        lambda who: None,
        *nowhere,
        folder=str(folder),
        within_ms=5000.0,
        learn_from=1,
        refuses=refuses,
        selves=selves,
        **more,
    )
    async with made as memory:
        for who, (name, _) in selves.items():
            memory.show(StageTaken(0.0, who, name))
        yield Scene(memory, talk, llm, folder)


def line(text: str, id: str = "l1", author: str = "Mira", **more: Any) -> ChatLine:
    return ChatLine(id, author, text, **({"source": Source.CONSOLE} | more))


def on(source: Source, author_id: str, text: str, id: str, author: str = "Mira") -> ChatLine:
    return ChatLine(id, author, text, source, author_id=author_id)
