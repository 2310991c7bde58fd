"""The rehearsal as the README tells it: two that are compared, each with its four files."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shows.live import Live, launched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
FIGURES = (  # of any rehearsal, whatever is heard in it; distributions have more
    *("first_audio_ms", "first_audio_idle_ms", "our_share_ms", "floor_ms", "floor_ours_ms", "gaps_ms"),
    *("new_prompt_tokens", "floor_new_tokens", "floor_ours_new_tokens", "queue_wait_ms"),
)
NUMBERS = ("seconds", "turns", "lines_in", "floor_ratio", "cached_prompt_share")


def said(live: Live, within: float) -> str:
    """All that it printed until its end."""
    assert live.process.wait(within) == 0, live.said[-20:]
    return "\n".join(live.said)


def nulls(figures: Any, key: str = "") -> Iterator[str]:
    """The keys of what is not there."""
    if figures is None or figures == {}:
        yield key
    elif isinstance(figures, dict):
        for word, value in figures.items():
            yield from nulls(value, f"{key}.{word}".strip("."))


def complete(run: Path) -> None:
    """Its four files are there, with all that a rehearsal of four lines tells."""
    assert {"journal.jsonl", "report.json", "report.html", "audio.wav"} <= {
        path.name for path in run.iterdir()
    }
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    expected = {name: report[name] for name in (*FIGURES, *NUMBERS, "machine", "models", "show", "rss_mb")}
    found = (key for key in nulls(expected) if not key.startswith(("machine.", "models.", "show.")))
    missing = [key for key in found if not key.endswith(".growth")]  # after five minutes
    assert not missing and report["lines_in"] == 4 and report["lines_without_fate"] == 0
    assert report["rss_total_mb"]["peak"] > 100 and report["floor_ms"]["n"] >= 1
    assert sum(report["lines_by_fate"].values()) == 4
    # a machine that stands still for three seconds has lost the avatar for a moment
    assert not report["degraded"].keys() - {"avatar"} and report["degraded"].get("avatar", 0) <= 2
    with wave.open(str(run / "audio.wav")) as file:
        length = file.getnframes() / file.getframerate()
    assert length == pytest.approx(report["seconds"], abs=6.0)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "mika_draws" in page and "<svg" in page


def test_two_rehearsals_leave_their_files_print_their_tables_and_are_compared(tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    names = ["cast.main.temperature=0.6", "cast.main.temperature=0.9"]
    words = ["+show=rehearsal", "rehearsal.lines=4", "chat.rehearsal.speed=20", f"{names[0]},0.9"]
    # what she says takes its time, and a floor begins with reading all that she is told before it
    words += ["cast.main.max_tokens=20", "cast.main.shots=[]"]
    words.append("director.lonely=1000")  # her own words would end a measurement that is slow
    with launched(tmp_path, f"hydra.sweep.dir={sweep}", *words, "-m") as live:
        printed = said(live, within=380)
    complete(sweep / "0")
    assert "chat to first audio" in printed and "floor: a bare loop, same requests" in printed
    rows = json.loads((sweep / "comparison.json").read_text(encoding="utf-8"))
    assert [row["run"] for row in rows] == names
    assert all(row["replies"] >= 2 and row["first audio p50"] > 0 for row in rows)
    page = (sweep / "comparison.html").read_text(encoding="utf-8")
    assert all(name in page and name in printed for name in names)
    assert all((sweep / job / "report.html").is_file() for job in "01")
