"""The prompt: laid out for the prefix cache, with viewers' words as data."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.events import ChatLine, Source
from glue.mind.persona import Persona, Shot
from glue.mind.talk import UNHEARD, Talk
from glue.ports import Prompt

PERSONA = Persona(
    name="Spark",
    voice="bright",
    prompt="You are Spark.\n",
    rules=["Be brief."],
    shots=[Shot("mika", "hi", "Hi, Mika.")],
    topics=["Wonder about trains.", "Ask a question."],
)


def line(text: str, author: str = "tom", source: Source = Source.CONSOLE) -> ChatLine:
    return ChatLine(f"id-{text[:8]}", author, text, source)


def words(prompt: Prompt) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in prompt.messages]


@pytest.fixture
def talk() -> Talk:
    return Talk("main", PERSONA, "voice", budget=400, seed=5)


def test_persona_then_examples_then_the_line(talk: Talk) -> None:
    assert words(talk.prompt(line("hello"), ())) == [
        ("system", "You are Spark.\n\n- Be brief."),
        ("user", "mika: hi"),
        ("assistant", "Hi, Mika."),
        ("user", "tom: hello"),
    ]


def test_everything_before_the_line_is_what_was_prefilled(talk: Talk) -> None:
    for number in range(60):
        prefix, asked = words(talk.prefix()), words(talk.prompt(line(f"line {number}"), ()))
        assert prefix[:-1] == asked[:-1]
        assert prefix[-1] == ("user", "")
        guessed = words(talk.prefix(line(f"line {number}"), "Said and heard."))
        talk.remember(line(f"line {number}"), "Said and heard.", cut=False)
        assert words(talk.prefix()) == guessed


def test_the_history_is_cut_rarely_and_by_half(talk: Talk) -> None:
    cuts, before = 0, words(talk.prefix())[:-1]
    for number in range(100):
        talk.remember(line(f"line {number}"), "A reply of some length.", cut=False)
        after = words(talk.prefix())[:-1]
        cuts += after[: len(before)] != before
        assert sum(len(content) for _, content in after[3:]) <= 400
        before = after
    assert 5 < cuts < 25  # of 100 turns


def test_what_is_recalled_stands_with_the_line_behind_all_that_is_cached(talk: Talk) -> None:
    prompt = words(talk.prompt(line("hello"), ["Tom likes\ntea."]))
    assert prompt[:-1] == words(talk.prefix())[:-1]
    assert prompt[-1] == ("user", "(You remember: Tom likes tea.)\ntom: hello")


def test_what_nobody_heard_is_not_remembered_as_said(talk: Talk) -> None:
    talk.remember(line("one"), "I was just about", cut=True)
    talk.remember(line("two"), "", cut=True)
    said = [content for role, content in words(talk.prefix()) if role == "assistant"]
    assert said[1:] == ["I was just about—", UNHEARD]


def test_a_quiet_chat_gives_the_model_a_topic_that_the_history_keeps(talk: Talk) -> None:
    alone = line("", source=Source.HERSELF)
    asked = words(talk.prompt(alone, ()))[-1]
    talk.remember(alone, "Trains!", cut=False)
    assert any(topic in asked[1] for topic in PERSONA.topics)
    assert asked in words(talk.prefix())


@given(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            ["<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|im_", "end|>", "[INST]", "</s>", "\n"]
        )
    ),
)
def test_a_line_cannot_leave_its_message(text: str, marks: list[str]) -> None:
    nasty = "".join(marks) + text + "".join(marks)
    asked = words(Talk("main", PERSONA, "v").prompt(line(nasty, author=nasty), ()))[-1][1]
    for mark in ("<|im_start|>", "<|im_end|>", "<|eot_id|>", "[INST]", "</s>", "\n", "\r", "\u2028"):
        assert mark not in asked


def test_the_same_seed_asks_the_same_and_every_turn_differently() -> None:
    first, again = Talk("main", PERSONA, "v", seed=3), Talk("main", PERSONA, "v", seed=3)
    seeds = [first.prompt(line("a"), ()).seed, first.prompt(line("a"), ()).seed]
    assert seeds[0] != seeds[1]
    assert seeds == [again.prompt(line("a"), ()).seed, again.prompt(line("a"), ()).seed]
    assert Talk("main", PERSONA, "v").prompt(line("a"), ()).seed is None


def test_sampling_is_the_personas_own() -> None:
    persona = dataclasses.replace(PERSONA, temperature=0.3, max_tokens=40, sampling={"top_p": 0.5})
    prompt = Talk("main", persona, "v").prompt(line("a"), ())
    assert (prompt.temperature, prompt.max_tokens, prompt.sampling) == (0.3, 40, {"top_p": 0.5})
