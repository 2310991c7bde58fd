"""A run folder's journal -> its report.json and report.html."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from glue.report import aloud, world
from glue.report.numbers import Report, report
from glue.report.page import page
from glue.report.read import read
from glue.report.targets import targets

RECORDING = "audio.wav"  # of speaker=[wav]
PLAYED = "played.json"  # a game's own figures, in the run folder


def write(run_dir: Path) -> Report:
    """Read `run_dir`/journal.jsonl, write both files beside it. Raises OSError."""
    run = read(run_dir / "journal.jsonl")
    if any(said.kind == aloud.INTO for said in run.script):
        run.loud = aloud.loud(run_dir / RECORDING)
    found = report(run)
    (run_dir / "report.json").write_text(to_json(found, _played(run_dir / PLAYED)), encoding="utf-8")
    (run_dir / "report.html").write_text(
        page(run, found, world.read(run_dir / world.WORLD)), encoding="utf-8"
    )
    return found


def to_json(found: Report, played: Mapping[str, object]) -> str:
    """report.json: every figure, the targets with their verdicts (met: null where it was not measured,
    or of too few samples), and what a game's body has `played` and measured itself."""
    verdicts = [
        {
            "what": t.what,
            "unit": t.unit,
            "at_most": t.most,
            "measured": t.value(found),
            "n": t.n(found),
            "met": t.met(found),
            "verdict": t.verdict(found),
        }
        for t in targets(found)
    ]
    figures = dataclasses.asdict(found) | {"targets": verdicts, **played}
    return json.dumps(figures, indent=2, ensure_ascii=False) + "\n"


def _played(path: Path) -> dict[str, object]:
    """What lies there; empty where no game was played, or what it left cannot be read."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return figures if isinstance(figures, dict) else {}
