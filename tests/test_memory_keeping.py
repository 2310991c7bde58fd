"""What is kept of a show, what is forgotten of it, and what is late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from glue.events import ChatLine, Source
from glue.memory.core import Core
from glue.memory.entry import Entry, Kind
from glue.memory.keeping import Keeping
from glue.memory.recall import Recalls, parts
from glue.memory.store import Store
from tests.test_eyes_show import VIRTUAL
from tests.wires.memory_servers import Notes

pytestmark = pytest.mark.anyio


@pytest.fixture
async def keeping(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Keeping]:
    made = Keeping(None, 6, 20.0, 0.75, lambda: 100.0)
    made.store = Store(tmp_path)
    yield made
    made.store.close()


def line(id: str, author: str, text: str) -> ChatLine:
    return ChatLine(id, author, text, Source.CONSOLE)


WAITS = {
    "what is my cat called?": 0.05,
    "Do you remember the tuba": 0.05,
    "what did you promise": 0.05,
    "do you like trains?": 0.05,
    "my cat sleeps": 0.05,
    "bananas": 0.01,
    "lol": 0.01,
}


@pytest.mark.parametrize("anyio_backend", [VIRTUAL], ids=["virtual"])
async def test_a_recall_that_is_late_is_done_without() -> None:
    recalls = Recalls(2, 0.18, 0.01)
    for text, waits in WAITS.items():
        asked = line(text, "mira", text)
        recalls.arrived(asked)
        began = anyio.current_time()
        assert await recalls.get("main", asked) == []
        assert anyio.current_time() - began == pytest.approx(waits), text
    assert recalls.missed == len(WAITS)


async def test_a_forgotten_viewers_entries_are_not_told_from_that_moment_on(keeping: Keeping) -> None:
    assert keeping.store is not None
    keeping.store.put(Entry("1", Kind.VIEWER, "shared", "mira", "mira plays the tuba", 1.0))
    assert keeping.tell(["1"], "hi", "main") == ["mira plays the tuba"]
    keeping.forget([], "Mira")
    assert keeping.tell(["1"], "hi", "main") == []


async def test_a_line_that_was_not_let_in_is_in_no_file(keeping: Keeping, tmp_path: Path) -> None:
    keeping.heard("a", line("a", "mira", "my phone number is 0123"))
    keeping.heard("b", line("b", "mira", "x" * 1_000_000))
    keeping.unheard("a")
    await keeping.file()
    text = (tmp_path / "lines.jsonl").read_text()
    assert "0123" not in text
    assert 2000 < len(text) < 3000


async def test_what_was_only_quoted_before_a_fact_is_not_told_with_it(keeping: Keeping) -> None:
    assert keeping.store is not None
    for id, kind, text, at in (
        ("1", Kind.EPISODE, 'mira said "greetings from Oslo, that is my home"', 1.0),
        ("2", Kind.VIEWER, "mira lives in Lisbon", 2.0),
        ("3", Kind.EPISODE, 'mira said "my neighbours in Lisbon are loud"', 3.0),
    ):
        keeping.store.put(Entry(id, kind, "shared", "mira", text, at))
    assert keeping.tell(["1", "2", "3"], "where do I live?", "main") == [
        "mira lives in Lisbon",
        'mira said "my neighbours in Lisbon are loud"',
    ]
    assert len(keeping.tell(["1"], "where do I live?", "main")) == 1


async def test_core_memory_keeps_to_its_budget_and_forgets_at_once(keeping: Keeping) -> None:
    class Counting(Notes):
        async def count(self, text: str) -> int:
            return len(text.split())

    told: list[tuple[str, str]] = []

    async def know(who: str, text: str) -> None:
        told.append((who, text))

    core = Core(Counting(), keeping, know, lambda who: told.append((who, "")), tokens=12)
    assert keeping.store is not None
    for number in range(4):
        text = f"Spark will sing song number {number}"
        keeping.store.put(Entry(str(number), Kind.PROMISE, "main", "mira", text, float(number)))
    await core.edit(["main"])
    assert told == [("main", "(Promised to mira: Spark will sing song number 3.)")]
    await core.edit(["main"])
    assert len(told) == 1
    core.forget(keeping.forget([], "bob"), "bob")
    assert len(told) == 1
    core.forget(keeping.forget([], "mira"), "mira")
    assert told[-1] == ("main", "")
    await core.edit(["main"])
    assert told[-1] == ("main", "")


def test_two_questions_in_a_line_are_looked_up_apart() -> None:
    assert parts("where do I live and what is my job?") == ["where do I live", "what is my job?"]
    assert parts("I like tea and what not") == ["I like tea and what not"]
    assert parts("") == []


async def test_she_learns_from_nothing_less_than_one_exchange(tmp_path: Path) -> None:
    """With memory.adapter.learn_from=0 she was to learn before anything was said, which ended the show."""
    notes = Notes()
    keeping = Keeping(notes, 0, 20.0, 0.75, lambda: 100.0)
    with closing(Store(tmp_path)) as store:
        keeping.open(store)
        await keeping._think()
        assert not notes.asked
        keeping.exchanged("main", "1", line("1", "mira", "I have a cat called Biscuit"), "How lovely!")
        await keeping._think()
        await keeping._think()
    assert len(notes.asked) == 1
