"""What a streamer wants to know afterwards: known events -> the evening, its section, and who is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glue.app import shows
from glue.broadcast_events import Fault, HighlightMarked, StreamFaltered, StreamRestored
from glue.chat_events import Deed, LinesRemoved
from glue.events import (
    ChatLine,
    ClauseHeld,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    PartRecovered,
    Source,
    TurnEnded,
    TurnStarted,
)
from glue.journal import Journal
from glue.lookup import Lookup
from glue.redacted import Known
from glue.report.evening import Evening, Outage, Told, Viewer, evening
from glue.report.evening_page import clock, section
from glue.report.numbers import report
from glue.report.page import title as titled
from glue.report.read import fold
from glue.report.write import write
from glue.safety_events import LineScreened, Screened
from glue.song_events import SongEnded

BEGAN = 1000.0


def line(
    at: float,
    author: str,
    text: str,
    fate: Fate | None = Fate.IGNORED,
    deed: Deed | None = None,
    why: str = "",
) -> list[Event]:
    id = f"l{at}"
    source = Source.TWITCH if author else Source.GAME
    arrived = LineArrived(BEGAN + at, ChatLine(id, author, text, source, deed=deed, author_id=author.lower()))
    return [arrived, *([LineClosed(BEGAN + at + 1, id, fate, why=why)] if fate else [])]


def night() -> list[Event]:
    return [
        *line(0.0, "Mika", "hello", Fate.ANSWERED),
        TurnEnded(BEGAN + 3, "main", "t1", Ending.FINISHED, "hi", "hi"),
        TurnEnded(BEGAN + 4, "main", "t2", Ending.EMPTY, "", ""),
        *line(5.0, "Juno", "what is your favourite colour?"),
        *line(6.0, "Mika", "look at https://a.example/?x=1"),
        *line(7.0, "Mika", "why not <b>blue</b>?", None),
        *line(8.0, "Cy", "are you a robot?", Fate.SPAM),
        *line(9.0, "Cy", "call me at 555?"),
        LineScreened(BEGAN + 9, "l9.0", Screened.SANITISED, "it holds a phone number"),
        *line(10.0, "Cy", "is this rude?"),
        LinesRemoved(BEGAN + 11, ("l10.0",)),
        *line(12.0, "Dee", "ugly words", Fate.BLOCKED, why="hate: contempt for a group"),
        *line(13.0, "Fan", "followed the channel", deed=Deed.FOLLOW),
        *line(14.0, "Juno", "cheered <u>100</u> bits, saying: is <i>this</i> read?", deed=Deed.BITS),
        *line(15.0, "", "a creeper came?"),
        ClauseHeld(BEGAN + 16, "main", "t3", "no", "a blocked word"),
        ClauseHeld(BEGAN + 17, "main", "t3", "no", "a blocked word"),
        HighlightMarked(BEGAN + 18, "Juno: cheered <u>100</u> bits", 3723.0, False, True),
        PartDegraded(BEGAN + 20, "avatar", "it exited"),
        PartDegraded(BEGAN + 20.5, "avatar", "connection lost"),
        PartRecovered(BEGAN + 25, "avatar"),
        PartRecovered(BEGAN + 26, "avatar"),
        StreamFaltered(BEGAN + 30, Fault.DROPPING, "a slow line", "tell"),
        StreamRestored(BEGAN + 40, Fault.DROPPING, 10.0),
        PartDegraded(BEGAN + 60, "speech", "gone"),
    ]


def test_what_there_was_of_an_evening() -> None:
    found = evening(night())
    assert (found.seconds, found.lines, found.replies, found.viewers) == (60.0, 8, 1, 4)
    assert found.active[:3] == (Viewer("Mika", 3, 1), Viewer("Cy", 3, 0), Viewer("Juno", 1, 0))
    assert found.held == {"a blocked word": 2}
    assert found.kept_out == {"hate: contempt for a group": 1}
    assert [(each.at, each.recorded) for each in found.highlights] == [(18.0, 3723.0)]


def test_a_question_is_open_where_nobody_decided_that_it_stays_without_an_answer() -> None:
    """Not spam, nothing that a filter changed or a moderator removed, no address, nothing of a game's."""
    found = evening(night())
    assert found.questions == (
        Told(5.0, "Juno", "what is your favourite colour?"),
        Told(7.0, "Mika", "why not <b>blue</b>?"),
    )
    assert found.unanswered == 2


def test_of_what_was_given_the_dearest_comes_first_and_the_words_with_it_stay_out() -> None:
    found = evening(night())
    assert found.given == (
        Told(14.0, "Juno", "cheered <u>100</u> bits"),
        Told(13.0, "Fan", "followed the channel"),
    )
    assert found.deeds == {"follow": 1, "bits": 1}


def test_an_outage_lasts_until_the_part_is_back() -> None:
    assert evening(night()).outages == (
        Outage(20.0, 25.0, "avatar", "it exited"),
        Outage(30.0, 40.0, "stream, dropping frames", "a slow line"),
        Outage(60.0, None, "speech", "gone"),
    )


def test_the_last_questions_are_shown_and_all_counted() -> None:
    found = evening([event for n in range(60) for event in line(float(n), "Juno", f"number {n}?")])
    assert found.unanswered == 60 and len(found.questions) == 50
    assert found.questions[-1].text == "number 59?"
    assert "<p>The last of 60.</p>" in section(found) and "The last of" not in section(evening(night()))


def test_the_section_tells_it_all_and_escapes_it() -> None:
    shown = section(evening(night()))
    for told in (
        "0:01:00 long: 8 lines of 4 viewers, 1 reply of hers.",
        "<tr><td>Mika</td><td>3</td><td>1</td></tr>",
        "1 follow, 1 bits",
        "<td>0:00:14</td><td>Juno</td><td>cheered &lt;u&gt;100&lt;/u&gt; bits</td>",
        "why not &lt;b&gt;blue&lt;/b&gt;?",
        "<td>0:00:18</td><td>Juno: cheered &lt;u&gt;100&lt;/u&gt; bits</td><td>1:02:03</td>",
        "<td>0:00:20</td><td>0:00:25</td><td>avatar</td>",
        "<td>0:01:00</td><td>the end</td><td>speech</td>",
        "<td>2</td><td>a blocked word</td>",
        "<td>1</td><td>hate: contempt for a group</td>",
    ):
        assert told in shown, told
    assert not any(mark in shown for mark in ("<b>", "<i>", "<u>"))


def test_what_there_was_nothing_of_is_one_line() -> None:
    shown = section(Evening())
    assert "<table" not in shown
    assert "Nothing to tell of: most active, who gave what, questions without an answer" in shown


def test_times_are_those_of_a_recording() -> None:
    assert [clock(each) for each in (0.0, 59.9, 3600.0, 36_061.0)] == [
        "0:00:00",
        "0:00:59",
        "1:00:00",
        "10:01:01",
    ]


def test_it_is_in_both_files(tmp_path: Path) -> None:
    head = {"shows": ["chess"], "wall": 1_795_908_338.4}
    with Journal(tmp_path / "journal.jsonl", head) as journal:
        for event in night():
            journal.show(event)
    write(tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())["evening"]
    assert found["active"][0] == {"name": "Mika", "lines": 3, "answered": 1}
    assert found["outages"][2] == {"at": 60.0, "until": None, "part": "speech", "why": "gone"}
    shown = (tmp_path / "report.html").read_text()
    assert "<h2>The evening</h2>" in shown and "<title>Chess, " in shown


@pytest.mark.parametrize(
    ("shows", "title"),
    [
        (["chess"], "Chess"),
        (["rehearsal", "minecraft"], "Rehearsal and minecraft"),
        ([], "Show"),
        (7, "Show"),
    ],
)
@pytest.mark.parametrize("wall", [1_795_908_338.4, None, "x", 1e300, float("nan")])
def test_a_report_is_titled_by_its_show(shows: object, title: str, wall: object) -> None:
    run = fold(night())
    run.head = {"shows": shows, "wall": wall}
    found = titled(report(run))
    assert found.startswith(title) and (" 2026, " in found) is (wall == 1_795_908_338.4)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["llm=smollm2", "+show=chess"], ["chess"]),
        (["+show=[rehearsal, minecraft]", "seed=7"], ["rehearsal", "minecraft"]),
        (["chat.channel=show"], []),
    ],
)
def test_a_show_is_called_as_on_the_command_line(words: list[str], found: list[str]) -> None:
    assert shows(words) == found


@pytest.mark.anyio
async def test_who_asked_to_be_forgotten_stays_out(tmp_path: Path) -> None:
    """As the show's journal forgets them; what others wrote stays."""
    path = tmp_path / "journal.jsonl"
    asked = ChatLine("l5.0", "Juno", "what is your favourite colour?", Source.TWITCH, author_id="juno")
    with Journal(path, {}) as journal:
        for event in [*night(), TurnStarted(BEGAN + 61, "main", "t9", asked, False)]:
            journal.show(event)
    lookup = Lookup(path)
    while lookup.read_on():
        pass
    lookup.forget((), Known(lambda line: line.author_id == "juno", names=("Juno",)))
    await lookup.blank()
    write(tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())["evening"]
    assert [each["author"] for each in found["given"]] == ["Fan"] and found["lines"] == 8
    assert [each["name"] for each in found["active"]] == ["Mika", "Cy", "Dee"] and found["viewers"] == 3
    shown, figures = (tmp_path / name for name in ("report.html", "report.json"))
    for text in (shown.read_text(), figures.read_text()):
        assert "Mika" in text
        assert "Juno" not in text and "favourite colour" not in text and "cheered" not in text


def test_what_she_sang_is_told_and_how_often() -> None:
    songs = [("Moon", 9.0), ("Daisy <b>", 3.0), ("Moon", 0.5), ("Rain", 0.0), ("", 5.0)]
    found = evening(
        [SongEnded(at, "main", f"t{at}", song, sung, 9.0) for at, (song, sung) in enumerate(songs)]
    )
    assert found.songs == {"Moon": 2, "Daisy <b>": 1}
    shown = section(found)
    assert "<h3>Songs</h3>" in shown and "Daisy &lt;b&gt;" in shown and "songs" not in section(Evening())
