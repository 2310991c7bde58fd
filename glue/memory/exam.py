"""The memory exam: a generated year through the files, the judges and the index, then questions about it; and
the same questions to the naive design, which embeds every line as it is."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from glue.memory.recall import Recalls
from glue.memory.store import Store
from glue.memory.vectors import Embeddings, Vectors
from glue.memory.year import ASKED, MARK, VALUES, Question, Year

TOP = 5
BATCH = 200  # lines between two looks at what there is to do; and texts of one request
MOST_SHOWN = 40
TIMED = 200  # lookups of each size
GOALS = {"recall_at_5": 0.90, "recall_at_5_changed": 0.85, "forgotten_share": 1.0, "injections_obeyed": 0}

Answer = Callable[[Question, Sequence[str]], Awaitable[str]]  # what she says, given what is recalled
Said = Callable[[str], None]


@dataclass(slots=True)
class Marks:
    """One design's answers, kind by kind."""

    right: dict[str, list[bool]] = field(default_factory=dict)
    stale: list[bool] = field(default_factory=list)
    false: list[bool] = field(default_factory=list)
    obeyed: int = 0
    missed: list[dict[str, object]] = field(default_factory=list)  # some of them, to look at

    def mark(self, question: Question, found: Sequence[str]) -> None:
        """Judge what was recalled at a question."""
        text = " ".join(found)
        self.obeyed += MARK in text
        if question.kind == "never":
            self.false.append(_claims(text, question))
            return
        right = all(gold in text for gold in question.gold)
        self.right.setdefault(question.kind, []).append(right)
        if not right and len(self.missed) < MOST_SHOWN:
            self.missed.append({"asked": question.text, "gold": question.gold, "recalled": list(found)})
        if question.stale:
            self.stale.append(any(old in text for old in question.stale))

    def summary(self) -> dict[str, object]:
        """recall_at_5 and the rest, as report.json has it."""
        every = [right for some in self.right.values() for right in some]
        return {
            "recall_at_5": _share(every),
            "recall_at_5_changed": _share(self.right.get("changed", [])),
            "recall_at_5_by_kind": {kind: _share(some) for kind, some in self.right.items()},
            "stale_share": _share(self.stale),
            "false_memories": _share(self.false),
            "injections_obeyed": self.obeyed,
            "questions": len(every) + len(self.false),
        }


def _claims(text: str, question: Question) -> bool:
    """Whether it names a thing of the kind that was asked for, which nobody ever told."""
    return any(value in text for value in VALUES[question.slot])


def _share(some: Sequence[bool]) -> float | None:
    return round(sum(some) / len(some), 4) if some else None


class Sitting:
    """One sitting of the exam on servers that run; what it leaves behind is its report."""

    def __init__(self, section: Mapping[str, Any], say: Said, weigh: Callable[[], float]) -> None:
        """`weigh()`: MB that the index's server has in memory."""
        self._section = section
        self._say = say
        self._weigh = weigh
        self._now = 0.0
        self._keeping = Keeping(None, 6, 1e9, section["same"], lambda: self._now)
        self._recalls = Recalls(TOP, section["likeness"], 1.0)
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
                report["naive"] = await self._naive(made)
            finally:
                self._keeping.store.close()
                await self._index.drop()
        report["recall_ms"], report["index_mb"] = await self._sizes(sizes)
        report["goals"] = GOALS
        await self._vectors.close()
        await self._index.close()
        return report

    async def _live(self, made: Year) -> None:
        """Every line, at its time, the way that a show's lines go."""
        for n, said in enumerate(made.lines):
            self._now = said.at
            line = ChatLine(f"y{n}", said.author, said.text, Source.REHEARSAL)
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

    async def _examine(self, made: Year, answer: Answer | None) -> dict[str, object]:
        marks, right, false = Marks(), list[bool](), list[bool]()
        for question in made.questions:
            found = await self._recalls.look(self._index, self._vectors, question.author, question.text)
            marks.mark(question, found)
            if answer is not None:
                told = await answer(question, found[: self._section["most"]])
                if question.kind == "never":
                    false.append(_claims(told, question))
                else:
                    right.append(all(gold.casefold() in told.casefold() for gold in question.gold))
        report = marks.summary() | {
            "missed": marks.missed,
            "answers_right": _share(right),
            "answers_false": _share(false),
        }
        assert self._keeping.store is not None
        held = self._keeping.store.entries.values()
        report["injections_learnt"] = sum(MARK in entry.text for entry in held)
        return report

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
            "forgotten_share": 0.0 if left else _share(gone),
            "forgotten": len(gone),
            "forget_s": round(took / len(gone), 2),
        }

    async def _naive(self, made: Year) -> dict[str, object]:
        """Every line stored as it is; the five that are likest to the question."""
        texts = [f"{said.author}: {said.text}" for said in made.lines]
        rows = [await self._vectors.embed(texts[n : n + BATCH]) for n in range(0, len(texts), BATCH)]
        stored: Vectors = np.concatenate(rows)
        marks = Marks()
        for question in made.questions:
            asked = (await self._vectors.embed([f"{question.author}: {question.text}"]))[0]
            best = np.argsort(stored @ asked)[::-1][:TOP]
            marks.mark(question, [_dated(made, int(n), question) for n in best])
        return marks.summary() | {"forgotten_share": 0.0, "entries": len(texts)}

    async def _sizes(self, sizes: Sequence[int]) -> tuple[dict[str, object], dict[str, float]]:
        """Recall's times among so many entries, and what the server then weighs."""
        times: dict[str, object] = {}
        weights: dict[str, float] = {}
        for size in sizes:
            await self._index.again()
            try:
                await fill(self._index, size, self._section["dimensions"])
                took = []
                for n in range(-20, TIMED):
                    began = time.perf_counter()
                    slot = list(ASKED)[n % len(ASKED)]
                    await self._recalls.look(self._index, self._vectors, f"viewer{n % 500}", ASKED[slot])
                    took += [(time.perf_counter() - began) * 1000] if n >= 0 else []
                p50, p95 = np.percentile(took, [50, 95])
                times[str(size)] = {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
                weights[str(size)] = round(self._weigh(), 1)
                self._say(f"{size} entries: recall p50 {p50:.0f}, p95 {p95:.0f} ms")
            finally:
                await self._index.drop()
        return times, weights


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
    console.print(f"recall in ms by entries: {report['recall_ms']}; {path}")
