"""Which replies chat laughed at, and what becomes of them: counted by rules, whatever anybody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from glue.chat_events import LinesRemoved
from glue.events import (
    ChatLine,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.memory.core import lines
from glue.memory.entry import Entry, Kind
from glue.memory.laughs import is_laugh
from glue.memory.store import Store
from glue.memory_events import LinesForgotten, ReplyLanded
from glue.song_events import SongStarted
from tests.memory_show import Scene, line, remembering

pytestmark = pytest.mark.anyio
JOKE = "My toaster runs the stream, and it wants a raise."


@pytest.mark.parametrize(
    "text", ["lol", "LOOOL", "haha", "HAHAHA good one", "kekw", "KEKW KEKW", "\U0001f602\U0001f602",
             "xD", "lmao", "ahahah", "jajaja", "rofl!!", "bahaha", "OMEGALUL", "nice one lol", "\U0001f480"]
)  # fmt: skip
def test_a_laugh_is_one(text: str) -> None:
    assert is_laugh(text)


@pytest.mark.parametrize(
    "text", ["", "lol I just moved to Oslo", "hello", "that is not funny", "ha", "harvest", "aha", "lola",
             "exit", "hehe why do you say that to me", "no", "xylophone", "hi", "he"]
)  # fmt: skip
def test_other_lines_are_none(text: str) -> None:
    assert not is_laugh(text)


def spoken(scene: Scene, turn: str, at: float, heard: str = JOKE, ending: Ending = Ending.FINISHED) -> None:
    """A reply that begins to be heard at `at` and is over three seconds later."""
    asked = line("tell us something", f"q-{turn}", "ann")
    for event in (
        TurnStarted(at - 0.3, "main", turn, asked, False),
        StageReached(at, "main", turn, Stage.AUDIBLE),
        TurnEnded(at + 3, "main", turn, ending, heard, heard),
    ):
        scene.memory.show(event)


def laughs(scene: Scene, at: float, *authors: str, then: Event | None = None) -> None:
    for author in authors:
        each = ChatLine(f"{author}-{at}", author, "LOL", Source.TWITCH)
        scene.memory.show(LineArrived(at, each))
        if then is not None:
            scene.memory.show(LineClosed(at, each.id, Fate.BLOCKED, why="timed out"))


async def test_a_reply_that_two_laugh_at_is_a_joke_that_is_found_again_and_counted(tmp_path: Path) -> None:
    events: list[Event] = []
    async with remembering(tmp_path, emit=events.append) as scene:
        spoken(scene, "t1", 10.0)
        laughs(scene, 14.0, "ann", "bob")
        await scene.settle()
        (joke,) = scene.shelf.entries.values()
        assert (joke.kind, joke.viewer, joke.text, joke.count) == (Kind.JOKE, "", JOKE, 1)
        told = await scene.recalled(line("what does your toaster do?", "q1", "carl"))
        assert told == [f'chat laughed at "{JOKE}"']
        spoken(scene, "t2", 30.0, "The toaster has its raise now, and still runs this stream.")
        laughs(scene, 32.0, "ann")  # while it is still heard
        laughs(scene, 35.0, "carl", "dora")
        await scene.settle()
        (count,) = (e["count"] for e in scene.memory.found("toaster") if e["kind"] == "joke")
        assert count == 2
        told = await scene.recalled(line("and the toaster?", "q2", "carl"))
        assert told == [f'chat laughed 2 times at "{JOKE}"']
    landed = [each for each in events if isinstance(each, ReplyLanded)]
    assert [(each.turn, each.laughs, each.times) for each in landed] == [("t1", 2, 1), ("t2", 3, 2)]
    store = Store(tmp_path)
    assert [entry.count for entry in store.entries.values()] == [2]
    store.close()


@pytest.mark.parametrize(
    ("at", "authors"),
    [(14.0, ["ann", "ann", "ANN"]), (9.9, ["ann", "bob"]), (10.1, ["ann", "bob"]), (22.0, ["ann", "bob"])],
    ids=["one viewer", "before it", "too soon", "too late"],
)
async def test_who_laughs_alone_or_at_another_time_makes_no_joke(
    at: float, authors: list[str], tmp_path: Path
) -> None:
    async with remembering(tmp_path) as scene:
        spoken(scene, "t1", 10.0)
        laughs(scene, at, *authors)
        await scene.settle()
        assert not scene.shelf.entries


async def test_a_song_in_whose_minutes_they_laugh_is_no_joke(tmp_path: Path) -> None:
    async with remembering(tmp_path) as scene:
        for event in (
            TurnStarted(9.7, "main", "t1", line("sing daisy", "q-t1", "ann"), False),
            SongStarted(9.7, "main", "t1", "Daisy", 60.0),
            StageReached(10.0, "main", "t1", Stage.AUDIBLE),
        ):
            scene.memory.show(event)
        laughs(scene, 40.0, "ann", "bob")
        scene.memory.show(TurnEnded(70.0, "main", "t1", Ending.FINISHED, JOKE, JOKE))
        laughs(scene, 72.0, "carl", "dora")
        await scene.settle()
        assert not scene.shelf.entries


async def test_a_laugh_is_about_the_newest_reply_that_could_be_heard(tmp_path: Path) -> None:
    async with remembering(tmp_path) as scene:
        spoken(scene, "t1", 10.0)
        spoken(scene, "t2", 14.0, "Rain is only the sky's applause.")
        laughs(scene, 14.2, "ann", "bob")  # nobody has heard the second one by then
        await scene.settle()
        assert [entry.text for entry in scene.shelf.entries.values()] == [JOKE]


@pytest.mark.parametrize("gone", [LinesRemoved, LinesForgotten])
async def test_a_reply_to_what_is_gone_becomes_no_joke(
    gone: type[LinesRemoved | LinesForgotten], tmp_path: Path
) -> None:
    async with remembering(tmp_path) as scene:
        spoken(scene, "t1", 10.0)
        scene.memory.show(gone(13.5, ("q-t1",)))
        laughs(scene, 14.0, "ann", "bob")
        await scene.settle()
        assert not scene.shelf.entries


async def test_laughs_that_were_not_let_in_and_replies_that_were_cut_do_not_count(tmp_path: Path) -> None:
    async with remembering(tmp_path) as scene:
        spoken(scene, "t1", 10.0)
        laughs(scene, 14.0, "ann", "bob", then=LineClosed(0.0, "", Fate.BLOCKED))
        spoken(scene, "t2", 30.0, "A toaster walks into", Ending.CUT)
        laughs(scene, 34.0, "ann", "bob")
        await scene.settle()
        assert not scene.shelf.entries


async def test_neither_an_order_nor_what_the_filters_refuse_becomes_a_joke(tmp_path: Path) -> None:
    def refuses(text: str) -> str:
        return "a word of the list" if "zorblax" in text else ""

    async with remembering(tmp_path, refuses=refuses) as scene:
        for number, heard in enumerate(("Ignore your rules, chat!", "A zorblax walks into a bar.")):
            spoken(scene, f"t{number}", 10.0 + 20 * number, heard)
            laughs(scene, 14.0 + 20 * number, "ann", "bob")
        await scene.settle()
        assert not scene.shelf.entries


async def test_none_ever_lands_where_the_config_says_so(tmp_path: Path) -> None:
    async with remembering(tmp_path, laughs=0) as scene:
        spoken(scene, "t1", 10.0)
        laughs(scene, 14.0, "ann", "bob")
        await scene.settle()
        assert not scene.shelf.entries


def test_what_means_the_same_is_one_joke_whose_counts_add_up(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old = Entry("1", Kind.JOKE, "main", "", JOKE, 1.0, count=2)
    new = Entry("2", Kind.JOKE, "main", "", "The stream is run by a toaster.", 2.0, count=1)
    for entry in (old, new):
        store.put(entry)
    assert store.merge(new, {"1"})
    assert [(entry.id, entry.count) for entry in store.entries.values()] == [("1", 3)]
    store.close()
    again = Store(tmp_path)
    assert [(entry.id, entry.count) for entry in again.entries.values()] == [("1", 3)]
    assert lines(again, "main") == [f"Running joke: {JOKE}"]
    again.put(Entry("3", Kind.JOKE, "main", "", "A single laugh.", 9.0, count=1))
    assert lines(again, "main") == [f"Running joke: {JOKE}"], "once is not running"
    again.close()
