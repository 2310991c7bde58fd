"""Journals with known figures -> the report; and journals that were cut short or are nonsense."""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from rich.console import Console

from glue.app import _report
from glue.errors import TooFast
from glue.events import (
    ChatLine,
    ClauseCleared,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    Source,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import ActionChosen
from glue.journal import Journal
from glue.measured_events import FloorMeasured, PaceKept, TurnMeasured, VitalsTaken
from glue.report.__main__ import main
from glue.report.numbers import report
from glue.report.page import page
from glue.report.read import fold, read
from glue.report.table import show, summary
from glue.report.targets import TARGETS
from glue.report.write import write
from glue.settings import When
from glue.song_events import SongStarted
from glue.spread import spread
from glue.vitals import Vitals, families, machine

LLM, VOICE, OURS = 0.3, 0.1, 0.02


def reply(
    number: int, received: float, free: float = 0.0, llm: float = LLM, heard: str = "yes", floor: float = 0.0
) -> list[Event]:
    """A line that came at `received`, was chosen when she was `free`, and its reply of two seconds."""
    turn, who, id = f"t{number}", "main", f"l{number}"
    line = ChatLine(id, f"viewer{number % 5}", f"line {number}?", Source.REHEARSAL)
    at = max(received, free)
    events: list[Event] = [
        LineArrived(received, line),
        TurnStarted(at, who, turn, line, received < free),
        StageReached(received, who, turn, Stage.RECEIVED),
    ]
    steps = (0.0, 0.005, llm * 0.6, llm * 0.4, 0.0, VOICE, OURS - 0.005)
    for stage, step in zip(list(Stage)[1:], steps, strict=True):
        at += step
        events.append(StageReached(at, who, turn, stage))
    end = at + 2.0
    return [
        *events,
        TurnMeasured(end, who, turn, 200, 180, 12, 20, (0.1, 0.2), llm, VOICE),
        TurnEnded(end, who, turn, Ending.FINISHED if heard else Ending.EMPTY, heard, heard),
        LineClosed(end, id, Fate.ANSWERED if heard else Fate.SILENT, turn),
        *([FloorMeasured(end + 1, who, turn, llm, VOICE, floor, 20)] if floor else []),
    ]


def journal(path: Path, events: list[Event]) -> Path:
    with Journal(
        path / "journal.jsonl", {"machine": machine(), "models": {"llm": "m"}, "seed": 7}
    ) as written:
        for event in events:
            written.show(event)
    return path


def test_a_line_that_came_while_she_was_idle_counts_from_its_arrival() -> None:
    found = report(fold(reply(1, received=10.0)))
    assert found.first_audio_ms == spread([LLM + VOICE + OURS], 1000)
    assert found.first_audio_idle_ms.n == 1
    assert found.first_audio_waited_ms.n == found.queue_wait_ms.n == 0
    assert found.our_share_ms.p50 == pytest.approx(1000 * OURS)


def test_a_line_that_waited_counts_from_the_end_of_the_speech_before() -> None:
    first = reply(1, received=10.0)
    end = first[-1].at
    found = report(fold([*first, *reply(2, received=11.0, free=end)]))
    assert found.first_audio_waited_ms.p50 == pytest.approx(1000 * (LLM + VOICE + OURS))
    assert found.queue_wait_ms.p50 == pytest.approx(1000 * (end - 11.0))
    assert found.stages_ms["chosen"].max == pytest.approx(0)  # the wait is not a stage
    assert found.our_share_ms.max == pytest.approx(1000 * OURS)


def test_words_said_aloud_count_from_their_end_where_that_is_known() -> None:
    first = reply(1, received=10.0)
    events = [*first, *reply(2, received=11.0, free=first[-1].at)]  # the second one waited
    aloud = [replace(e, spoken=e.at - 0.4) if isinstance(e, LineArrived) else e for e in events]
    found = report(fold([*aloud, *reply(3, received=20.0)]))
    assert found.after_speech_ms == spread([0.4 + LLM + VOICE + OURS], 1000)


def test_the_stages_add_up_to_the_first_audio() -> None:
    found = report(fold(reply(1, received=10.0)))
    total = sum(s.p50 or 0.0 for s in found.stages_ms.values())
    assert total == pytest.approx(found.first_audio_ms.p50, abs=0.5)


def test_a_song_is_in_no_figure_of_replies_and_what_follows_it_waited() -> None:
    """Its opening stands in a file, so that nobody had to think of it, and silences belong to it."""
    before, after = reply(1, received=10.0), reply(3, received=50.0, free=60.0)
    song = reply(2, received=20.0, llm=5.0, floor=0.2)
    song.insert(2, SongStarted(20.0, "main", "t2", "Daisy Bell", 30.0))
    song = [replace(e, gaps=(30.0,), prompt_tokens=0) if isinstance(e, TurnMeasured) else e for e in song]
    song = [replace(e, at=60.0) if isinstance(e, TurnEnded) else e for e in song]
    with_it, without = report(fold([*before, *song, *after])), report(fold([*before, *after]))
    assert with_it.turns == without.turns + 1 and with_it.lines_by_fate == {"answered": 3}
    for name in ("first_audio_ms", "our_share_ms", "gaps_ms", "floor_ms", "new_prompt_tokens"):
        assert getattr(with_it, name).n == getattr(without, name).n, name
    assert with_it.first_audio_ms.max is not None and with_it.first_audio_ms.max < 1000
    assert with_it.gaps_ms == without.gaps_ms and with_it.floor_ratio is None
    assert with_it.first_audio_waited_ms.n == 1 and without.first_audio_waited_ms.n == 0


def test_the_ratio_compares_the_very_same_replies() -> None:
    """A slow reply without a floor must not be in it, nor one that waited."""
    events = [
        *reply(1, received=10.0, floor=0.35),
        *reply(2, received=20.0, llm=3.0),
        *reply(3, received=30.0, floor=0.35),
    ]
    found = report(fold(events))
    assert found.floor_ms.n == found.floor_ours_ms.n == 2
    assert found.floor_ratio == pytest.approx(0.42 / 0.35, abs=0.001)
    assert found.floor_new_tokens.p50 == found.floor_ours_new_tokens.p50 == 20


def test_tokens() -> None:
    found = report(fold(reply(1, received=10.0)))
    assert found.new_prompt_tokens.p50 == 20
    assert found.new_beyond_line_tokens.p50 == 8
    assert found.cached_prompt_share == 0.9


def test_what_she_says_by_herself_is_no_answer() -> None:
    events = reply(1, received=10.0)
    started = next(e for e in events if isinstance(e, TurnStarted))
    events[1] = replace(started, line=replace(started.line, source=Source.HERSELF))
    found = report(fold(events[1:]))
    assert (found.turns, found.by_herself, found.first_audio_ms.n) == (1, 1, 0)


@pytest.mark.parametrize("source", [Source.GAME, Source.HERSELF, Source.EYES, Source.TWIN])
def test_a_remark_on_what_nobody_said_is_no_answer(source: Source) -> None:
    events = [
        replace(e, line=replace(e.line, source=source)) if isinstance(e, TurnStarted) else e
        for e in reply(1, received=1.0)
    ]
    found = report(fold([*events, *reply(2, received=20.0)]))
    assert (found.turns, found.by_herself, found.first_audio_ms.n) == (2, 1, 1)


def test_who_decided_in_games_is_told() -> None:
    chosen = [ActionChosen(1.0, "main", "Chess", str(n), "e4", "", by, 1.0) for n, by in enumerate("ab")]
    more = replace(chosen[0], by="model")
    found = report(fold([*chosen, more, more]))
    assert found.decisions_by == {"model": 2, "a": 1, "b": 1}
    assert "Decisions in games: 2 by model, 1 by a, 1 by b." in summary(found)
    assert "Decisions" not in summary(report(fold([])))


@pytest.mark.parametrize(("llm", "floor", "told"), [(0.8, 0.8, True), (0.8, 0.4, False), (0.2, 0.2, False)])
def test_models_that_cannot_be_in_time_are_named_with_the_cure(llm: float, floor: float, told: bool) -> None:
    found = report(fold([e for n in range(12) for e in reply(n, 10.0 * n, llm=llm, floor=floor)]))
    assert ("native=true" in summary(found)) is told
    assert ("native=true" in page(fold([]), found)) is told


def test_every_line_is_accounted_for() -> None:
    lost = LineArrived(50.0, ChatLine("x", "a", "b", Source.CONSOLE))
    found = report(fold([*reply(1, 10.0), *reply(2, 20.0, heard=""), lost]))
    assert found.lines_in == 3
    assert found.lines_by_fate == {"answered": 1, "silent": 1}
    assert found.lines_without_fate == 1
    assert found.turns_by_ending == {"finished": 1, "empty": 1}


@pytest.mark.parametrize(("faster", "met"), [(0, True), (2, False)])
def test_a_pace_that_was_not_kept_is_a_target_missed(faster: int, met: bool) -> None:
    pace = PaceKept(9.0, "main", "big", 4.2, 4.19, 238.0, 240.0, 3.0, faster, shared_s=1.5)
    voice = PaceKept(9.0, "voice", "magpie", 10.0, 9.8, 83.0, 85.0, 3.0, 0, unit="seconds of sound")
    found = report(fold([*reply(1, received=1.0), pace, voice]))
    assert found.faster_than_stated == faster
    (target,) = [t for t in TARGETS if "pace" in t.what]
    assert target.met(found) is met
    assert target.met(report(fold(reply(1, received=1.0)))) is None
    assert "pace of big: 4.2 tokens a second stated, 4.19 kept" in summary(found)
    assert "1.5 s went to the other model" in summary(found)
    assert "magpie: 10 seconds of sound a second stated, 9.8 kept" in page(fold([]), found)


def test_a_show_that_was_faster_than_stated_ends_with_an_error(tmp_path: Path) -> None:
    cfg = OmegaConf.create({"report": When.always, "ends_with_chat": True, "pace": {}})
    journal(tmp_path, reply(1, received=1.0))
    assert _report(cfg, tmp_path) is not None
    hasty = PaceKept(9.0, "voice", "magpie", 10.0, 40.0, 83.0, 20.0, 0.0, 3, unit="seconds of sound")
    journal(tmp_path, [*reply(1, received=1.0), hasty])
    with pytest.raises(TooFast, match="3 answers"):
        _report(cfg, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["paces"][0]["kept"] == 40.0


def test_a_paced_show_whose_pace_nobody_knows_ends_with_an_error(tmp_path: Path) -> None:
    cfg = OmegaConf.create({"report": When.always, "ends_with_chat": True, "pace": {"engine": {"port": 1}}})
    voice = PaceKept(9.0, "voice", "magpie", 10.0, 9.8, 83.0, 85.0, 3.0, 0, unit="seconds of sound")
    journal(tmp_path, [*reply(1, received=1.0), voice])
    with pytest.raises(TooFast, match="did not say which pace"):
        _report(cfg, tmp_path)
    main = PaceKept(9.0, "main", "big", 4.2, 4.19, 238.0, 240.0, 3.0, 0)
    journal(tmp_path, [*reply(1, received=1.0), voice, main])
    assert _report(cfg, tmp_path) is not None


def test_a_joint_without_silence_is_a_gap_of_nothing() -> None:
    clauses = [ClauseCleared(11.0, "main", "t1", n, "Hi.") for n in range(5)]
    started, *rest = reply(1, received=10.0)[1:]
    found = report(fold([started, *clauses, *rest]))
    assert (found.gaps_ms.n, found.gaps_ms.p50, found.gaps_ms.max) == (4, 50.0, 200.0)  # two were heard


def test_does_she_get_slower() -> None:
    events = [e for n in range(9) for e in reply(n, 10.0 * n, llm=0.2 + 0.1 * (n // 3))]
    found = report(fold(events)).drift
    assert (found.first_third_p50, found.last_third_p50) == (320.0, 520.0)
    assert found.ratio == pytest.approx(1.625)


def test_memory_grows_only_after_five_minutes() -> None:
    samples = [(0, 100.0), (200, 180.0), (300, 190.0), (400, 260.0), (580, 205.0), (590, 260.0), (600, 201.0)]
    events: list[Event] = [
        VitalsTaken(1000 + t, {"glue": mb, "llm": 50.0}, {"glue": t / 20}) for t, mb in samples
    ]
    found = report(fold(events))
    assert found.rss_mb["glue"].growth == 15.0
    assert found.rss_mb["llm"].growth == 0.0
    assert found.rss_total_mb.peak == 310.0
    assert found.cpu_s == {"glue": 30.0}
    assert found.idle_cpu_share == pytest.approx(0.05)


def test_idle_cpu_leaves_out_what_a_reply_touches() -> None:
    vitals = [VitalsTaken(t, {}, {"glue": cpu}) for t, cpu in ((0, 0.0), (5, 0.1), (10, 4.0), (15, 4.1))]
    found = report(fold([*vitals[:2], *reply(1, 6.0), *vitals[2:]]))
    assert found.idle_cpu_share == pytest.approx(0.02)


@given(st.lists(st.floats(0, 1e4), min_size=1))
def test_percentiles_are_ordered_and_inside(values: list[float]) -> None:
    found = spread(values)
    assert found.n == len(values)
    assert found.p50 is not None and found.max is not None
    assert min(values) - 0.1 <= found.p50 <= (found.p95 or 0) <= (found.p99 or 0) <= found.max
    assert found.p50 == round(float(np.median(values)), 1)


def test_nothing_is_null_and_not_zero() -> None:
    assert report(fold([])).first_audio_ms.p50 is None
    assert all(t.met(report(fold([]))) in (None, True) for t in TARGETS)


def test_both_files_are_written_with_all_keys(tmp_path: Path) -> None:
    events = [e for n in range(12) for e in reply(n, 10.0 * n, floor=0.4)]
    vitals = [VitalsTaken(5.0 * n, {"glue": 100.0}, {"glue": 0.1 * n}) for n in range(30)]
    write(journal(tmp_path, [*events, *vitals, PartDegraded(3.0, "avatar", "gone")]))
    found = json.loads((tmp_path / "report.json").read_text())
    wanted = """machine models turns lines_in lines_by_fate first_audio_ms new_prompt_tokens stages_ms
        our_share_ms floor_ms floor_ratio gaps_ms cached_prompt_share rss_mb cpu_s queue_wait_ms"""
    assert set(wanted.split()) <= found.keys()
    assert found["machine"]["cores"] and found["models"] == {"llm": "m"} and found["show"]["seed"] == 7
    assert found["gaps_ms"]["max"] == 200.0
    assert found["degraded"] == {"avatar": 1}
    assert {t["what"]: t["met"] for t in found["targets"]}["ratio to the floor"] is True


def test_a_truncated_journal_gives_a_report(tmp_path: Path) -> None:
    whole = journal(tmp_path, [e for n in range(6) for e in reply(n, 10.0 * n)]) / "journal.jsonl"
    whole.write_bytes(whole.read_bytes()[:-30])
    found = write(tmp_path)
    assert found.unreadable_journal_lines == 1
    assert found.lines_in == 6
    assert found.lines_without_fate == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    events = [e for n in range(3) for e in reply(n, 10.0 * n, floor=0.4)]
    return (journal(tmp_path_factory.mktemp("whole"), events) / "journal.jsonl").read_bytes()


@settings(max_examples=60)
@given(cut=st.integers(0, 9000), junk=st.binary(max_size=40))
def test_any_journal_can_be_read(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.jsonl"
    path.write_bytes(whole[:cut] + junk)
    run = read(path)
    assert report(run).turns <= 3


@settings(max_examples=5)
@given(lost=st.sets(st.integers(0, 40)))
def test_a_journal_that_lost_rows_is_drawn(lost: set[int]) -> None:
    events = [e for n in range(3) for e in reply(n, 10.0 * n, floor=0.4)]
    run = fold([event for n, event in enumerate(events) if n not in lost])
    assert report(run).turns <= 3 and "</html>" in page(run, report(run))


def test_a_reply_that_was_cut_off_is_drawn_too() -> None:
    events = reply(1, 10.0)
    for last in range(1, len(events)):
        run = fold(events[:last])
        assert report(run).lines_in == 1
    assert "not ended" in page(run := fold(events[:5]), report(run))


def test_a_show_started_twice_into_one_folder_counts_once(tmp_path: Path) -> None:
    journal(tmp_path, reply(1, 10.0))
    journal(tmp_path, reply(2, 5.0))
    assert report(read(tmp_path / "journal.jsonl")).lines_in == 1


def test_the_page_stands_alone_and_escapes_what_viewers_wrote(tmp_path: Path) -> None:
    events = reply(1, 10.0, heard="<img src=x onerror=alert(1)> $5 & more")
    started = next(e for e in events if isinstance(e, TurnStarted))
    nasty = replace(started.line, author="<script>alert(1)</script>", text="$title ${lead} </td>")
    events[1] = replace(started, line=nasty)
    run = fold(events)
    made = page(run, report(run))
    assert "<script" not in made and "<img" not in made
    assert "&lt;script&gt;" in made and "$title ${lead} &lt;/td&gt;" in made and "$5 &amp; more" in made
    assert not re.search(r"(?:src|href)=[\"']?(?!#)[^\"' >]*//", made.replace('xlink:href="#', 'href="#'))


def test_the_table_prints_every_target() -> None:
    printed = io.StringIO()
    run = fold([e for n in range(12) for e in reply(n, 10.0 * n, floor=0.4)])
    show(report(run), Console(file=printed, width=160))
    text = printed.getvalue()
    assert all(target.what in text for target in TARGETS)
    assert "met" in text and "not measured" in text


def test_it_can_be_made_again_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path, reply(1, 10.0))
    command = [sys.executable, "-m", "glue.report", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "chat to first audio" in done.stdout
    assert (tmp_path / "report.html").is_file()
    monkeypatch.setattr(sys, "argv", ["report", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err.strip().endswith("journal.jsonl: No such file or directory")
    (other := tmp_path / "other").mkdir()
    journal(other, reply(2, 10.0))
    monkeypatch.setattr(sys, "argv", ["report", str(tmp_path), str(other)])
    main()
    assert (other / "comparison.html").is_file(), "beside the run, not wherever one stands"


def test_vitals_of_this_process_and_its_child() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        vitals = Vitals(lambda: {"glue": os.getpid(), "child": child.pid, "gone": 2**22 - 1})
        taken = vitals.sample(5.0)
        assert set(taken.rss_mb) == set(taken.cpu_s) == {"glue", "child"}
        assert taken.rss_mb["glue"] == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.2)
        together = families({"glue": os.getpid()})["glue"]
        apart = families({"glue": os.getpid(), "child": child.pid})["glue"]
        assert child.pid in {p.pid for p in together} - {p.pid for p in apart}
    finally:
        child.communicate(b"\n", timeout=20)
    assert set(vitals.sample(6.0).rss_mb) == {"glue"}


@pytest.mark.anyio
async def test_vitals_are_taken_again_and_again() -> None:
    taken: list[Event] = []
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tg:

            def note(event: Event) -> None:
                taken.append(event)
                if len(taken) > 3:
                    tg.cancel_scope.cancel()

            await Vitals(lambda: {"glue": os.getpid()}).watch(note, every=0.01)
