"""The journal as it is searched: what is found, what a reply is opened with, and how long it takes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glue.lookup import Lookup
from glue.telling import line_of, turn_of

WORDS = "train thunder hat cake river moon cat volt seat spark rain green boots lamp song".split()


def turn(number: int) -> Iterator[dict[str, object]]:
    """The events of a reply, as a show writes them."""
    id, line, at = f"t{number}", f"l{number}", number * 3.0
    said = " ".join(WORDS[(number * 7 + i) % len(WORDS)] for i in range(6))
    asked = {"id": line, "author": f"viewer{number % 300}", "text": f"hello {said}?", "source": "twitch"}
    yield {"event": "LineArrived", "at": at, "line": asked}
    yield {"event": "TurnStarted", "at": at, "who": "main", "turn": id, "line": asked, "waited": False}
    for i, stage in enumerate(("received", "chosen", "first_token", "audible")):
        yield {"event": "StageReached", "at": at + i / 10, "who": "main", "turn": id, "stage": stage}
    yield {"event": "ClauseCleared", "at": at, "who": "main", "turn": id, "index": 0, "text": f"Oh, {said}."}
    yield {
        "event": "TurnAsked",
        "at": at,
        "who": "main",
        "turn": id,
        "recalled": ["has a cat"],
        "messages": [["user", said]],
    }
    yield {
        "event": "TurnEnded",
        "at": at,
        "who": "main",
        "turn": id,
        "ending": "finished",
        "said": said,
        "heard": said,
    }
    yield {"event": "LineClosed", "at": at, "line_id": line, "fate": "answered", "turn": id}


def written(path: Path, turns: int) -> int:
    """A journal of so many replies; the number of its events."""
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"event": "ShowStarted", "wall": 0.0}) + "\n")
        events = [event for number in range(turns) for event in turn(number)]
        file.writelines(json.dumps(event) + "\n" for event in events)
    return len(events) + 1


def read_whole(path: Path) -> Lookup:
    lookup = Lookup(path)
    while lookup.read_on(1000):
        pass
    return lookup


def test_words_are_found_newest_first_and_page_by_page(tmp_path: Path) -> None:
    written(tmp_path / "journal.jsonl", 40)
    lookup = read_whole(tmp_path / "journal.jsonl")
    found = lookup.find("viewer7", most=3)
    assert [record["line"]["id"] for record in found if "line" in record] == ["l7", "l7"]
    every = lookup.find("thunder", most=10_000)
    assert [record["number"] for record in every] == sorted((r["number"] for r in every), reverse=True)
    first, rest = (
        lookup.find("thunder", most=5),
        lookup.find("thunder", most=10_000, before=every[4]["number"]),
    )
    assert first == every[:5] and rest == every[5:]
    assert (
        lookup.find("thunder nowhere") == [] and lookup.find("viewer7 LineArrived")[0]["line"]["id"] == "l7"
    )
    assert len(lookup.find("")) == 50 and lookup.find("thun")[0] == every[0]


def test_the_index_does_not_grow_by_what_nobody_types(tmp_path: Path) -> None:
    """An id is a word or five that no other line has; two lines with the same words add no word."""
    path, sizes = tmp_path / "journal.jsonl", []
    lookup = Lookup(path)
    for _ in range(2):
        one = {"id": str(uuid4()), "author": "mira", "text": "hello", "author_id": str(uuid4().int)}
        with path.open("a", encoding="utf-8") as file:
            for event in (
                {"event": "LineArrived", "line": one},
                {"event": "LineClosed", "line_id": one["id"]},
            ):
                file.write(json.dumps(event) + "\n")
        lookup.read_on()
        sizes.append(len(lookup._lines))
        assert len(lookup.turn(f"line {one['id']}")) == 2
    assert sizes[0] == sizes[1]
    assert len(lookup.find("mira")) == 2


def test_a_reply_is_opened_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    written(tmp_path / "journal.jsonl", 20)
    records = read_whole(tmp_path / "journal.jsonl").turn("t7")
    assert [record["event"] for record in records] == [str(event["event"]) for event in turn(7)]
    told = "\n".join(turn_of(records))
    assert "remembered: has a cat" in told and "viewer7" in told and "answered" in told
    assert read_whole(tmp_path / "journal.jsonl").turn("nobody") == []


def test_it_reads_on_while_the_show_writes_and_never_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lookup = Lookup(path)
    assert not lookup.read_on()
    path.write_text('{"event": "PartDegraded", "part": "llm"}\n{"event": "PartRec', encoding="utf-8")
    assert not lookup.read_on() and len(lookup) == 1
    with path.open("a", encoding="utf-8") as file:
        file.write('overed", "part": "llm"}\nnot json\n[1]\n')
    lookup.read_on()
    assert [record["event"] for record in lookup.find("llm")] == ["PartRecovered", "PartDegraded"]
    assert len(lookup) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["event", "text", "turn", "line_id", "why"]), st.text() | st.none())
    ),
    st.text(),
)
def test_any_journal_is_read_and_any_words_are_looked_for(
    tmp_path: Path, records: list[dict[str, object]], query: str
) -> None:
    path = tmp_path / "any.jsonl"
    records = [record for record in records if record.get("event") != "LineArrived"]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    lookup = read_whole(path)
    assert len(lookup) == len(records)
    assert all(isinstance(line_of(record), str) for record in lookup.find(query))


def test_a_hundred_thousand_events_are_searched_within_a_key_press(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An evening of eight hours. Each letter that is typed is a search. What others take of the machine
    meanwhile does not count."""
    path = tmp_path / "journal.jsonl"
    events = written(path, 10_000)
    began = thread_time()
    lookup = read_whole(path)
    read = thread_time() - began
    took: list[float] = []
    for text in ("t", "thunder", "viewer123", "hello", "thunder hat cake", "nothing of the kind", ""):
        for end in range(len(text) + 1):
            began = thread_time()
            lookup.find(text[:end])
            took.append(thread_time() - began)
    began = thread_time()
    assert len(lookup.turn("t9000")) == 10
    opened = thread_time() - began
    took.sort()
    p50, p95, most = (1000 * took[round(q * (len(took) - 1))] for q in (0.5, 0.95, 1.0))
    with capsys.disabled():
        sys.stdout.write(
            f"\n{events} events read in {read:.1f} s ({1e6 * read / events:.0f} us each); "
            f"a search p50 {p50:.1f}, p95 {p95:.1f}, at most {most:.1f} ms; "
            f"a reply opened in {1000 * opened:.1f} ms\n"
        )
    assert events > 100_000 and p95 < 200 and most < 1000
