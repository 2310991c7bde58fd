"""What a kill, an end at any moment and a slow model do to what she learns and forgets."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.from_thread
import anyio.to_thread
import numpy as np
import pytest

from glue.errors import Refused
from glue.events import ChatLine, Ending, LineArrived, Source, TurnEnded, TurnStarted
from glue.memory import keeping as keeping_module
from glue.memory.bonds import Bonds
from glue.memory.entry import Entry, Kind
from glue.memory.file import LineFile
from glue.memory.index import Index
from glue.memory.keeping import Keeping
from glue.memory.milvus import MilvusMemory
from glue.memory.store import Store
from glue.memory.traces import Forget
from glue.memory.vectors import Embeddings, Vectors
from glue.ports import Llm, Piece, Prompt, Role
from tests.wires.memory_servers import Notes, note

pytestmark = pytest.mark.anyio


class Shelf:
    """An index that only takes down what it is told."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.alike: set[str] = set()  # what near() finds
        self.stirred = anyio.Event()

    async def ids(self) -> dict[str, str]:
        return {}

    async def add(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        self.rows |= {entry.id: entry.text for entry in entries}
        self.stirred.set()

    async def remove(self, gone: Mapping[str, str]) -> None:
        for id in gone:
            self.rows.pop(id, None)
        self.stirred.set()

    async def near(self, entry: Entry, vector: Vectors, least: float) -> set[str]:
        return self.alike

    async def purge(self, names: object) -> None: ...
    async def flush(self) -> None: ...

    async def comes_to(self, *texts: str) -> None:
        with anyio.fail_after(30):
            while sorted(self.rows.values()) != sorted(texts):
                self.stirred = anyio.Event()
                await self.stirred.wait()


@dataclass
class Vectorless:
    """Every text is as like as that to every other."""

    likeness: float = 0.0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 1), self.likeness**0.5, np.float32)


class Hanging(Notes):
    """A model that is asked, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.began = anyio.Event()

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[Piece]:
        self.began.set()
        await anyio.sleep_forever()
        yield ""


def kept(llm: Llm | None, folder: Path) -> Keeping:
    made = Keeping(llm, 1, 20.0, 0.75, lambda: 100.0)
    made.open(Store(folder))
    return made


def closed(keeping: Keeping) -> None:
    assert keeping.store is not None
    keeping.store.close()


def hear(keeping: Keeping, id: str, author: str, text: str) -> ChatLine:
    line = ChatLine(id, author, text, Source.CONSOLE)
    keeping.heard(id, line)
    return line


def texts(folder: Path) -> list[str]:
    """What is known after a restart."""
    store = Store(folder)
    store.close()
    return [entry.text for entry in store.entries.values() if not entry.ended]


def traces(folder: Path, word: str) -> list[str]:
    return [path.name for path in folder.iterdir() if word in path.read_text()]


async def work(keeping: Keeping, shelf: Shelf, likeness: float = 0.0) -> None:
    await keeping.work(cast(Index, shelf), cast(Embeddings, Vectorless(likeness)))


def memory(folder: Path, llm: Llm) -> MilvusMemory:
    async def know(who: str, text: str) -> None: ...

    return MilvusMemory(
        llm,
        lambda ids, whose: None,
        know,
        lambda who: None,
        "http://127.0.0.1:1",
        "http://127.0.0.1:1",
        "",
        str(folder),
    )


KILLED = """
import sys, time, anyio
from pathlib import Path
from glue.events import ChatLine, Source
from glue.memory.keeping import Keeping
from glue.memory.store import Store

async def main():
    keeping = Keeping(None, 6, 1e9, 0.75)
    keeping.open(Store(Path(sys.argv[1])))
    for n in range(300):
        line = ChatLine(str(n), f"viewer{n}", f"my cat is called Biscuit{n}", Source.CONSOLE)
        keeping.met(line)
        keeping.heard(line.id, line)
    keeping.exchanged("main", "7", line, "Aww.")
    await keeping.file()
    for n in range(300, 400):
        keeping.heard(str(n), ChatLine(str(n), "late", "I love trains", Source.CONSOLE))
    sys.stdout.write("filed\\n"); sys.stdout.flush()
    await keeping.file()
    time.sleep(60)

anyio.run(main)
"""


def test_kill_9_loses_no_fact_no_exchange_and_no_acquaintance(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "filed\n"
        process.send_signal(signal.SIGKILL)
    assert set(texts(tmp_path)) >= {f"viewer{n}'s cat is called Biscuit{n}" for n in range(300)}
    store = Store(tmp_path)
    ((who, exchange),) = store.waiting()
    assert (who, exchange.author, exchange.heard) == ("main", "viewer299", "Aww.")
    assert len(store.bonds.known) == 300
    store.close()


HUNG = """
import sys, anyio
from glue.desk_events import TurnAsked
from glue.events import ChatLine, LineArrived, Source
from tests.test_memory_durable import memory
from tests.wires.memory_servers import Notes

class Hung(Notes):
    async def count(self, text):
        made.show(LineArrived(0.0, ChatLine("1", "mira", "my cat is called Biscuit", Source.CONSOLE)))
        sys.stdout.write("told\\n"); sys.stdout.flush()
        await anyio.sleep_forever()

async def main():
    async with made, anyio.create_task_group() as tg:
        made.show(TurnAsked(0.0, "main", "t", ("mira has a dog",), ()))
        for part, run in made.runs().items():
            if part != "memory":  # there is no index
                tg.start_soon(run, lambda: None)

made = memory(Path(sys.argv[1]), Hung())
anyio.run(main)
"""


def test_kill_9_loses_nothing_older_than_two_seconds_while_the_models_server_hangs(tmp_path: Path) -> None:
    told = [sys.executable, "-c", f"from pathlib import Path\n{HUNG}", str(tmp_path)]
    with subprocess.Popen(told, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "told\n"
        time.sleep(2.0)  # what is promised
        process.send_signal(signal.SIGKILL)
    assert texts(tmp_path) == ["mira's cat is called Biscuit"]


async def test_a_clean_end_right_after_a_fact_was_told_keeps_it(tmp_path: Path) -> None:
    async with memory(tmp_path, Notes()) as made:
        made.show(LineArrived(0.0, ChatLine("1", "mira", "my cat is called Biscuit", Source.CONSOLE)))
    assert texts(tmp_path) == ["mira's cat is called Biscuit"]


async def test_an_end_while_lines_are_written_loses_none_and_writes_none_twice(tmp_path: Path) -> None:
    keeping = kept(None, tmp_path)
    hear(keeping, "1", "mira", "my cat is called Biscuit")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await keeping.file()
    await keeping.file()
    closed(keeping)
    assert texts(tmp_path) == ["mira's cat is called Biscuit"]
    assert (tmp_path / "lines.jsonl").read_text().count("Biscuit") == 1


async def test_what_waited_to_be_distilled_is_learnt_after_a_restart(tmp_path: Path) -> None:
    line = ChatLine("1", "mira", "we got a kitten, Biscuit, and she snores", Source.CONSOLE)
    async with memory(tmp_path, Notes()) as made:
        made.show(TurnStarted(0.0, "main", "t", line, False))
        made.show(TurnEnded(0.0, "main", "t", Ending.FINISHED, "Aww.", "Aww."))
    llm = Notes([note(0, "mira has a kitten named Biscuit")])
    keeping = kept(llm, tmp_path)
    await work(keeping, Shelf())
    await keeping.file()
    assert len(llm.asked) == 1
    closed(keeping)
    assert texts(tmp_path) == ["mira has a kitten named Biscuit"]
    assert (tmp_path / "waiting.jsonl").read_text().count("\n") == 1


async def test_nothing_waits_for_the_model(tmp_path: Path) -> None:
    llm, shelf = Hanging(), Shelf()
    keeping = kept(llm, tmp_path)
    keeping.exchanged("main", "0", hear(keeping, "0", "bob", "I play the tuba"), "Loud!")
    async with anyio.create_task_group() as tg:
        tg.start_soon(keeping.serve, cast(Index, shelf), cast(Embeddings, Vectorless()))
        with anyio.fail_after(30):
            await llm.began.wait()
        hear(keeping, "1", "mira", "my cat is called Biscuit")
        await keeping.file()
        await shelf.comes_to("bob plays the tuba", "mira's cat is called Biscuit")
        keeping.forget((), "mira")
        await shelf.comes_to("bob plays the tuba")
        tg.cancel_scope.cancel()
    closed(keeping)


async def test_what_is_forgotten_while_it_is_written_is_not_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = kept(None, tmp_path)
    assert keeping.store is not None
    writing, go_on = threading.Event(), threading.Event()
    heard = keeping.store.heard

    def slowly(*words: Any) -> None:
        writing.set()
        go_on.wait(30)
        heard(*words)

    monkeypatch.setattr(keeping.store, "heard", slowly)
    hear(keeping, "1", "mira", "my cat is called Biscuit")
    async with anyio.create_task_group() as tg:
        tg.start_soon(keeping.file)
        await anyio.to_thread.run_sync(writing.wait, 30)
        keeping.forget((), "mira")
        go_on.set()
    assert not keeping.store.entries
    await keeping.file()
    closed(keeping)
    assert not traces(tmp_path, "Biscuit") and not traces(tmp_path, "mira")


async def test_what_others_said_of_a_viewer_before_the_wish_goes_whenever_the_wish_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = kept(Notes(), tmp_path)
    assert keeping.store is not None
    forget = keeping.store.forget

    def wish() -> None:
        said = hear(keeping, "2", "bob", "I had tea with Mira yesterday at home")
        keeping.exchanged("main", "2", said, "Nice.")
        keeping.exchanged("main", "3", hear(keeping, "3", "bob", "who came with me?"), "Mira did.")
        keeping.forget((), "mira")

    def meanwhile(what: Forget) -> Any:
        monkeypatch.setattr(keeping.store, "forget", forget)
        anyio.from_thread.run_sync(wish)
        return forget(what)

    monkeypatch.setattr(keeping.store, "forget", meanwhile)
    keeping.forget((), "eve")
    await keeping.file()
    await keeping.file()
    assert not keeping.store.entries
    closed(keeping)
    assert not traces(tmp_path, "Mira")


async def test_many_wishes_are_one_pass_over_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = kept(None, tmp_path)
    for n in range(20):
        hear(keeping, str(n), f"viewer{n}", f"my cat is called Biscuit{n}")
    await keeping.file()
    passes: list[str] = []
    keep = LineFile.keep

    def counted(file: LineFile, wanted: Any) -> int:
        passes.append(file.path.name)
        return keep(file, wanted)

    monkeypatch.setattr(LineFile, "keep", counted)
    for n in range(10):
        keeping.forget((), f"viewer{n}")
    await keeping.file()
    assert sorted(passes) == ["entries.jsonl", "lines.jsonl", "viewers.jsonl", "waiting.jsonl"]
    closed(keeping)
    assert texts(tmp_path) == [f"viewer{n}'s cat is called Biscuit{n}" for n in range(10, 20)]


async def test_what_was_merged_is_known_no_more_and_leaves_with_its_viewer(tmp_path: Path) -> None:
    keeping, shelf = kept(None, tmp_path), Shelf()
    for id, text in (("1", "I collect old stamps"), ("2", "I collect ancient stamps")):
        hear(keeping, id, "mira", text)
        await keeping.file()
        await work(keeping, shelf)
        shelf.alike = set(shelf.rows)
    assert list(shelf.rows.values()) == ["mira collects old stamps"]
    closed(keeping)
    assert texts(tmp_path) == ["mira collects old stamps"]
    keeping = kept(None, tmp_path)
    keeping.forget((), "mira")
    await keeping.file()
    closed(keeping)
    assert not traces(tmp_path, "stamps")


async def test_what_is_told_twice_at_once_is_one_memory(tmp_path: Path) -> None:
    keeping, shelf = kept(None, tmp_path), Shelf()
    for id, viewer, text in (
        ("1", "mira", "I collect old stamps"),
        ("2", "bob", "I collect stamps"),
        ("3", "mira", "I collect ancient stamps"),
    ):
        hear(keeping, id, viewer, text)
    await keeping.file()
    await work(keeping, shelf, likeness=0.9)
    closed(keeping)
    assert texts(tmp_path) == ["mira collects old stamps", "bob collects stamps"]
    assert sorted(shelf.rows.values()) == sorted(texts(tmp_path))


async def test_lines_are_read_through_beside_the_shows_own_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def gleaned(*words: object) -> list[Entry]:
        threads.add(threading.get_ident())
        return []

    monkeypatch.setattr(keeping_module, "gleaned", gleaned)
    keeping = kept(None, tmp_path)
    hear(keeping, "1", "mira", "my cat is called Biscuit")
    await keeping.file()
    closed(keeping)
    assert threads and threading.get_ident() not in threads


def test_a_kill_while_relationships_are_written_again_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    for show in range(4):
        known = Bonds(LineFile(tmp_path / "viewers.jsonl"))
        for number in range(500):
            known.met(f"viewer{number}", show * 86_400.0)
        known.close()

    def kill(*words: object) -> None:
        raise Killed

    monkeypatch.setattr(LineFile, "append", kill)
    file = LineFile(tmp_path / "viewers.jsonl")
    try:
        assert len(Bonds(file).known) == 500
    except Killed:
        pass
    file.close()
    monkeypatch.undo()
    file = LineFile(tmp_path / "viewers.jsonl")
    assert len(Bonds(file).known) == 500
    file.close()


def test_a_draft_that_a_kill_left_is_gone_with_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "lines.new").write_text("mira")
    Store(tmp_path).close()
    assert not (tmp_path / "lines.new").exists()


def test_an_attempt_to_forget_that_failed_half_way_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.heard("1", "bob", "mira is a friend of mine. I like tea", 1.0)
    store.put(Entry("e", Kind.VIEWER, "main", "bob", "bob likes tea", 1.0, source="1"))
    strike = store._strike

    def full(*words: object) -> None:
        raise Refused("memory", "no room")

    what = Forget(viewers=frozenset({"mira"}))
    monkeypatch.setattr(store, "_strike", full)
    with pytest.raises(Refused):
        store.forget(what)
    monkeypatch.setattr(store, "_strike", strike)
    assert set(store.forget(what)[0]) == {"e"}
    store.close()
    assert not traces(tmp_path, "tea")
