"""The real Milvus Lite and the real MiniLM as child processes, and memories that use them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import anyio
from anyio.abc import TaskGroup

from engines.port import unused
from engines.process import Spec
from engines.specs import spec
from glue.events import ChatLine, Ending, LineArrived, Source, StageTaken, TurnEnded, TurnStarted
from glue.memory.milvus import MilvusMemory
from glue.ports import Piece, Prompt, Role, Usage, Whose
from glue.supervise import Emit, Works, supervise
from tests.wires.child_engines import serving


@dataclass(frozen=True, slots=True)
class Servers:
    """Where they are."""

    milvus: str
    embeddings: str
    index: Path


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Both, ready."""
    index, embeddings = _milvus(folder), spec("embeddings", {"port": unused()})
    with serving(index, embeddings):
        yield Servers(f"http://{index.address}", embeddings.address, folder / "index")


@contextmanager
def milvus(folder: Path) -> Iterator[tuple[str, Popen[bytes]]]:
    """Milvus Lite alone: its address, and its process."""
    index = _milvus(folder)
    with serving(index) as (process,):
        yield f"http://{index.address}", process


def _milvus(folder: Path) -> Spec:
    return spec("memory", {"port": unused(), "folder": str(folder / "index")})


@dataclass
class Notes:
    """A language model's side: hands out what a test wrote down, and keeps what it was asked."""

    answers: list[str] = field(default_factory=list)
    asked: list[Prompt] = field(default_factory=list)

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[Piece]:
        assert role is Role.BACKGROUND
        self.asked.append(prompt)
        yield self.answers.pop(0) if self.answers else '{"notes": []}'
        yield Usage(1, 0, 1)

    async def warm(self, prompt: Prompt) -> int:
        return 0

    async def settle(self, prompt: Prompt) -> int:
        return 0

    def still(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def count(self, text: str) -> int:
        return 0


def note(line: int, text: str, kind: str = "viewer", topic: str = "other") -> str:
    return json.dumps({"notes": [{"line": line, "kind": kind, "topic": topic, "text": text}]})


@dataclass
class Show:
    """A memory at work in a task group, and what she would be told."""

    memory: MilvusMemory
    llm: Notes
    unlearned: list[str]
    known: dict[str, str]  # core memory
    lines: int = 0

    def say(self, author: str, text: str, heard: str = "") -> str:
        """A viewer's line; with `heard` it is answered at once."""
        self.lines += 1
        id = f"l{self.lines}"
        line = ChatLine(id, author, text, Source.CONSOLE)
        self.memory.show(LineArrived(0.0, line))
        if heard:
            self.memory.show(TurnStarted(0.0, "main", id, line, False))
            self.memory.show(TurnEnded(0.0, "main", id, Ending.FINISHED, heard, heard))
        return id

    @staticmethod
    def line(author: str, text: str) -> ChatLine:
        """The line that recalled() asks with."""
        return ChatLine(f"ask-{author}-{text}", author, text, Source.CONSOLE)

    async def told(self, author: str, text: str, who: str = "main") -> list[str]:
        """What `who` is told at this line, when it has been looked up."""
        asked = self.line(author, text)
        self.memory.show(LineArrived(0.0, asked))
        await self.memory._recalls._lines[asked.id].done.wait()
        return list(await self.memory.recall(who, asked))

    async def recalled(
        self, author: str, text: str, until: Callable[[Sequence[str]], bool] = bool, who: str = "main"
    ) -> list[str]:
        """Ask until what `who` is told is as wanted, or for a minute."""
        found: list[str] = []
        with anyio.move_on_after(60):
            while not until(found := await self.told(author, text, who)):  # noqa: ASYNC110
                await anyio.sleep(0.1)
        return found


@asynccontextmanager
async def remembering(
    at: Servers,
    folder: Path,
    answers: Sequence[str] = (),
    selves: Mapping[str, tuple[str, Sequence[str]]] | None = None,
    told: Emit | None = None,
    **more: Any,
) -> AsyncIterator[Show]:
    """A memory on these servers, its work running; `selves`: who is on stage, and what is true of them. With
    `told` it is supervised as in a show, and may fail."""
    selves = selves or {"main": ("Spark", ())}
    llm, unlearned, known = Notes(list(answers)), list[str](), dict[str, str]()

    def unlearn(ids: Sequence[str], whose: Whose | None) -> None:
        unlearned.extend(ids)

    async def know(who: str, text: str) -> None:
        known[who] = text

    def unknow(who: str) -> None:
        known.pop(who, None)

    made = MilvusMemory(
        llm,
        unlearn,
        know,
        unknow,
        at.milvus,
        at.embeddings,
        "minilm",
        str(folder),
        learn_from=1,
        learn_after_s=0.1,
        selves=selves,
        **more,
    )
    async with made as memory:
        for who, (name, _) in selves.items():
            memory.show(StageTaken(0.0, who, name))
        async with anyio.create_task_group() as tg:
            await _started(memory, tg, told)
            yield Show(memory, llm, unlearned, known)
            tg.cancel_scope.cancel()


async def _started(memory: MilvusMemory, tg: TaskGroup, told: Emit | None) -> None:
    ready = anyio.Event()
    runs = memory.runs()

    async def run(works: Works) -> None:
        def both() -> None:
            works()
            ready.set()

        await runs["memory"](both)

    for name in ("memory file", "memory figures"):
        tg.start_soon(runs[name], lambda: None)
    tg.start_soon(supervise, "memory", run, told) if told else tg.start_soon(run, ready.set)
    with anyio.fail_after(30):
        await ready.wait()
