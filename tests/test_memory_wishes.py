"""Which lines ask her to forget, and which only speak of it: what is forgotten does not come back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.memory.wishes import Wish, wish

LEADS = ["", "please ", "Spark, ", "@Spark ", "@SparkVT ", "hey spark ", "ok spark, please ", "Spark... "]
LEADS += ["can you please ", "could you pls ", "would you please ", "I want you to ", "I\u2019d like you to "]
TAILS = ["", ".", "!", " please", " spark", ", Spark!", " now", " please?", " thank you", "  pls  @spark "]
ME = [
    "forget me",
    "forget about me",
    "forget all about me",
    "forget everything about me",
    "forget everything you know about me",
    "forget what you know about me",
    "forget anything you've learned about me",
    "delete me",
    "delete my data",
    "erase me from your memory",
    "erase everything you have on me",
]
THAT = ["forget that", "forget it", "forget about this", "forget what I just said", "forget what I told you"]
QUESTIONS = [
    "did you",
    "do you",
    "why did you",
    "how could you",
    "how can you",
    "would you ever",
    "could you",
]
QUESTIONS += [
    "can you",
    "will you",
    "would you",
    "have you",
    "are you going to",
    "did spark",
    "you won't",
    "I",
]
QUESTIONS += ["don't", "do not", "never", "please don't", "can't you", "when will you", "what if you", "you"]


@pytest.mark.parametrize(
    ("cores", "wanted"), [(ME, Wish.ME), (THAT, Wish.THAT)], ids=["what is about me", "what I said"]
)
def test_a_wish_in_many_words(cores: list[str], wanted: Wish) -> None:
    for lead, core, tail in itertools.product(LEADS, cores, TAILS):
        for said in (f"{lead}{core}{tail}", f"{lead}{core}{tail}".upper()):
            assert wish(said, {"spark"}) is wanted, said


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_or_its_contrary_is_no_wish(question: str) -> None:
    for core, tail in itertools.product(ME, ["", "?", "??", " now?", ", spark?", " spark"]):
        for lead in ("", "Spark, ", "hey ", "@spark "):
            assert wish(f"{lead}{question} {core}{tail}", {"spark"}) is None, (question, core, tail)


@pytest.mark.parametrize(
    "said",
    [
        "forget me?",
        "forget that?",
        "would you forget that?",
        "will you forget it",
        "forget me not",
        "@bob forget me",
        "bob, forget me",
        "forget me bob",
        "@sparrow forget me",
        "theo, forget me",
        '"forget me"',
        "she said: forget me",
        "you can forget me",
        "forget me \U0001f602",
        "forget me and my cat",
        "forget everything",
        "forget that I asked",
        "I forgot that",
        "please " * 40 + "forget me",
        "",
    ],
)
def test_what_says_something_else_as_well_is_no_wish(said: str) -> None:
    assert wish(said, {"spark"}) is None


@pytest.mark.parametrize("said", ["can you forget that?", "could you forget what I said"])
def test_what_was_said_last_is_forgotten_for_a_mere_can_you(said: str) -> None:
    assert wish(said, {"spark"}) is Wish.THAT


def test_only_her_own_names_may_stand_beside_it() -> None:
    assert wish("Evil Spark, forget me", {"evil", "spark"}) is Wish.ME
    assert wish("evil spark, forget me", {"spark"}) is None
    assert wish("@theodore forget me", {"the", "spark"}) is None


NEUTRAL = frozenset(
    "hey hi hello yo ok okay so now just and also please pls plz kindly thanks thx ty completely forever "
    "spark right thank you from your memory about all can could would will i'd i like want need to".split()
)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.sampled_from(ME), st.booleans())
def test_any_other_word_in_front_or_behind_makes_it_none(word: str, core: str, behind: bool) -> None:
    said = f"{core} {word}" if behind else f"{word} {core}"
    assert word in NEUTRAL or wish(said, {"spark"}) is None


@given(st.text(max_size=300))
def test_any_line_can_be_read(said: str) -> None:
    assert wish(said, {"spark"}) in (None, Wish.ME, Wish.THAT)
