"""Which time a line names, in this machine's calendar; most lines name none."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.memory.spans import span
from glue.memory.wanted import Wanted

NOW = datetime(2026, 11, 25, 20).timestamp()  # a Wednesday


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("what did I tell you yesterday?", "2026-11-24", "2026-11-25"),
        ("do you remember what we talked about last week", "2026-11-16", "2026-11-23"),
        ("what was so funny last night?", "2026-11-24", "2026-11-26"),
        ("what did I say on Monday?", "2026-11-23", "2026-11-24"),
        ("what happened last wednesday?", "2026-11-18", "2026-11-19"),
        ("did I mention my cat in March?", "2026-03-01", "2026-04-01"),
        ("did I mention my cat in March 2024?", "2024-03-01", "2024-04-01"),
        ("what did I tell you last December?", "2025-12-01", "2026-01-01"),
        ("what was my job last year?", "2025-01-01", "2026-01-01"),
        ("what did I tell you 3 days ago?", "2026-11-22", "2026-11-23"),
        ("what did we do two weeks ago?", "2026-11-08", "2026-11-15"),
    ],
)
def test_a_question_about_the_past_names_its_time(text: str, first: str, end: str) -> None:
    found = span(text, NOW)
    assert found is not None
    assert [datetime.fromtimestamp(at).date().isoformat() for at in (found.since, found.until)] == [
        first,
        end,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Oslo last week",
        "I had a bad day yesterday",
        "who wins this week?",
        "can you sing today?",
        "when did I tell you where I live?",
        "what did I tell you?",
        "see you on monday",
        "we may have met in marching band, did we?",
    ],
)
def test_other_lines_name_none(text: str) -> None:
    assert span(text, NOW) is None


@given(st.text(max_size=300), st.floats())
def test_any_line_at_any_clock_can_be_read(text: str, now: float) -> None:
    for when in ("yesterday", "999 years ago", "in may 2000", "0 days ago"):
        span(f"what did I say {text} {when}?", now)
    span(text, now)


def test_the_time_stands_in_the_filter() -> None:
    found = span("what did I say yesterday?", NOW)
    assert found is not None
    words = Wanted(frozenset({"main"}), 'mi"ra', span=found).filter()
    assert f"at >= {found.since!r} and at < {found.until!r}" in words
    assert r'viewer in ["mi\"ra", ""]' in words and "at >=" not in Wanted(frozenset({"main"})).filter()
