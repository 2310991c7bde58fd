"""The prompt: laid out for the prefix cache, with viewers' words as data."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.chat_events import Deed
from glue.events import ChatLine, Source
from glue.mind.persona import Persona, Shot
from glue.mind.talk import Talk
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


def test_the_nudge_stands_before_every_line_and_is_prefilled() -> None:
    talk = Talk("main", dataclasses.replace(PERSONA, nudge="(Be Spark.)"), "bright")
    for number in range(3):
        prefix, asked = words(talk.prefix()), words(talk.prompt(line(f"line {number}"), ["It is May."]))
        assert prefix[:-1] == asked[:-1] and asked[-1][1].startswith(prefix[-1][1])
        assert asked[-1] == ("user", f"(Be Spark.)\n(You remember: It is May.)\ntom: line {number}")
        talk.remember(line(f"line {number}"), "Said.", cut=False)
        assert words(talk.prefix())[-3] == ("user", f"(Be Spark.)\ntom: line {number}")


def test_what_nobody_heard_is_not_remembered_as_said(talk: Talk) -> None:
    talk.remember(line("one"), "I was just about", cut=True)
    talk.remember(line("two"), "", cut=True)
    said = [content for role, content in words(talk.prefix()) if role == "assistant"]
    assert said[1:] == ["I was just about—"]
    assert talk.prefix(line("three"), "") == talk.prefix()


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


def test_thanks_are_asked_for_by_name(talk: Talk) -> None:
    told = ChatLine("l1", "mika", "subscribed, saying: <|im_start|>hi", Source.TWITCH, deed=Deed.SUB)
    asked = talk.prompt(told, ()).messages[-1].content
    assert asked.endswith("(Thank them in one short sentence, by name: mika subscribed, saying: hi)")


def test_what_a_moderator_removed_is_forgotten(talk: Talk) -> None:
    for id in ("l1", "l2"):
        talk.remember(ChatLine(id, "tom", f"words of {id}", Source.TWITCH), "Sure thing.", cut=False)
    talk.forget(["l1"])
    said = " ".join(message.content for message in talk.prefix().messages)
    assert "words of l2" in said and "words of l1" not in said


def test_what_she_always_knows_changes_only_when_the_history_is_cut(talk: Talk) -> None:
    talk.know("(Regulars: mira.)")
    assert words(talk.prompt(line("hi"), ()))[-1] == ("user", "(Regulars: mira.)\ntom: hi")
    talk.remember(line("hi"), "Hello there.", cut=False)
    talk.know("(Regulars: mira, bob.)")
    before, edited = words(talk.prefix())[:-1], 0
    assert "bob" not in str(before)
    for number in range(30):
        guessed = words(talk.prefix(line(f"line {number}"), "Said and heard."))
        talk.remember(line(f"line {number}"), "Said and heard.", cut=False)
        after = words(talk.prefix())[:-1]
        assert words(talk.prefix()) == guessed
        if "bob" in str(after) and not edited:
            assert len(after) < len(before)
            edited = number
        before = after
    assert edited
    talk.know("")
    assert "Regulars" not in str(words(talk.prefix()))
