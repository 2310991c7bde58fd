"""Whom a text names, and whom not: what is forgotten with a viewer, and what is learnt beside one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from glue.events import ChatLine, Source
from glue.memory.entry import Entry, Kind
from glue.memory.glean import gleaned
from glue.memory.names import NOBODY, Names
from glue.memory.store import Store
from glue.memory.traces import Forget

OURS = (
    "lives",
    "said",
    "called",
    "works",
    "loves",
    "live",
    "love",
    "cat",
    "favourite",
    "live in",
    "my name is",
)
LINES = (
    "I live in Oslo",
    "my cat is called Biscuit",
    "I work as a nurse",
    "I love trains",
    "my favourite game is Celeste",
    "my neighbours are loud again tonight",
)


def hear(store: Store, id: str, author: str, text: str, others: Names = NOBODY) -> list[Entry]:
    """A line, kept and learnt from."""
    store.heard(id, author, text, 1.0)
    found = gleaned(id, ChatLine(id, author, text, Source.CONSOLE), "shared", 1.0, others)
    for entry in found:
        store.learn(entry, 1.0)
    return found


def forget(store: Store, viewer: str) -> set[str]:
    return {entry.text for entry in store.forget(Forget(viewers=frozenset({viewer})))[0].values()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_whose_name_is_a_word_of_ours_takes_nobody_elses_entries_along(store: Store, name: str) -> None:
    for number, text in enumerate(LINES):
        assert hear(store, str(number), "bob", text)
    hear(store, "x", name, "I play the tuba")
    known = len(store.entries)
    assert forget(store, name.title()) == {f"{name} plays the tuba"}
    assert len(store.entries) == known - 1
    assert len(list(store._raw.read())) == len(LINES)


@pytest.mark.parametrize("name", [*OURS, "mira", "Mr. X", "mira belle", "★★"])
def test_who_is_named_by_others_is_forgotten_whatever_the_name(
    store: Store, tmp_path: Path, name: str
) -> None:
    hear(store, "1", "bob", f"I love trains, and I had tea with {name} yesterday")
    hear(store, "2", "eve", f"I really love {name}")
    hear(store, "3", "eve", "I like tea")
    assert len(store.entries) > 2
    forget(store, name)
    assert [entry.text for entry in store.entries.values()] == ["eve likes tea"]
    assert name not in (tmp_path / "lines.jsonl").read_text()
    assert f"with {name} " not in (tmp_path / "entries.jsonl").read_text()


def test_what_a_model_wrote_names_whom_it_names(store: Store) -> None:
    store.put(Entry("1", Kind.PROMISE, "main", "bob", "Spark will sing with Mira on friday", 1.0))
    store.put(Entry("2", Kind.VIEWER, "main", "bob", "bob has a cat named Biscuit", 1.0))
    assert forget(store, "named") == set()
    assert forget(store, "mira") == {"Spark will sing with Mira on friday"}


@pytest.mark.parametrize("name", OURS)
def test_whose_name_is_a_word_of_ours_makes_nothing_unlearnable(store: Store, name: str) -> None:
    for number, text in enumerate(LINES):
        assert hear(store, str(number), "bob", text, Names(name, "live", "al"))
    assert len(store.entries) == len(LINES)


def test_who_is_named_in_a_fact_is_found_among_many() -> None:
    names = Names(*(f"viewer{number}" for number in range(50)), "Mira Belle", most=40)
    assert names.are_in("I saw mira  BELLE, really")
    assert not names.are_in("I saw mira and belle")
    assert not names.are_in("miras bells, viewer49s", but="bob")
    assert names.are_in("hi viewer49") and not names.are_in("hi viewer49", but="Viewer49")
    assert not names.are_in("hi viewer3")  # let go
    names.discard("MIRA belle")
    assert not names.are_in("mira belle")


class Counted(frozenset[tuple[str, str]]):
    """Bans that tell whether somebody goes through them."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        raise AssertionError("for each raw line, one after the other")


def test_a_raw_line_is_looked_up_among_the_bans() -> None:
    what = Forget(banned=Counted({("3f:", f"twitch:{n}") for n in range(9)}))
    assert what.bans("twitch:4", "3f:a:1")
    assert not what.bans("twitch:4", "4f:a:1") and not what.bans("twitch:9", "3f:a:1")
