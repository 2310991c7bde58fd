"""What is forgotten leaves the journal on the disk, its search and the pages' replay; the rest stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from glue.chat_events import LinesRemoved
from glue.desk_events import OperatorServed
from glue.events import (
    ChatLine,
    ClauseCleared,
    Ending,
    LineArrived,
    Source,
    SpeechHeard,
    TurnEnded,
    TurnStarted,
)
from glue.lookup import Lookup
from glue.memory_events import MemoryAdded
from glue.redacted import redacted
from glue.telling import turn_of
from tests.forgetting_show import holding, on_air
from tests.memory_show import line, on

pytestmark = pytest.mark.anyio
SECRET = "my cat is called Biscuit"


async def test_who_wants_to_be_forgotten_is_found_nowhere_and_nobody_else_is_touched(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        air.says(line(SECRET, "l1"), "Biscuit is a fine name, Mira.")
        other = air.says(line("my dog is called Rex", "l2", "bob"), "Hello Rex.")
        air.tell(
            SpeechHeard(0.0, "Mira", "my cat is"),
            MemoryAdded(0.0, "main", "e", "viewer", "Mira", "Mira has Biscuit", "summary"),
        )
        air.tell(OperatorServed(0.0, "look", "memory", True, "e1 Mira: Mira's cat is called Biscuit"))
        await air.settle()
        assert set(holding(air, "Biscuit")) == {"files", "index", "prompt", "journal", "search", "pages"}
        before = air.path.stat().st_size, len(air.lookup)
        air.tell(LineArrived(0.0, line("forget me", "l3")))
        while air.lookup.read_on():
            pass
        told = json.dumps([air.lookup.find("biscuit"), air.lookup.find("mira"), air.lookup.turn("t1")])
        assert "Biscuit" not in told and "Mira" not in told, "it is not told while it is still in the file"
        await air.settle()
        assert holding(air, "Biscuit", "Mira", "forget me", "my cat") == {}
        assert air.lookup.find("biscuit") == [] == air.lookup.find("mira")
        grown = air.path.stat().st_size - before[0]
        records = [json.loads(each) for each in air.path.read_text().splitlines()]
        assert grown == sum(len(each) + 1 for each in air.path.read_bytes().splitlines()[before[1] :])
        kept = [r["line"]["text"] for r in records if r["event"] == "LineArrived" and r["line"]["text"]]
        assert kept == [other.text] and [r["heard"] for r in records if r["event"] == "TurnEnded"] == [
            "",
            "Hello Rex.",
        ]
        assert [r["event"] for r in air.lookup.turn("t1")] == [
            "LineArrived",
            "TurnStarted",
            "ClauseCleared",
            "TurnAsked",
            "TurnEnded",
            "LineClosed",
        ]
        opened = turn_of(air.lookup.turn("t1"))
        assert "asked (0 messages): (forgotten)" in opened and any(
            "LineArrived l1 (forgotten)" in t for t in opened
        )
        assert set(holding(air, "Rex")) == {"files", "index", "prompt", "journal", "search", "pages"}


async def test_forget_that_takes_the_last_line_and_its_answer_alone(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        air.says(line("I like green boots", "l1"), "Boots it is.")
        air.says(line(SECRET, "l2"), "Biscuit is a fine name.")
        air.tell(LineArrived(0.0, line("forget that", "l3")))
        await air.settle()
        assert holding(air, "Biscuit", "forget that") == {}
        assert set(holding(air, "boots")) == {"files", "index", "prompt", "journal", "search", "pages"}


async def test_a_reply_in_work_is_forgotten_as_soon_as_it_is_over(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        asked = air.says(line(SECRET, "l1"))
        air.tell(TurnStarted(0.0, "main", "t9", asked, False))
        air.tell(LineArrived(0.0, line("forget that", "l2")))
        await air.settle()
        air.tell(
            ClauseCleared(0.0, "main", "t9", 0, "Biscuit!"),
            TurnEnded(0.0, "main", "t9", Ending.FINISHED, "Biscuit!", "Biscuit!"),
        )
        await air.settle()
        assert holding(air, "Biscuit") == {}


async def test_who_has_the_same_name_elsewhere_is_somebody_else(tmp_path: Path) -> None:
    async with on_air(tmp_path) as air:
        air.says(on(Source.TWITCH, "1", SECRET, "l1"), "Biscuit!")
        air.says(on(Source.YOUTUBE, "2", "my dog is called Rex", "l2"), "Rex!")
        air.tell(LineArrived(0.0, on(Source.TWITCH, "1", "forget me", "l3")))
        await air.settle()
        assert holding(air, "Biscuit") == {}
        assert {"journal", "search", "pages"} <= set(holding(air, "my dog is called Rex"))


async def test_the_operator_s_forgetting_reaches_the_journal_a_moderator_s_removal_does_not(
    tmp_path: Path,
) -> None:
    async with on_air(tmp_path) as air:
        air.says(line(SECRET, "l1"))
        air.says(line("I live in Oslo", "l2"))
        air.tell(LinesRemoved(0.0, ("l2",)))
        await air.settle()
        (entry,) = air.scene.memory.found("Biscuit")
        assert air.scene.memory.forget(str(entry["id"])) == 1
        await air.settle()
        assert holding(air, "Biscuit") == {}
        assert set(holding(air, "Oslo")) == {"journal", "search", "pages"}


def records(count: int) -> Sequence[dict[str, Any]]:
    said = [ChatLine(f"l{n}", f"v{n % 7}", f"line {n}", Source.TWITCH) for n in range(count)]
    return [
        {
            "event": "LineArrived",
            "at": 1.0,
            "line": {"id": s.id, "author": s.author, "text": s.text, "source": "twitch"},
        }
        for s in said
    ]


def test_a_name_that_is_a_word_takes_no_other_line_along() -> None:
    said = [
        *records(3),
        {"event": "TurnAsked", "turn": "t9", "messages": [["user", "v0: line 0"]], "recalled": []},
        {"event": "TurnEnded", "turn": "t8", "heard": "v0 is my favourite"},
    ]
    left = list(redacted(said, ["l0"]))
    assert [bool(each) for each in left] == [True, False, False, True, False]
    assert left[3] == {"event": "TurnAsked", "turn": "t9", "messages": [["user", ""]], "recalled": []}


@pytest.mark.parametrize(
    "raw",
    ['{"event": "TurnEnded"}', "[]", "no JSON", '{"line": {}}', '{"turn": null, "line": null}'],
)
async def test_what_is_no_record_stops_nothing_and_goes_where_it_is_torn(raw: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first, last = (json.dumps(each, ensure_ascii=False) for each in records(2))
    path.write_text(f"{first}\n{raw}\n{last}\n")
    lookup = Lookup(path)
    while lookup.read_on():
        pass
    lookup.forget(["l1"], None)
    await lookup.blank()
    kept = path.read_text().splitlines()
    assert kept[0] == first and len(kept[2]) == len(last) and "line 1" not in kept[2]
    assert kept[1] == raw if raw[0] == "{" else kept[1].strip() == "{}"
    assert len(kept[1]) == len(raw)
