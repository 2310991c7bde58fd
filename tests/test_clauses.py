"""Clauses: her text, in whatever pieces, becomes what a voice can say."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.mind.clauses import UNSPACED, Splitter, cut
from glue.mind.persona import Length

LONG = Length(sentences=1000, reply=10_000)
WORDS = st.sampled_from(
    "Mika oh and but 3.5 1,000 Mr. e.g. Dr. trains! why? well... (softly) *waves* don't 猫 こんにちは。 "
    "https://a.example/b?c=d :) <3 <b> \U0001f389 “so” - — <think>hm</think> {x}".split(" ")
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map(" ".join))


def clauses(*pieces: str, length: Length = LONG, name: str = "Spark") -> list[str]:
    splitter = Splitter(length, name)
    found = [clause for piece in pieces for clause in splitter.feed(piece)]
    return found + splitter.end()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mika, you're back! I kept your seat.", ["Mika,", "you're back!", "I kept your seat."]),
        ("Vega5, in 1,000 years.", ["Vega5,", "in 1,000 years."]),
        ("Oh, Mika. You are late.", ["Oh,", "Mika. You are late."]),
        ("Mr. Fox owes me. Dr. Owl does too.", ["Mr. Fox owes me.", "Dr. Owl does too."]),
        ("It is 3.5 or 1,000. Maybe.", ["It is 3.5 or 1,000.", "Maybe."]),
        ("Well... I don't know... maybe.", ["Well... I don't know...", "maybe."]),
        ("I don’t care… “ok”?", ["I don't care...", '"ok"?']),  # noqa: RUF001 (typographic marks are the point)
        ("See https://a.example/b?c=d,e for more.", ["See a.example for more."]),
        ("Go to www.a.example/x?y, now.", ["Go to www.a.example, now."]),
        ("Yes! \U0001f389\U0001f389 Again!", ["Yes!", "Again!"]),
        ("Hi there, friend of mine.", ["Hi there,", "friend of mine."]),
        ("One line\nAnother line", ["One line", "Another line"]),
        ("no full stop at all", ["no full stop at all"]),
        ('"No!" she said.', ['"No!', "she said."]),
        ("42", ["42"]),
        ("元気ですか？私は元気です。", ["元気ですか？", "私は元気です。"]),  # noqa: RUF001 (full-width marks)
    ],
)
def test_sentences_and_what_only_looks_like_their_end(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*waves* Hello **you** there.", ["Hello you there."]),
        ("I *really* mean it.", ["I really mean it."]),
        ("(sighs) Fine, I will do it.", ["Fine,", "I will do it."]),
        ("# So\n- `one` [link] {x}", ["So", "one"]),
        ("<think>secret plan.</think>Yes, I do.", ["Yes,", "I do."]),
        ("<think>it never ends. Not at all.", []),
        ("<b>Bold</b> move, Tom.", ["Bold move,", "Tom."]),
        ("I love you <3 all of you.", ["I love you all of you."]),
        ("So 2 < 3 and I know it.", ["So 2 3 and I know it."]),
        ("Sad :( but fine.", ["Sad but fine."]),
        ("Spark: Hello you.", ["Hello you."]),
        ("!!! ... \U0001f389 ?", []),
        ("", []),
    ],
)
def test_what_cannot_be_spoken_is_left_out(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


def test_the_first_clause_is_short_even_without_a_mark_and_is_cut_at_a_joint() -> None:
    first, *rest = clauses("I would love to come over and see your little trains tomorrow")
    assert len(first.split()) <= Length().first
    assert rest[0].split()[0] in {"to", "and"}


def test_behind_a_single_word_comes_a_clause_that_is_ready_before_it_has_been_said() -> None:
    name, second, *rest = clauses(
        "Mika, I would love to come over and see your little trains tomorrow and the day after that as well"
    )
    assert (name, second) == ("Mika,", "I would love")
    assert " ".join([second, *rest]).startswith("I would love to come over and see your little")


def test_clauses_grow_with_what_is_heard_meanwhile() -> None:
    """A voice takes three times as long for a word as a model that just keeps up: none is long after few."""
    said = clauses(
        "Well, " + "you know that everybody here would go there again " * 9, length=Length(reply=60)
    )
    counts = [len(clause.split()) for clause in said]
    assert counts[0] == 1 and max(counts) > 12
    for at, count in enumerate(counts[1:], 1):
        assert count <= 2 * (sum(counts[:at]) + 1) + 2


def test_a_script_without_spaces_is_not_cut_into_its_words_to_be_soon() -> None:
    said = "私はこのコンピューターの中に住んでいるので外に出ることができません。"
    assert clauses(f"はい、{said}") == ["はい、", said]


def test_no_clause_ends_with_an_article() -> None:
    assert clauses("Corn! Corn is really the worst thing") == ["Corn!", "Corn is really the worst", "thing"]


def test_words_without_a_space_are_cut_by_length() -> None:
    assert max(map(len, clauses("a" * 1000))) <= UNSPACED + 1
    assert len(clauses("猫" * 200)) > 4


def test_a_reply_that_runs_on_is_ended_after_a_sentence() -> None:
    assert clauses("Yes, I do. So do you. And him. And her.", length=Length(sentences=3)) == [
        "Yes,",
        "I do.",
        "So do you.",
        "And him.",
    ]


@given(TEXTS, st.data())
def test_the_pieces_do_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert clauses(*pieces) == clauses(text)


@given(TEXTS)
def test_every_clause_says_something_and_is_bounded(text: str) -> None:
    for clause in clauses(text):
        assert any(char.isalnum() or char == "_" for char in clause)
        assert len(clause.split()) <= LONG.clause + 1
        assert clause == clause.strip() and "\n" not in clause


@given(st.text(alphabet="abcXYZ019 ,.!?;'\n", max_size=300))
def test_no_letter_of_plain_text_is_lost(text: str) -> None:
    kept = [char for char in " ".join(clauses(text)) if char.isalnum()]
    assert kept == [char for char in text if char.isalnum()]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("piece", ["a", "word ", "猫", "*", "(", "<think>", "no. "])
async def test_endless_text_is_ended_or_silent_and_its_source_is_closed(piece: str) -> None:
    read, closed = 0, False

    async def endless() -> AsyncIterator[str]:
        nonlocal read, closed
        try:
            while read < 20_000:
                read += 1
                yield piece
        finally:
            closed = True

    found = [clause async for clause in cut(endless(), Length(), "Spark")]
    assert closed
    assert read < 2_000 or not found
    assert sum(len(clause) for clause in found) < 1_500


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Goodbye, Spark! Come back soon.", ["Goodbye,", "Come back soon."]),
        ("Chat is always welcome, Spark.", ["Chat is always welcome,"]),
        ("See you all tomorrow evening then, spark!", ["See you all tomorrow evening then,"]),
        ("Goodbye, Sparky! Goodbye, Spark and Mika!", ["Goodbye,", "Sparky!", "Goodbye, Spark and Mika!"]),
        ("I'm Spark!", ["I'm Spark!"]),
        ("Spark!", ["Spark!"]),
        ("My name? Spark!", ["My name?", "Spark!"]),
    ],
)
def test_she_calls_nobody_by_her_own_name(said: str, heard: list[str]) -> None:
    assert clauses(said) == heard
    assert clauses(said, name="Evil")[-1].rstrip(".!").casefold().endswith(said.rstrip(".!").casefold()[-5:])
