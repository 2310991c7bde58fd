"""A rehearsal is judged by the goals of the pace that it kept to, with an opener or without."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from glue.app import _head
from glue.checks import check
from glue.events import ReplyOpened
from glue.journal import Journal
from glue.report import page, table
from glue.report.numbers import Report, report
from glue.report.read import fold, read
from glue.report.targets import TARGETS, targets
from glue.report.write import to_json
from glue.spread import Spread
from tests.test_conf import CONF, composed
from tests.test_report import reply

TIMES = {"first_audio_p50": 500, "first_audio_p95": 900, "gap_p95": 250}  # where nothing is paced
LARGE, EAGLE, EXPERTS = "llama31-70b-nvfp4", "llama31-70b-eagle3", "qwen3-30b-a3b"
OPENED = {"first_audio_p50": 450, "first_audio_p95": 600}


def written(folder: Path, *overrides: str, opened: bool) -> Report:
    """The report of a show of this config."""
    cfg = composed(*overrides)
    check(cfg)
    events = reply(1, received=10.0)
    if opened:
        events.append(ReplyOpened(11.0, "main", "t1", "Oh,"))
    with Journal(folder / "journal.jsonl", _head(cfg)) as journal:
        for event in events:
            journal.show(event)
    return report(read(folder / "journal.jsonl"))


def named(found: Report) -> dict[str, float]:
    return {each.goal: each.most for each in targets(found) if each.goal}


@pytest.mark.parametrize(
    ("pace", "opener", "opened", "goals"),
    [
        (LARGE, "always", True, OPENED),
        (LARGE, "always", False, OPENED),  # an opener that never spoke is no excuse
        (LARGE, "auto", True, OPENED),
        (LARGE, "never", False, {}),
        (EAGLE, "always", True, {"gap_p95": 300}),
        (EXPERTS, "never", False, {"first_audio_p50": 450}),
        (EXPERTS, "auto", False, {"first_audio_p50": 450}),
    ],
)
def test_each_pace_has_its_goals(
    tmp_path: Path, pace: str, opener: str, opened: bool, goals: dict[str, float]
) -> None:
    found = written(tmp_path, "stack=paced", f"pace={pace}", f"llm.opener={opener}", opened=opened)
    assert named(found) == goals
    said: list[dict[str, Any]] = json.loads(to_json(found, {}))["targets"]
    others = [each for each in TARGETS if not each.goal]
    assert len(said) == len(others) + len(goals), "the other targets hold at any pace"
    assert {each["what"]: each["at_most"] for each in said}.items() >= {
        each.what: goals[each.goal] for each in TARGETS if each.goal in goals
    }.items()


def test_without_a_pace_the_machines_own_hold(tmp_path: Path) -> None:
    assert named(written(tmp_path, opened=False)) == TIMES
    assert named(report(fold([]))) == TIMES


@pytest.mark.parametrize(("median", "met"), [(450, True), (451, False), (None, None)])
def test_the_goal_decides(median: float | None, met: bool | None) -> None:
    pace = {"goals": {"opened": {}, "alone": {"first_audio_p50": 450}}, "opener": "never"}
    found = Report(
        show={"pace": pace},
        first_audio_ms=Spread(40, median, median, median, median),
        first_audio_idle_ms=Spread(30),
        first_audio_waited_ms=Spread(10),
    )
    (judged,) = [each for each in targets(found) if each.goal]
    assert judged.met(found) is met
    said = {True: "met", False: "missed", None: "not measured"}[met]
    measured = f"<td>450 ms</td><td>{table.number(median, 'ms')}</td><td>40</td><td class="
    assert measured in page.targets(found) and f">{said}</td>" in page.targets(found)
    assert page.limits(found) == {"median target": 450}


@pytest.mark.parametrize(
    ("idle", "waited", "said"),
    [
        (30, 10, "met"),
        (29, 10, "too few (29 idle, 10 waited)"),
        (300, 9, "too few (300 idle, 9 waited)"),
        (2, 0, "too few (2 idle, 0 waited)"),
    ],
)
def test_a_first_audio_of_too_few_replies_is_neither_met_nor_missed(
    idle: int, waited: int, said: str
) -> None:
    found = Report(
        first_audio_ms=Spread(idle + waited, 400, 400, 400, 400),
        first_audio_idle_ms=Spread(idle),
        first_audio_waited_ms=Spread(waited),
    )
    for target in targets(found)[:2]:
        assert target.goal and target.said(found) == said
        assert target.met(found) is (True if said == "met" else None)
    assert said in page.targets(found)
    console = Console(file=StringIO(), width=160)
    console.print(table.targets(found))
    assert said in console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    told = json.loads(to_json(found, {}))["targets"][0]
    assert (told["n"], told["verdict"]) == (idle + waited, said.partition(" (")[0])


@pytest.mark.parametrize(("n", "said"), [(19, "too few (19)"), (20, "missed")])
def test_a_percentile_of_few_gaps_is_no_verdict(n: int, said: str) -> None:
    found = Report(gaps_ms=Spread(n, 1, 300, 300, 300))
    (gap,) = [each for each in targets(found) if each.goal == "gap_p95"]
    assert gap.said(found) == said


@pytest.mark.parametrize(
    "pace", [7, {}, {"goals": 7}, {"goals": {"alone": 7}}, {"goals": {"alone": {"gap_p95": "x"}}}]
)
def test_a_head_that_is_none_is_no_error(pace: object) -> None:
    assert named(Report(show={"pace": pace})) in (TIMES, {})


@pytest.mark.parametrize("path", sorted((CONF / "pace").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_goal_of_a_pace_is_a_targets(path: Path) -> None:
    goals = composed("stack=paced", f"pace={path.stem}").pace.get("goals") or {}
    assert set(goals) <= {"opened", "alone"}
    assert {name for each in goals.values() for name in each} <= set(TIMES)
    assert any(goals.values()) or path.stem == "none"
