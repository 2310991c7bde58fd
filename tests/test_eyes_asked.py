"""What she says when somebody asks what she sees: what is there now, as it was let in, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import numpy as np
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from glue.events import ChatLine, Event, Source
from glue.ports import Fact
from glue.safety.door import Door
from glue.senses.asked import asks, told
from glue.senses.eyes import FRESH, Eyes
from glue.senses.sight import Danger, Sight
from glue.sight_events import Seen
from tests.test_eyes import Peer, eyes_on, show, watched


@pytest.mark.parametrize(
    "asked",
    [
        "what's on screen?",
        "Spark, what is happening on your screen",
        "what do you see?",
        "what do u see in this picture",
        "can you see this",
        "Do you even see what\u2019s going on?",
        "what are you looking at",
        "read the screen please",
        "what does that say?",
    ],
)
def test_who_asks_what_she_sees_is_told(asked: str) -> None:
    assert asks(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "hello Spark",
        "what do you see yourself as?",
        "what do you see in him",
        "can you see the future",
        "do you see my point",
        "I saw that on a screen. what a day",
        "what do you think of trains",
        "",
    ],
)
def test_other_lines_cost_nothing(asked: str) -> None:
    assert not asks(asked)


def test_what_she_sees_is_a_fact_that_she_begins_with() -> None:
    facts = [
        told(seen)
        for seen in (
            Seen(0.0, "screen", ("GAME OVER", "3 lives"), ("cat", "hat"), "A cat."),
            Seen(0.0, "screen", ("GAME OVER",), ("cat", "hat")),
            Seen(0.0, "screen", ("!!", "GAME OVER!", "START")),
            Seen(0.0, "screen", ("word " * 30,)),
            Seen(0.0, "screen", ("<|>",)),
            None,
        )
    ]
    assert facts[0] == 'On the screen now: "A cat.; cat, hat; GAME OVER / 3 lives"'
    assert [fact.said for fact in facts] == [
        "I see: A cat.",
        "I see: cat, hat.",
        "It says: GAME OVER.",
        f"It says: {' '.join(['word'] * 12)}.",
        *["I see nothing right now."] * 2,
    ]


@given(st.lists(st.text(max_size=200), max_size=3), st.text(max_size=200))
def test_any_sight_stays_inside_its_quotation_marks_and_what_is_said_is_short(
    texts: list[str], caption: str
) -> None:
    fact = told(Seen(0.0, "screen", tuple(texts), (), caption))
    assert fact.count('"') in (0, 2) and not set(fact) & set("()[]{}<>`\n")
    assert len(fact.said) < 80 and not set(fact.said) & set('"()[]{}<>`\n')


ASKED = ChatLine("1", "mika", "what do you see?", Source.CONSOLE)


def says(eyes: Eyes, line: ChatLine = ASKED) -> list[str]:
    return [fact.said for fact in eyes.facts("main", line) if isinstance(fact, Fact)]


@pytest.mark.anyio
async def test_what_is_there_now_is_known_as_it_was_let_in(tmp_path: Path) -> None:
    picture, known = tmp_path / "now.png", list[list[str]]()
    show(picture, 20)
    danger, door = Danger(0.9, "GUN", unsafe=True), Door()
    eyes = eyes_on(picture, Peer(Sight(("ONE",)), danger, Sight(("ONE",)), Sight(("TWO",)), Sight(())))
    assert says(eyes) == ["I see nothing right now."]

    def take(event: Event) -> None:
        if isinstance(event, Seen) and event.texts != ("TWO",):  # that one the door keeps out
            eyes.show(door.sees(event)[0])

    def look(shade: int) -> Callable[[], None]:
        def step() -> None:
            known.append(says(eyes))
            show(picture, shade)

        return step

    await watched(eyes, *map(look, (80, 140, 200, 250, 250)), take=take)
    none = "I see nothing right now."
    assert known == [["It says: ONE."], [none], ["It says: ONE."], [none], [none]]
    assert eyes.facts("main", ChatLine("2", "mika", "hello", Source.CONSOLE)) == []
    assert says(eyes, ChatLine("3", "", "what do you see", Source.EYES)) == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})])
async def test_a_screen_that_stands_still_is_there_until_nobody_looks_at_it(tmp_path: Path) -> None:
    eyes = eyes_on(tmp_path / "now.png", Peer(Sight(("ONE",))))
    still = np.zeros((90, 160, 3), np.uint8)
    for _ in range(4):
        await eyes._consider(still, eyes.show)
        await anyio.sleep(FRESH - 1)
        assert says(eyes) == ["It says: ONE."]
    await anyio.sleep(2)
    assert says(eyes) == ["I see nothing right now."]
