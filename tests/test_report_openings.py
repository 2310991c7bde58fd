"""How different the first words are that a small model says, whomever they greet."""

from __future__ import annotations

import pytest

from glue.events import Event, ReplyOpened
from glue.report.numbers import report
from glue.report.read import fold
from glue.report.table import summary
from glue.report.targets import TARGETS
from tests.test_report import reply


def began_with(*openings: str) -> list[Event]:
    """Replies whose first words a small model said, each to a viewer of its own: viewer0 and so on"""
    events: list[Event] = []
    for n, text in enumerate(openings):
        events += [*reply(n, 10.0 * n), ReplyOpened(1.0, "main", f"t{n}", text)]
    return events


@pytest.mark.parametrize(
    ("openings", "whole", "first"),
    [
        (["Oh dear,", "Well,", "Oh dear,"], 0.667, 0.667),
        (
            ["Oh, AUTHOR, dear!", "oh dear", "Well, AUTHOR,"],
            0.667,
            0.667,
        ),  # whom it names, and marks, are nothing
        (["I love the old trains, AUTHOR", "I love the old ones,"], 1.0, 0.5),
        (["It's on.", "Its on", "It\u2019s on!"], 0.333, 0.333),
    ],
)
def test_openers_are_told_apart(openings: list[str], whole: float, first: float) -> None:
    authors = [r.author for r in fold(began_with(*openings)).replies.values()]
    said = [text.replace("AUTHOR", name) for text, name in zip(openings, authors, strict=True)]
    found = report(fold(began_with(*said)))
    assert (found.opened, found.distinct_openings) == (len(openings), whole)
    assert found.distinct_first_words == first
    assert f"{whole:.0%} of them differently, {first:.0%} by their first four words" in summary(found)


@pytest.mark.parametrize(
    ("openings", "said"),
    [
        ([f"The {n} is on." for n in "abcdefghijklmnopqrst"], "met"),
        (["Good job, Spark!"] * 6 + [f"The {n} is on." for n in "abcdefghijklmn"], "met"),
        (["Good job, Spark!"] * 7 + [f"The {n} is on." for n in "abcdefghijklm"], "missed"),
        (["Good job, Spark!"] * 19, "too few (19)"),
        ([], "not measured"),
    ],
)
def test_openers_that_are_all_alike_miss_a_target(openings: list[str], said: str) -> None:
    found = report(fold(began_with(*openings)))
    (target,) = [each for each in TARGETS if "openers" in each.what]
    assert target.said(found) == said
