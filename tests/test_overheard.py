"""What a voice beside hers means, and what the show does about it, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import anyio
import numpy as np
import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from glue.closing import closing
from glue.decisions import Speak
from glue.desk_events import ClauseChanged, ClauseVoiced
from glue.director import Director
from glue.errors import Unreachable
from glue.events import (
    ChatLine,
    ClauseCleared,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    PartRecovered,
    Source,
    SpeechHeard,
    TurnEnded,
    TurnStarted,
)
from glue.overheard import Meaning, Overheard
from glue.ports import Pcm, Words
from glue.senses.ears_device import DeviceEars
from glue.senses.ears_page import PageEars
from glue.senses.hearing import hear
from glue.settings import DirectorSettings
from glue.show import Show
from glue.song_events import SongStarted
from glue.stage.mixer import DUCKED
from tests.core import NoMemory, Scene, SlowLlm, line

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", Meaning.NOTHING),
        ("Mhm.", Meaning.NOTHING),
        ("Hahaha oh wow", Meaning.NOTHING),
        ("Hahahaha! Heh heh, hee hee.", Meaning.NOTHING),
        ("Uh-huh. Mm-hmm.", Meaning.NOTHING),
        ("M.H.M.", Meaning.NOTHING),
        ("H-h-h-h-h-", Meaning.NOTHING),
        ("S-S-S-S", Meaning.NOTHING),
        ("CCC, CCC, CCC.", Meaning.NOTHING),
        ("That's", Meaning.DOUBT),
        ("I\u2019ll", Meaning.DOUBT),
        ("A him", Meaning.DOUBT),
        ("I have", Meaning.FLOOR),
        ("He hummed, human", Meaning.FLOOR),
        ("Wait", Meaning.DOUBT),
        ("Oh, wait", Meaning.DOUBT),
        ("Wait, stop", Meaning.FLOOR),
        ("Stop 22", Meaning.FLOOR),
        ("No no, that is wrong.", Meaning.FLOOR),
    ],
)
def test_two_real_words_take_the_floor(text: str, meaning: Meaning) -> None:
    assert Overheard().meaning(text, 1.0) is meaning


def test_her_own_words_mean_nothing() -> None:
    heard = Overheard()
    heard.says("I love trains, thunderstorms and terrible puns!", 1.0)
    assert heard.meaning("I love trains", 2.0) is Meaning.NOTHING
    assert heard.meaning("love trains thunder storms and terrible puns", 3.0) is Meaning.NOTHING
    assert heard.echo("thunderstorms and terrible", 3.0)
    assert heard.meaning("what about dogs then", 3.0) is Meaning.FLOOR
    heard.says("Something else entirely.", 60.0)
    assert not heard.echo("I love trains", 60.0), "long ago"


QUESTION = "What do you think happens when I open the box?"


@pytest.mark.parametrize(
    "text",
    ["what do you mean?", "do you open boxes", "when do I think", "so what happens to you when the box is"],
)
def test_an_answer_in_some_of_her_words_is_no_echo(text: str) -> None:
    heard = Overheard()
    heard.says(QUESTION, 1.0)
    assert heard.meaning(text, 3.5) is Meaning.FLOOR
    assert heard.unmeant(text, 4.0, 3.5, speaking=True) is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("I love trains, thunderstorms and terrible puns!", "I love trains too"),
        ("Do you like cats?", "I like cats"),
        ("I love trains.", "I hate trains"),
        ("That is a dangerous question.", "that is not true"),
        ("Do you like the rain?", "I like the rain."),
        ("Do you know what happened?", "No, what happened?"),
        ("Do you like the rain today?", "I like the rain today."),
        ("I think cats are better than dogs.", "I think dogs are better than cats."),
        ("Do you want to play a game?", "I want to play a song."),
        ("Then she told me of another friend.", "Other friend?"),
    ],
)
def test_an_answer_that_sounds_like_her_words_stops_her(said: str, answer: str) -> None:
    heard = Overheard()
    heard.says(said, 1.0)
    assert heard.meaning(answer, 2.5) is Meaning.FLOOR and heard.unmeant(answer, 3.0, 2.5, True) is None


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Do you know that game?", "No."),
        ("They said it was over.", "Hey."),
        ("Do you like the color of my eyes?", "Yes."),
        ("Do you want to just open it?", "Stop."),
        ("Have you ever done something like it?", "Hi."),
        ("That was the best party ever.", "Part"),
    ],
)
def test_an_answer_of_one_word_is_none_of_hers_because_its_letters_stand_in_them(
    said: str, answer: str
) -> None:
    heard = Overheard()
    heard.says(said, 1.0)
    assert heard.unmeant(answer, 3.0, 2.5, False) is None


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("I don't think that popcorn is a snack.", "I do not think that popped corn is a snack"),
        (
            "I stand by that. Chess is just angry chequers. I stand by that.",
            "Justice just angry checkers. I stand by that.",
        ),
    ],
)
def test_her_own_words_come_in_her_order(said: str, heard: str) -> None:
    hers = Overheard()
    hers.says(said, 1.0)
    assert hers.echo(heard, 5.0, 4.5)


def test_many_words_may_be_misheard_and_the_last_cut_off() -> None:
    heard = Overheard()
    heard.says(QUESTION, 1.0)
    assert heard.echo("what do you think happens when I open a box", 4.0)
    assert heard.echo("think happens wh", 3.0)
    assert not heard.echo("happens when ice", 3.0)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (
            "Chess is just angry chequers with horses. I stand by that.",
            "Justice just angry checkers with forces. I stand by that.",
        ),
        ("Well, my favourite snack is popcorn.", "well my favour it snack is popped corn"),
        ("Well, my favourite snack is popcorn.", "well, my favorite"),
        ("Oh, hello Mika! I have been waiting for you.", "Oh, well, Mica. I have been waiting too long"),
    ],
)
def test_words_that_a_recogniser_heard_as_others_are_known_by_their_letters(said: str, heard: str) -> None:
    hers = Overheard()
    hers.says(said, 1.0)
    assert hers.meaning(heard, 4.5) is Meaning.NOTHING and hers.echo(heard, 5.0, 4.5)
    assert Overheard().meaning(heard, 3.5) is Meaning.FLOOR
    assert hers.meaning("what do you do with all of the horses", 3.5) is Meaning.FLOOR


def test_only_what_could_be_heard_just_then_is_an_echo() -> None:
    heard = Overheard()
    heard.says("Pizza or pasta?", 1.0)
    heard.note(TurnEnded(2.2, "main", "t1", Ending.FINISHED, "", ""), 0.0)
    assert heard.unmeant("Pasta.", 4.0, 2.2, False) is Fate.ECHO
    assert heard.unmeant("Pasta.", 5.0, 3.6, False) is None, "said when she had finished"
    assert heard.unmeant("Pasta.", 5.0, None, False) is None
    delayed = Overheard()
    delayed.says("Pizza or pasta?", 10.0)
    assert not delayed.echo("pizza or pasta", 5.0), "the broadcast delay still holds it back"


def test_what_the_operator_holds_is_said_when_it_is_voiced() -> None:
    heard = Overheard()
    heard.note(ClauseCleared(1.0, "main", "t1", 0, "I love trains."), 0.0)
    heard.note(ClauseCleared(1.1, "main", "t1", 1, "Nobody likes rain."), 0.0)
    assert not heard.echo("I love trains", 2.0)
    heard.note(ClauseChanged(60.0, "main", "t1", 0, "I love ships.", "I love trains."), 0.0)
    heard.note(ClauseVoiced(60.1, "main", "t1", 0), 0.5)
    assert heard.echo("I love ships", 61.0)
    assert not heard.echo("I love trains", 61.0) and not heard.echo("nobody likes rain", 61.0)
    heard.note(TurnEnded(62.0, "main", "t1", Ending.CUT, "", ""), 0.5)
    heard.note(ClauseVoiced(62.1, "main", "t1", 1), 0.5)
    assert not heard.echo("nobody likes rain", 63.0)


def test_a_line_of_a_song_is_hers_for_as_long_as_it_is_sung() -> None:
    heard = Overheard()
    heard.note(SongStarted(1.0, "main", "t1", "Daisy Bell", 60.0), 0.0)
    for index, words in enumerate(["\u266a Daisy, Daisy, give me", "\u266a your answer do"]):
        heard.note(ClauseCleared(1.0, "main", "t1", index, words), 0.0)
    heard.note(ClauseVoiced(2.0, "main", "t1", 0), 0.0)
    assert heard.unmeant("Daisy, Daisy, give me", 31.0, 30.0, True) is Fate.ECHO
    assert not heard.echo("your answer do", 31.0)
    heard.note(ClauseVoiced(40.0, "main", "t1", 1), 0.0)
    assert heard.echo("your answer do", 60.0) and not heard.echo("Daisy, Daisy, give me", 60.0)
    heard.note(TurnEnded(61.0, "main", "t1", Ending.FINISHED, "", ""), 0.0)
    assert not heard.echo("your answer do", 70.0)
    heard.says("Spoken again.", 80.0)
    assert not heard.echo("spoken again", 90.0), "and what she speaks is over in time"


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_words_mean_something(said: str, text: str) -> None:
    heard = Overheard()
    heard.says(said, 0.0)
    assert heard.meaning(text, 0.0) in Meaning


def test_nobody_is_answered_while_somebody_speaks_but_not_for_ever() -> None:
    settings = DirectorSettings(listen=1.5, listen_most=5.0)
    director = Director(["main"], settings)
    director.hear(line("Spark, how are you?"), 0.0)
    now = 0.0
    while now < 4.9:
        director.listening.word(now, settings)
        assert not [d for d in director.decide(now) if isinstance(d, Speak)]
        assert director.wake_at(now) <= now + 1.5
        now += 0.5
    director.listening.word(now, settings)
    assert [d for d in director.decide(5.0) if isinstance(d, Speak)]


def test_who_has_finished_speaking_is_answered_at_once() -> None:
    director = Director(["main"])
    director.listening.word(1.0, director.settings)
    said = ChatLine("v", "mic", "tell me a story", Source.VOICE)
    director.hear(line("Spark, how are you?"), 1.1)
    director.hear(said, 1.2)
    (decision,) = director.decide(1.2)
    assert isinstance(decision, Speak) and decision.line == said


@dataclass
class Voice:
    """A sense: (seconds, words so far, or a whole utterance)."""

    steps: Sequence[tuple[float, str, bool]]

    async def events(self) -> AsyncIterator[Event]:
        start = anyio.current_time()
        for number, (after, text, final) in enumerate(self.steps):
            await anyio.sleep_until(start + after)
            now = anyio.current_time()
            if final:
                yield LineArrived(now, ChatLine(f"v{number}", "mic", text, Source.VOICE))
            else:
                yield SpeechHeard(now, "mic", text)


async def perform(scene: Scene, steps: Sequence[tuple[float, str, bool]]) -> list[Event]:
    class Notes:
        def show(self, event: Event) -> None:
            scene.events.append(event)

    show = Show(
        {"main": scene.member()},
        Director(["main"]),
        [Notes()],
        scene.settings,
        mute=lambda muted: None,
        duck=scene.mixer.duck,
        ends_with_chat=True,
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Voice(steps)])
        tg.cancel_scope.cancel()
    return scene.events


async def test_two_words_stop_her_and_then_she_answers_them() -> None:
    scene = Scene(memory=NoMemory())
    events = await perform(
        scene,
        [
            (0.0, "tell me everything about trains", True),
            (1.0, "Oh", False),
            (1.2, "Oh wait, stop", False),
            (1.8, "Oh wait, stop, what about dogs?", True),
        ],
    )
    ended = [e for e in events if isinstance(e, TurnEnded)]
    started = [e for e in events if isinstance(e, TurnStarted)]
    assert [e.ending for e in ended] == [Ending.CUT, Ending.FINISHED]
    assert ended[0].at == pytest.approx(1.2, abs=0.02) and ended[0].heard
    assert started[1].line.text.endswith("dogs?") and started[1].at == pytest.approx(1.8, abs=0.02)


async def test_whose_last_words_come_late_is_not_talked_over_with_the_rest_of_what_they_stopped() -> None:
    said = "I love trains and thunderstorms. Nobody has ever asked me why. It is the noise that they make."
    scene = Scene(SlowLlm(words=[f"{word} " for word in said.split()]), memory=NoMemory())
    events = await perform(
        scene,
        [
            (0.0, "tell me everything", True),
            (1.5, "oh wait stop", False),
            (3.6, "Oh wait, stop, what about dogs?", True),
        ],
    )
    first, rest, dogs = (e for e in events if isinstance(e, TurnStarted))
    assert first.at < 1.5 < rest.at < 3.6 and rest.line.id.endswith("-rest")
    assert dogs.line.text.endswith("dogs?") and dogs.at == pytest.approx(3.6, abs=0.02)
    endings = [e.ending for e in events if isinstance(e, TurnEnded)]
    assert endings == [Ending.CUT, Ending.CUT, Ending.FINISHED]


async def test_who_goes_on_before_she_spoke_is_answered_as_a_whole() -> None:
    scene = Scene()
    events = await perform(
        scene,
        [
            (0.0, "Hello Spark.", True),
            (0.1, "what do you", False),
            (0.8, "what do you think about dogs?", True),
        ],
    )
    started = [e for e in events if isinstance(e, TurnStarted)]
    assert [e.line.text for e in started] == ["Hello Spark.", "Hello Spark. what do you think about dogs?"]
    assert [(e.line_id, e.fate) for e in events if isinstance(e, LineClosed)] == [
        ("v0", Fate.CONTINUED),
        ("v2", Fate.ANSWERED),
    ]


async def test_who_begins_and_says_no_more_is_answered_after_all() -> None:
    events = await perform(Scene(), [(0.0, "Hello Spark.", True), (0.1, "and also", False)])
    assert [e.ending for e in events if isinstance(e, TurnEnded)] == [Ending.CUT, Ending.FINISHED]
    assert [e.fate for e in events if isinstance(e, LineClosed)] == [Fate.ANSWERED]


async def test_a_murmur_does_nothing_and_a_first_word_only_lowers_her_voice() -> None:
    scene = Scene(SlowLlm(words=("Oh ", "hello ", "Mika. ", "I ", "like ", "trains. ") * 2))
    events = await perform(
        scene,
        [
            (0.0, "tell me everything about trains", True),
            (0.8, "Mhm", False),
            (0.9, "Mhm.", True),
            (1.0, "So", False),
        ],
    )
    assert [e.ending for e in events if isinstance(e, TurnEnded)] == [Ending.FINISHED]
    assert [e.fate for e in events if isinstance(e, LineClosed)].count(Fate.IGNORED) == 1
    levels = {at: float(np.abs(pcm).mean()) for at, pcm in scene.tape.blocks}
    before = max(level for at, level in levels.items() if at < 0.99)
    ducked = [level for at, level in levels.items() if 1.05 < at < 2.1 and level]
    after = [level for at, level in levels.items() if at > 2.3 and level]
    assert max(ducked) == pytest.approx(before * DUCKED, rel=0.05)
    assert after and max(after) == pytest.approx(before, rel=0.05)


async def test_what_she_says_out_of_a_loudspeaker_is_an_echo() -> None:
    scene = Scene(memory=NoMemory())
    events = await perform(
        scene,
        [(0.0, "say hello to Mika", True), (0.9, "oh hello Mika", False), (1.5, "Oh, hello Mika.", True)],
    )
    assert [e.ending for e in events if isinstance(e, TurnEnded)] == [Ending.FINISHED]
    assert [e.fate for e in events if isinstance(e, LineClosed)] == [Fate.ECHO, Fate.ANSWERED]


async def test_a_question_back_in_her_own_words_stops_her() -> None:
    words = "What do you think happens when I open the box today. Let me tell you all about it. ".split(" ")
    scene = Scene(SlowLlm(words=[f"{word} " for word in words]), memory=NoMemory())
    events = await perform(
        scene,
        [
            (0.0, "tell me a story", True),
            (2.5, "what do", False),
            (2.8, "what do you mean", False),
            (3.4, "What do you mean?", True),
        ],
    )
    assert [e.ending for e in events if isinstance(e, TurnEnded)] == [Ending.CUT, Ending.FINISHED]
    assert [e.fate for e in events if isinstance(e, LineClosed)] == [Fate.ANSWERED, Fate.ANSWERED]


async def test_a_long_reply_out_of_a_loudspeaker_does_not_stop_her() -> None:
    said = "I love trains and thunderstorms. Nobody has ever asked me why. It is the noise that they make."
    scene = Scene(SlowLlm(words=[f"{word} " for word in said.split()]), memory=NoMemory())
    words = said.replace(".", "").lower().split()
    leaks = [(1.2 + 0.3 * n, " ".join(words[:n]), False) for n in range(1, len(words))]
    events = await perform(scene, [(0.0, "tell me everything", True), *leaks, (7.2, said, True)])
    assert [e.ending for e in events if isinstance(e, TurnEnded)] == [Ending.FINISHED]
    assert Fate.ECHO in [e.fate for e in events if isinstance(e, LineClosed)]


class Deaf:
    """Ears that are away twice, and then hear."""

    def __init__(self) -> None:
        self.tries = 0

    async def listen(self, sound: AsyncIterator[Pcm]) -> AsyncIterator[Words]:
        self.tries += 1
        if self.tries < 3:
            raise Unreachable("ears", "nobody is there")
        yield Words("hello \u202e spark", False)
        yield Words("hello spark \x00", True)
        yield Words(" \u200b ", True)


async def test_ears_that_are_away_are_tried_again_and_words_are_cleaned() -> None:
    async def silence() -> AsyncIterator[Pcm]:
        yield np.zeros(320, np.int16)

    ears = Deaf()
    events = [event async for event in hear(ears, silence, "mic", "wav")]
    assert [type(e) for e in events] == [PartDegraded, PartRecovered, SpeechHeard, LineArrived]
    said, arrived = events[2], events[3]
    assert isinstance(said, SpeechHeard) and said.text == "hello spark"
    assert isinstance(arrived, LineArrived) and arrived.line == ChatLine(
        "voice-wav-1", "mic", "hello spark", Source.VOICE
    )


class Mouth:
    """An operator's page whose microphone gives nothing."""

    wanted = False

    async def heard(self) -> Pcm:
        return np.zeros(320, np.int16)


async def test_lines_of_two_microphones_are_told_apart() -> None:
    class One(Deaf):
        async def listen(self, sound: AsyncIterator[Pcm]) -> AsyncIterator[Words]:
            yield Words("hello spark", True)

    said = [event async for event in PageEars(One(), Mouth()).events()]
    async with closing(DeviceEars(One()).events()) as heard:  # it would wait for its device, for ever
        said.append(await anext(heard))
    ids = {event.line.id for event in said if isinstance(event, LineArrived)}
    assert len(ids) == len(said) == 2
