"""A game's patterns: those that people write are taken, and none of them is matched for ever."""

import sys
from typing import Any

import pytest

from glue.games.messages import Action
from glue.games.schema import Shape

STARS = ".*" * 12 + "x"


def shape(**text: Any) -> Shape:
    """An action that takes one text."""
    return Shape(Action("a", "", {"properties": {"a": {"type": "string", **text}}}))


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "([a-z]+[ ,]?)+$", "^([A-Za-z]+[ -]?)+$", "((a+)b?)*", "(?:(x|y)z){2,}", "(a?[a]?)*",
     "(a|a){30}", "(a+)(?#)+", "(?x)(a+ #)\n)+", "([)]|[^]])*", "(\\)*)+", "(?P<n>a*)+?"],
)  # fmt: skip
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    shape = Shape(Action("a", "", {"properties": {"a": {"pattern": pattern}}}))
    assert "repeats a repetition" in shape.bad
    shape = Shape(Action("a", "", {"patternProperties": {pattern: {}}}))
    assert "repeats a repetition" in shape.bad


@pytest.mark.parametrize(
    "pattern",
    ["^[a-z]+( [a-z]+)?$", "^#[0-9a-f]{6}$", "^([0-9A-F]{2}:){5}[0-9A-F]{2}$", "(ab)+", "[(a+)]+",
     "\\(a+\\)+", "^(yes|no)$", "^(?:a|b)?$", "(a+)(?=b)c+", "[]+(*]+"],
)  # fmt: skip
def test_a_pattern_that_people_write_is_taken(pattern: str) -> None:
    assert Shape(Action("a", "", {"properties": {"a": {"pattern": pattern}}})).bad == ""


@pytest.mark.parametrize(
    ("pattern", "least"),
    [(STARS, 0), (f"^(?:{STARS}|b)$", 0), ("a?" * 30 + "a" * 30, 0), ("a{0,90}" * 9 + "b", 0),
     (r"\w+@\w+\.\w+", 900), ("^" + "(?:a|a)" * 25 + "b", 0), ("^a$|" + "a*" * 9, 0)],
)  # fmt: skip
def test_a_pattern_with_many_ways_to_match_is_refused(pattern: str, least: int) -> None:
    assert "can take for ever" in shape(pattern=pattern, minLength=least).bad


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"^[\w.+-]+@[\w-]+\.[\w.-]+$", "somebody.with.a.name@mail.of-somebody.example"),
     (r"^-?\d+(\.\d+)? -?\d+(\.\d+)? -?\d+(\.\d+)?$", "-1234.56 64.0 -1302.25"),
     (r"\+?\d{1,3}[-. ]?\(?\d{1,4}\)?[-. ]?\d{1,4}[-. ]?\d{1,9}", "+49 (030) 1234-567890"),
     (r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,}$", "Correct horse battery staple 9"),
     (r"^\d+\.\d+\.\d+(-[\w.]+)?(\+[\w.]+)?$", "10.20.30-rc.1+build.7"),
     (r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", "12d10h59m30s"),
     (r"^(north|south|east|west|up|down)( (north|south|east|west|up|down))?$", "north west"),
     (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$", "2026-01-02T03:04:05.678Z"),
     (r"^https?://[^/]+/.*$", "https://example.com/" + "a" * 120)],
)  # fmt: skip
def test_a_pattern_of_several_pieces_is_held_against_a_text(pattern: str, text: str) -> None:
    found = shape(pattern=pattern)
    assert (found.bad, found.wrong({"a": text})) == ("", "")
    assert "does not match" in found.wrong({"a": "?"})


@pytest.mark.parametrize("word", ["properties", "patternProperties"])
def test_a_long_text_is_not_held_against_a_wide_pattern(word: str) -> None:
    """A pattern that is quick with few letters takes minutes with many."""
    inner = {"a": {"pattern": ".*.*.*.*x"}} if word == "properties" else {".*.*.*.*x": False}
    found = Shape(Action("a", "", {word: inner}))
    few, many = ({"a": "a" * n} if word == "properties" else {"a" * n: 1} for n in (9, 90))
    assert found.bad == "" and "too much in it" not in found.wrong(few)
    assert "too much in it" in found.wrong(many)


def test_a_pattern_is_read_once_however_often_a_schema_refers_to_it() -> None:
    long = "^" + "[abc]" * 500 + "$"
    schema = {
        "$defs": {"long": {"pattern": long}},
        "properties": {f"p{number}": {"$ref": "#/$defs/long"} for number in range(300)},
    }
    steps = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += event == "call"

    sys.setprofile(count)
    try:
        assert Shape(Action("a", "", schema)).bad == ""
    finally:
        sys.setprofile(None)
    assert steps < 100_000  # 500 pieces, each of them 300 times
