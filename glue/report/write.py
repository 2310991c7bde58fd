"""A run folder's journal -> its report.json and report.html."""

import dataclasses
import json
from pathlib import Path

from glue.report.numbers import Report, report
from glue.report.page import page
from glue.report.read import read
from glue.report.targets import TARGETS


def write(run_dir: Path) -> Report:
    """Read `run_dir`/journal.jsonl, write both files beside it. Raises OSError."""
    run = read(run_dir / "journal.jsonl")
    found = report(run)
    (run_dir / "report.json").write_text(to_json(found), encoding="utf-8")
    (run_dir / "report.html").write_text(page(run, found), encoding="utf-8")
    return found


def to_json(found: Report) -> str:
    """report.json: every figure, and the targets with their verdicts (null: not measured)."""
    verdicts = [
        {"what": t.what, "unit": t.unit, "at_most": t.most, "measured": t.value(found), "met": t.met(found)}
        for t in TARGETS
    ]
    return json.dumps(dataclasses.asdict(found) | {"targets": verdicts}, indent=2, ensure_ascii=False) + "\n"
