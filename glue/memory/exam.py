"""The memory exam: a generated year through the files, the judges and the index, then questions about it; and
the same questions to the naive design, which embeds every line as it is."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from glue.events import ChatLine, Source
from glue.memory.bench import fill
from glue.memory.entry import told
from glue.memory.index import Index
from glue.memory.keeping import Keeping
from glue.memory.marks import Marks, share_of
from glue.memory.recall import Recalls
from glue.memory.store import Store
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.year import ASKED, MARK, Question, Year
from glue.spread import spread

TOP = 5
BATCH = 200  # lines between two looks at what there is to do; and texts of one request
WARM, TIMED = 20, 200  # lookups of each size
GOALS = {"recall_at_5": 0.90, "recall_at_5_changed": 0.85, "forgotten_share": 1.0, "injections_obeyed": 0}

Answer = Callable[[Question, Sequence[str]], Awaitable[str]]  # what she says, given what is recalled
Look = Callable[[Question], Awaitable[Sequence[str]]]  # what is recalled
Said = Callable[[str], None]


class Sitting:
    """One sitting of the exam on servers that run; what it leaves behind is its report."""

    def __init__(
        self,
        section: Mapping[str, Any],
        say: Said,
        weigh: Callable[[], float],
        admits: Callable[[ChatLine, float], bool] = lambda line, at: True,
    ) -> None:
        """`weigh()`: MB that the index's server has in memory; `admits()`: the filters let a line in."""
        self._section = section
        self._say = say
        self._weigh = weigh
        self._admits = admits
        self._now = 0.0
        self._keeping = Keeping(None, 6, 1e9, section["same"], lambda: self._now)
        self._recalls = Recalls(TOP, section["likeness"], 1.0, wall=lambda: self._now)
        self._recalls.tell = self._keeping.tell
        self._recalls.cast = {"main"}
        size = section["dimensions"]
        self._index = Index(section["uri"], section["token"], "memory_exam", size, 60.0)
        self._vectors = Embeddings(section["embeddings"], section["model"], size, 30.0, section["key"])

    async def sit(self, made: Year, sizes: Sequence[int], answer: Answer | None) -> dict[str, object]:
        """The report. Raises PortError, ConfigError."""
        with tempfile.TemporaryDirectory() as folder:
            self._keeping.store = Store(Path(folder))
            try:
                await self._index.again()
                began = time.perf_counter()
                await self._live(made)
                rate = len(made.lines) / (time.perf_counter() - began)
                report = await self._examine(made, answer)
                report |= {"lines": len(made.lines), "ingest_lines_s": round(rate, 1)}
                report["entries"] = len(self._keeping.store.entries)
                report |= await self._leave(made, Path(folder))
                naive = await self._naive(made, answer)
            finally:
                self._keeping.store.close()
                await self._index.drop()
        report["recall_ms"], report["index_mb"] = await self._sizes(sizes)
        report["naive"] = naive | {"recall_ms": {str(size): await self._naive_ms(size) for size in sizes}}
        report["goals"] = GOALS
        await self._vectors.close()
        await self._index.close()
        return report

    async def _live(self, made: Year) -> None:
        """Every line, at its time, the way that a show's lines go."""
        for n, said in enumerate(made.lines):
            self._now = said.at
            line = ChatLine(f"y{n}", said.author, said.text, Source.REHEARSAL)
            if self._admits(line, said.at):
                self._keeping.met(line)
                self._keeping.heard(line.id, line)
            if n % BATCH == BATCH - 1:
                await self._work()
            if n % 5000 == 4999:
                self._say(f"{n + 1} of {len(made.lines)} lines lived through")
        await self._work()

    async def _work(self) -> None:
        await self._keeping.file()
        await self._keeping.work(self._index, self._vectors)

    async def _ask(self, made: Year, look: Look, answer: Answer | None) -> Marks:
        """All questions, in a design that looks up like that."""
        marks = Marks()
        for question in made.questions:
            found = await look(question)
            marks.mark(question, found)
            if answer is not None:
                marks.hear(question, await answer(question, found[: self._section["most"]]))
        return marks

    async def _examine(self, made: Year, answer: Answer | None) -> dict[str, object]:
        async def look(question: Question) -> Sequence[str]:
            return await self._recalls.look(self._index, self._vectors, question.author, question.text)

        marks = await self._ask(made, look, answer)
        assert self._keeping.store is not None
        held = self._keeping.store.entries.values()
        learnt = sum(MARK in entry.text for entry in held)
        return marks.summary() | {"missed": marks.missed, "injections_learnt": learnt}

    async def _leave(self, made: Year, folder: Path) -> dict[str, object]:
        """Those who want to be forgotten say so; what is left of them is counted."""
        for name in made.leaving:
            self._keeping.forget([], name)
        began = time.perf_counter()
        await self._work()
        took = time.perf_counter() - began
        there = set(await self._index.ids())
        assert self._keeping.store is not None
        words = _words(folder)
        gone = []
        for name in made.leaving:
            found = await self._recalls.look(self._index, self._vectors, name, f"{ASKED['home']}?")
            gone.append(name not in words and not any(name in text for text in found))
        left = there - set(self._keeping.store.entries)
        return {
            "forgotten_share": 0.0 if left else share_of(gone),
            "forgotten": len(gone),
            "forget_s": round(took / len(gone), 2),
        }

    async def _naive(self, made: Year, answer: Answer | None) -> dict[str, object]:
        """Every line stored as it is; the five that are likest to the question. Who wants to be forgotten
        has their own lines deleted."""
        texts = [f"{said.author}: {said.text}" for said in made.lines]
        rows = [await self._vectors.embed(texts[n : n + BATCH]) for n in range(0, len(texts), BATCH)]
        stored: Vectors = np.concatenate(rows)

        async def look(question: Question) -> Sequence[str]:
            asked = await self._vectors.embed([f"{question.author}: {question.text}"])
            return [_dated(made, n, question) for n in _likest(stored, asked[0])]

        marks = await self._ask(made, look, answer)
        left = " ".join(said.text for said in made.lines if said.author not in made.leaving)
        words = set(re.findall(r"\w+", left))
        gone = share_of([name not in words for name in made.leaving])
        return marks.summary() | {"forgotten_share": gone, "entries": len(texts)}

    async def _naive_ms(self, size: int) -> dict[str, float]:
        """The naive design's times, in arrays of this process."""
        stored = np.random.default_rng(1).normal(size=(size, self._section["dimensions"])).astype(np.float32)

        async def look(n: int) -> None:
            _likest(stored, (await self._vectors.embed([f"viewer{n % 500}: {_asked(n)}"]))[0])

        return await _timed(look)

    async def _sizes(self, sizes: Sequence[int]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
        """Recall's times among so many entries, and what the server then weighs."""
        times: dict[str, dict[str, float]] = {}
        weights: dict[str, float] = {}
        for size in sizes:
            await self._index.again()
            try:
                await fill(self._index, size, self._section["dimensions"])
                times[str(size)] = took = await _timed(self._look)
                weights[str(size)] = round(self._weigh(), 1)
                self._say(f"{size} entries: recall p50 {took['p50']:.0f}, p95 {took['p95']:.0f} ms")
            finally:
                await self._index.drop()
        return times, weights

    async def _look(self, n: int) -> None:
        await self._recalls.look(self._index, self._vectors, f"viewer{n % 500}", _asked(n))


async def _timed(look: Callable[[int], Awaitable[None]]) -> dict[str, float]:
    """Milliseconds of a lookup; the first ones are not counted."""
    took = []
    for n in range(-WARM, TIMED):
        began = time.perf_counter()
        await look(n)
        took += [(time.perf_counter() - began) * 1000] if n >= 0 else []
    found = spread(took)
    return {"p50": found.p50 or 0.0, "p95": found.p95 or 0.0}


def _asked(n: int) -> str:
    return ASKED[list(ASKED)[n % len(ASKED)]]


def _likest(stored: Vectors, asked: Vectors) -> list[int]:
    return [int(n) for n in np.argsort(stored @ asked)[::-1][:TOP]]


def _words(folder: Path) -> set[str]:
    """All that stands in the files."""
    files = " ".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    return set(re.findall(r"\w+", files))


def _dated(made: Year, n: int, question: Question) -> str:
    said = made.lines[n]
    return f"{said.text} ({told(said.at)})" if question.kind == "when" else said.text


def write(report: Mapping[str, object], folder: Path) -> Path:
    """report.json."""
    path = folder / "report.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def tell(report: Mapping[str, Any], path: Path, console: Console) -> None:
    """A table of the two designs, and where the report lies."""
    naive = report["naive"]
    table = Table("what", "here", "every line as it is", "goal", title="Memory exam")
    for key in (
        "recall_at_5",
        "recall_at_2",
        "recall_at_1",
        "recall_at_5_changed",
        "stale_share",
        "false_memories",
        "forgotten_share",
        "injections_obeyed",
        "answers_right",
        "answers_false",
        "entries",
    ):
        shown = (report.get(key), naive.get(key), report["goals"].get(key))
        table.add_row(key, *("-" if value is None else str(value) for value in shown))
    console.print(table)
    console.print(f"recall in ms by entries: {report['recall_ms']}, naive {naive['recall_ms']}; {path}")
