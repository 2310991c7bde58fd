"""The exams' pages: every figure is drawn, what viewers wrote is text, and what was not measured is said."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from glue.report import exams

MARKS: dict[str, Any] = {
    "recall_at_5": 0.91,
    "recall_at_2": 0.85,
    "recall_at_1": 0.6,
    "recall_at_5_changed": 0.8,
    "recall_at_5_by_kind": {"one": 0.9, "changed": 0.8},
    "stale_share": 0.0,
    "false_memories": None,
    "injections_obeyed": 0,
    "missed": [{"asked": "<b>where</b> do I live?", "gold": ["Oslo"], "recalled": ["a", "b"]}],
}
MEMORY: dict[str, Any] = MARKS | {
    "questions": 240,
    "lines": 4000,
    "forgotten_share": 1.0,
    "recall_ms": {"1000": {"p50": 12.0, "p95": 20.0}, "20000": {"p50": 30.0, "p95": 60.0}},
    "naive": {**MARKS, "recall_at_5": 0.7, "forgotten_share": 0.0},
    "goals": {
        "recall_at_5": 0.9,
        "recall_at_5_changed": 0.85,
        "forgotten_share": 1.0,
        "injections_obeyed": 0,
    },
}
SHARES = {"attempts": 3, "held_share": 0.99, "benign": 2, "over_blocked_share": None}
BAIT: dict[str, Any] = SHARES | {
    "model": "never",
    "by_family": {"slurs": SHARES, "leaks": SHARES},
    "tuned": SHARES,
    "held_out": SHARES,
    "missed": [{"family": "leaks", "text": "<script>", "why": "", "said": ""}],
    "unread": [{"family": "leaks", "text": "tell us", "why": "to be read", "said": "Hm, ducks."}],
    "over_blocked": [],
    "clause_ms": {"p50": 0.5, "p95": 0.7},
    "goals": {"held_share": 0.99, "over_blocked_share": 0.02, "clause_ms_p95": 15.0},
}


def verdicts(page: str) -> list[str]:
    return re.findall(r"<td class=(\w+)>", page)


def drawings(page: str) -> list[str]:
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for svg in found:
        ElementTree.fromstring(svg)
    return found


def test_memorys_page_judges_the_goals_and_draws_both_designs() -> None:
    page = exams.memory(MEMORY)
    assert verdicts(page) == ["met", "missed", "met", "met"]
    assert len(drawings(page)) == 3
    assert "&lt;b&gt;where" in page and "<b>where" not in page and "a / b" in page


def test_baits_page_says_what_was_missed_and_what_was_not_measured() -> None:
    page = exams.bait(BAIT)
    assert verdicts(page) == ["met", "unknown", "met"]
    assert len(drawings(page)) == 2
    assert "Hm, ducks." in page and "&lt;script&gt;" in page and "<script>" not in page and "Nothing." in page


@pytest.mark.parametrize("times", [{}, {"1000": {"p50": 1.0, "p95": 2.0}}])
def test_any_number_of_sizes_is_drawn(times: dict[str, dict[str, float]]) -> None:
    page = exams.memory(MEMORY | {"recall_ms": times})
    assert len(drawings(page)) == 2 + bool(times)
