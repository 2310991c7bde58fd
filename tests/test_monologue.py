"""Who speaks on and on, and who only seemed to: chat is answered, and she finishes her sentence."""

from __future__ import annotations

import pytest
import trio.testing

from glue.chat_events import Deed
from glue.events import Button, Ending, Fate, Source, TurnStarted
from tests.core import NoMemory, Scene, SlowLlm
from tests.test_show import Aloud, Removed, Spoken, Steps, ends, fates, perform, thanked_after

pytestmark = pytest.mark.anyio
LONG = SlowLlm(words=["One ", "two ", "three. "] * 4)  # 3.6 s of speech


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def monologue(seconds: float, since: float = 0.0) -> Steps:
    """Twice a second, what somebody has said so far."""
    words = ("and then we went on to the lake " * 40).split()
    return [(since + n / 2, Aloud(" ".join(words[: n + 2]))) for n in range(round(seconds * 2))]


def played(*steps: Steps) -> Steps:
    return sorted((step for some in steps for step in some), key=lambda step: step[0])


async def test_chat_is_answered_beside_who_speaks_for_a_minute() -> None:
    events = await perform(played(monologue(60.0), [(3.3, "hello Spark")]), Scene(llm=LONG))
    assert fates(events) == {"l7": Fate.ANSWERED}
    (ended,), (started,) = ends(events), [e for e in events if isinstance(e, TurnStarted)]
    assert started.at == pytest.approx(20.0, abs=0.1) and ended.ending is Ending.FINISHED
    assert ended.heard == ended.said


async def test_who_speaks_on_has_the_floor_again_when_chat_was_answered() -> None:
    lines: Steps = [(1.3, "hello Spark"), (1.4, "Spark, what is your name?")]
    events = await perform(played(monologue(60.0), lines), Scene(llm=LONG))
    assert set(fates(events).values()) == {Fate.ANSWERED}
    first, second = [e.at for e in events if isinstance(e, TurnStarted)]
    assert second == pytest.approx(ends(events)[0].at + 20.0, abs=0.1) and first < 21.0


async def test_another_who_begins_while_she_speaks_beside_a_monologue_stops_her() -> None:
    steps = played(monologue(20.4), [(3.3, "hello Spark")], monologue(1.0, 23.0))
    ended = ends(await perform(steps, Scene(llm=LONG)))[0]
    assert ended.ending is Ending.CUT and ended.at == pytest.approx(23.0, abs=0.05) and ended.heard


async def test_a_line_of_chat_that_a_voice_cut_before_she_said_a_word_is_answered_after_it() -> None:
    steps: Steps = [(0.0, "hello Spark"), (0.2, Aloud("wait a moment"))]
    events = await perform(steps, Scene(memory=NoMemory()))
    assert fates(events) == {"l0": Fate.ANSWERED}
    assert [e.ending for e in ends(events)] == [Ending.CUT, Ending.FINISHED]
    assert not ends(events)[0].heard and ends(events)[1].at > 1.7


@pytest.mark.parametrize("first", ["skip", "voice"])
async def test_what_is_skipped_by_hand_stays_skipped_though_somebody_speaks(first: str) -> None:
    both: Steps = [(0.2, Button.SKIP), (0.2, Aloud("wait a moment"))]
    steps: Steps = [(0.0, "hello Spark"), *(both if first == "skip" else both[::-1])]
    events = await perform(steps, Scene(memory=NoMemory()))
    assert fates(events) == {"l0": Fate.SKIPPED} and len(ends(events)) == 1


SAID = "I love trains and ships. They are loud. Nobody asks me why."
TALE = SlowLlm(words=[f"{word} " for word in SAID.split()])


def asked(*steps: tuple[float, object]) -> Steps:
    """She tells a tale from 0.3 s to about 4.2 s."""
    return [(0.0, "hello Spark"), *steps]  # type: ignore[list-item]  # what a test adds


async def test_words_that_nothing_follows_do_not_cost_the_rest_of_a_reply() -> None:
    events = await perform(asked((1.6, Aloud("wait stop"))), Scene(llm=TALE, memory=NoMemory()))
    first, second = ends(events)
    assert first.ending is Ending.CUT and second.ending is Ending.FINISHED
    assert f"{first.heard} {second.heard}" == SAID
    started = [e for e in events if isinstance(e, TurnStarted)]
    assert started[1].at == pytest.approx(1.6 + 1.5, abs=0.05)
    assert fates(events) == {"l0": Fate.ANSWERED}


async def test_what_a_murmur_or_an_echo_came_of_is_said_after_all() -> None:
    for text in ("Mhm.", "I love trains"):
        steps = asked((1.6, Aloud("wait stop")), (2.0, Spoken(text)))
        events = await perform(steps, Scene(llm=TALE, memory=NoMemory()))
        assert [e.ending for e in ends(events)] == [Ending.CUT, Ending.FINISHED], text


async def test_what_she_was_saying_is_no_matter_to_who_did_speak() -> None:
    steps = asked((1.6, Aloud("wait stop")), (2.0, Spoken("Wait, stop, what about dogs?")))
    events = await perform(steps, Scene(llm=TALE, memory=NoMemory()))
    assert [e.line.source for e in events if isinstance(e, TurnStarted)] == [Source.CONSOLE, Source.VOICE]
    talk = [(1.6 + n / 2, Aloud("wait stop " * (n + 1))) for n in range(14)]  # and what comes of it is lost
    assert len(ends(await perform(asked(*talk), Scene(llm=TALE, memory=NoMemory())))) == 1


@pytest.mark.parametrize("by", [Button.SKIP, Button.STOP, Removed(("l0",))])
async def test_what_is_ended_by_hand_is_not_taken_up_again(by: Button | Removed) -> None:
    for at in (1.5, 1.6, 2.0):
        steps = sorted(asked((1.6, Aloud("wait stop")), (at, by)), key=lambda step: step[0])
        assert len(ends(await perform(steps, Scene(llm=TALE, memory=NoMemory())))) == 1, at


async def test_thanks_do_not_wait_for_the_rest_of_a_reply() -> None:
    steps = asked((1.6, Aloud("wait stop")), (1.7, Deed.RAID))
    events = await perform(steps, Scene(llm=TALE, memory=NoMemory()))
    assert thanked_after(events)["l2"] < 5 and len(ends(events)) == 3
