"""Songs in the show, in virtual time: who may ask for one, what does not end it, and what waits meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import anyio
import numpy as np
import pytest
import trio.testing

from glue.booth import Booth
from glue.chat_events import Deed, LinesRemoved
from glue.course import Course
from glue.cues import Cues, Script
from glue.director import Director
from glue.errors import Unreachable
from glue.events import (
    Button,
    ButtonPressed,
    ChatLine,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    Source,
    SpeechHeard,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import FloorClaimed, Priority
from glue.meant import Meant
from glue.parts import Informed
from glue.repertoire import LATELY, LISTING, RESTS, Repertoire
from glue.settings import DirectorSettings
from glue.show import Show
from glue.song_events import SongEnded
from glue.stage.mixer import DUCKED
from tests.core import NoMemory, Scene, SlowLlm, SlowTts, line
from tests.tunes import BACKING, VOCALS, Tunes

pytestmark = pytest.mark.anyio
SUNG = "This is Daisy Bell. (sang Daisy Bell)"
BEGUN = "This is Daisy Bell. (sang the beginning of Daisy Bell)"
Kind = TypeVar("Kind")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Notes:
    """A viewer that keeps everything."""

    kept: list[Event]

    def show(self, event: Event) -> None:
        self.kept.append(event)


@dataclass
class Evening:
    """A show with songs, and a sense of it; `steps`: what happens when, words are a viewer's."""

    steps: Sequence[tuple[float, str | Event | Callable[[Evening], object]]]
    tunes: Tunes = field(default_factory=Tunes)
    asked: bool = True
    again: float = 600.0
    apart: float = 0.0
    scene: Scene = field(default_factory=lambda: Scene(llm=SlowLlm(words=["Fine. "])))
    settings: DirectorSettings = field(default_factory=lambda: DirectorSettings(lonely=1e6, lonely_most=1e6))
    cues: Cues = field(default_factory=Cues)
    began: float = 0.0

    async def perform(self) -> None:
        """Until all is over."""
        self.repertoire = Repertoire(
            self.tunes,
            self.asked,
            self.again,
            self.apart,
            names=lambda: ["Spark"],
            opens=lambda who, song: f"This is {song}.",
            now=anyio.current_time,
        )
        member = replace(self.scene.member(), memory=Informed(NoMemory(), [self.repertoire.facts]))
        self.director = Director(["main"], self.settings, meant=Meant(wished=self.repertoire.wishes))
        self.course, mixer = Course(self.director), self.scene.mixer
        show = Show(
            {"main": member},
            self.director,
            [Notes(self.scene.events)],
            self.scene.settings,
            lambda muted: setattr(mixer, "muted", muted),
            mixer.duck,
            ends_with_chat=True,
            booth=Booth(cues=self.cues),
            course=self.course,
            repertoire=self.repertoire,
        )
        self.began = anyio.current_time()
        async with anyio.create_task_group() as tg:
            tg.start_soon(mixer.run)
            with anyio.fail_after(3600):
                await show.run([self])
            tg.cancel_scope.cancel()

    async def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        for number, (after, what) in enumerate(self.steps):
            await anyio.sleep_until(self.began + after)
            now = anyio.current_time()
            if isinstance(what, str):
                yield LineArrived(now, ChatLine(f"l{number}", f"v{number}", what, Source.TWITCH))
            elif isinstance(what, Event):
                yield what
            else:
                what(self)
                yield SpeechHeard(now, "nobody", "")

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.scene.events if isinstance(event, kind)]

    def fates(self) -> dict[str, Fate]:
        closed = [(event.line_id, event.fate) for event in self.of(LineClosed)]
        assert len(closed) == len(dict(closed)), "a line was closed twice"
        return dict(closed)

    def heard(self) -> list[str]:
        return [event.heard for event in self.of(TurnEnded)]

    def sung(self) -> list[float]:
        return [round(event.sung, 1) for event in self.of(SongEnded)]


async def evening(
    *steps: tuple[float, str | Event | Callable[[Evening], object]], **words: object
) -> Evening:
    found = Evening(steps, **words)  # type: ignore[arg-type]  # the fields of Evening
    await found.perform()
    return found


def aloud(text: str) -> SpeechHeard:
    """Somebody in the room says so much so far."""
    return SpeechHeard(0.0, "guest", text)


@pytest.mark.parametrize(
    "text",
    [
        "!sing daisy bell",
        "sing Daisy Bell",
        "Spark, please sing Daisy Bell!",
        "@Spark sing daisy bell please",
    ],
)
async def test_who_asks_for_a_song_gets_it(text: str) -> None:
    found = await evening((0.0, text))
    assert found.heard() == [SUNG] and found.fates() == {"l0": Fate.ANSWERED} and found.scene.llm.asked == []
    assert found.scene.mind.history == [(text, SUNG, False)] and found.repertoire.current is None


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("!sing my way", Fate.IGNORED),
        ("!sing", Fate.IGNORED),
        ("!sing daisy bell now", Fate.IGNORED),
        ("Spark, please sing My Way", Fate.ANSWERED),
        ("I heard you sing daisy bell", Fate.ANSWERED),
        ("please do not sing daisy bell", Fate.ANSWERED),
        ("sing ../Daisy Bell.wav", Fate.ANSWERED),
    ],
)
async def test_what_is_no_request_for_a_song_that_there_is_is_the_models(text: str, fate: Fate) -> None:
    found = await evening((0.0, text))
    assert found.tunes.opened == 0 and found.fates() == {"l0": fate}
    assert len(found.scene.llm.asked) == (fate is Fate.ANSWERED)


async def test_where_chat_may_not_ask_it_gets_none() -> None:
    found = await evening((0.0, "!sing daisy bell"), (1.0, "sing daisy bell"), (9.0, "!songs"), asked=False)
    assert found.tunes.opened == 0
    assert found.fates() == {"l0": Fate.IGNORED, "l1": Fate.ANSWERED, "l2": Fate.IGNORED}


async def test_which_songs_there_are_is_told_word_for_word() -> None:
    found = await evening((0.0, "!songs"), tunes=Tunes(called=("Daisy Bell", "Moon", "Rain")))
    (said,) = found.heard()
    assert any(said.startswith(each.partition("{}")[0]) for each in LISTING)
    assert all(name in said for name in ("Daisy Bell", "Moon", "Rain"))
    assert found.fates() == {"l0": Fate.ANSWERED}


async def test_the_same_song_comes_again_after_a_while_and_meanwhile_she_says_so() -> None:
    found = await evening((0.0, "!sing daisy bell"), (60.0, "!sing daisy bell"), (700.0, "!sing daisy bell"))
    first, told, again = found.heard()
    assert first == again == SUNG and set(found.fates().values()) == {Fate.ANSWERED}
    assert any(told.startswith(each.format(song="Daisy Bell", when="in 10 minutes")) for each in LATELY)


async def test_between_two_songs_that_chat_gets_there_is_a_while() -> None:
    steps = ((0.0, "!sing daisy bell"), (60.0, "!sing moon"), (300.0, "!sing moon"))
    found = await evening(*steps, tunes=Tunes(called=("Daisy Bell", "Moon")), apart=120.0)
    told = found.heard()[1]
    assert any(told.startswith(each.format(song="Moon", when="in 2 minutes")) for each in RESTS)
    assert found.heard()[2] == "This is Moon. (sang Moon)"


async def test_the_operator_may_always_have_a_song_and_chat_waits_for_none_of_these() -> None:
    def asks(found: Evening) -> None:
        song = found.tunes.song("Daisy Bell")
        found.cues.scripts.append(Script("main", ChatLine("sing-1", "", "", Source.HERSELF), "", song))

    found = await evening(
        (0.0, asks), (60.0, asks), (120.0, "!sing moon"), tunes=Tunes(("Daisy Bell", "Moon")), apart=600.0
    )
    assert found.heard() == [SUNG, SUNG, "This is Moon. (sang Moon)"]


async def test_a_request_whose_song_gave_way_before_it_was_heard_is_kept() -> None:
    found = await evening(
        (0.0, "!sing daisy bell"), (0.15, FloorClaimed(0.0, "main", "G", Priority.CRITICAL))
    )
    assert [event.ending for event in found.of(TurnEnded)] == [Ending.CUT, Ending.FINISHED]
    assert found.sung() == [0.0, 30.0] and found.fates() == {"l0": Fate.ANSWERED}


async def test_a_voice_in_the_room_lowers_a_song_and_does_not_end_it() -> None:
    talks = [
        (10.0 + second / 2, aloud("what a lovely song this is " + "la " * second)) for second in range(8)
    ]
    found = await evening((0.0, "!sing daisy bell"), *talks)
    assert found.heard() == [SUNG] and found.sung() == [30.0]
    sound = np.concatenate([pcm for _, pcm in found.scene.tape.blocks])
    lowered = np.count_nonzero(sound == round((VOCALS + BACKING) * DUCKED)) / 24000
    assert 4.0 < lowered < 6.0 and sound[-1] == VOCALS + BACKING


@pytest.mark.parametrize("priority", [Priority.LOW, Priority.MEDIUM, Priority.HIGH])
async def test_a_game_in_no_such_hurry_does_not_end_it(priority: Priority) -> None:
    found = await evening((0.0, "!sing daisy bell"), (10.0, FloorClaimed(0.0, "main", "G", priority)))
    assert found.heard() == [SUNG]


async def test_a_critical_game_ends_it() -> None:
    found = await evening(
        (0.0, "!sing daisy bell"),
        (10.0, FloorClaimed(0.0, "main", "G", Priority.CRITICAL)),
        (11.0, "hello Spark"),
    )
    assert found.heard() == [BEGUN, "Fine."] and found.sung()[0] == pytest.approx(8.7, abs=0.2)


async def test_thanks_are_the_first_thing_after_it() -> None:
    paid = LineArrived(0.0, replace(line("cheered", "rae", "p1"), deed=Deed.BITS, source=Source.TWITCH))
    found = await evening((0.0, "!sing daisy bell"), (5.0, "hello Spark, how are you?"), (10.0, paid))
    song, thanks, _ = found.of(TurnStarted)
    assert found.heard()[0] == SUNG and thanks.line.id == "p1"
    assert thanks.at == found.of(TurnEnded)[0].at and song.line.id == "l0"
    assert set(found.fates().values()) == {Fate.ANSWERED}


async def test_what_was_written_while_she_sang_is_as_young_as_the_songs_end() -> None:
    """45 s is a line's patience, and this song takes 240."""
    found = await evening(
        (0.0, "!sing daisy bell"),
        (20.0, "Spark, what is your favourite food?"),
        (200.0, "Spark, do you like trains?"),
        tunes=Tunes(each=80.0),
    )
    answered = [event.line.id for event in found.of(TurnStarted)]
    assert answered[0] == "l0" and sorted(answered[1:]) == ["l1", "l2"]
    assert set(found.fates().values()) == {Fate.ANSWERED}


async def test_and_then_its_patience_runs_as_ever() -> None:
    slow = Scene(llm=SlowLlm(words=["Fine. "], first=30.0))
    steps = [(20.0 + n, f"Spark, what is {word}?") for n, word in enumerate(["tea", "milk", "rain", "snow"])]
    found = await evening((0.0, "!sing daisy bell"), *steps, scene=slow)
    assert sorted(found.fates().values()) == [Fate.ANSWERED] * 3 + [Fate.IGNORED] * 2


async def test_a_request_that_a_moderator_removes_is_sung_no_further() -> None:
    found = await evening((0.0, "!sing daisy bell"), (10.0, LinesRemoved(0.0, ("l0",))))
    assert found.sung()[0] < 10.0 and found.fates() == {"l0": Fate.REMOVED}


@pytest.mark.parametrize("button", [Button.SKIP, Button.DUMP, Button.STOP, Button.PANIC])
async def test_every_button_that_ends_a_reply_ends_it(button: Button) -> None:
    go = ButtonPressed(0.0, Button.GO)
    found = await evening((0.0, "!sing daisy bell"), (10.0, ButtonPressed(0.0, button)), (12.0, go))
    assert found.sung()[0] < 10.0 and found.heard() == [BEGUN]
    assert max(at for at, _ in found.scene.tape.blocks) <= found.began + 10.0


async def test_at_the_shows_end_it_fades_and_she_says_goodbye() -> None:
    found = await evening(
        (0.0, "!sing daisy bell"),
        (10.0, lambda found: found.course.end(anyio.current_time())),
        settings=DirectorSettings(lonely=1e6, lonely_most=1e6, ending=0.0),
    )
    song, goodbye = found.of(TurnEnded)
    assert song.heard == BEGUN and song.ending is Ending.CUT and song.at - found.began < 12.0
    assert goodbye.heard == "Fine."


async def test_a_file_that_breaks_is_told_and_the_show_goes_on() -> None:
    found = await evening((0.0, "!sing daisy bell"), (40.0, "hello Spark"), tunes=Tunes(breaks_at=1))
    first, second = found.of(TurnEnded)
    assert (
        first.ending is Ending.FAILED and first.why == "songs: the disk is gone" and second.heard == "Fine."
    )


async def test_while_the_voice_is_away_the_request_waits() -> None:
    class Away(SlowTts):
        async def speak(self, text: str, voice: str) -> AsyncIterator:  # type: ignore[type-arg]
            if anyio.current_time() < gone + 3.0:
                raise Unreachable("speech", "gone")
            async for speech in super().speak(text, voice):
                yield speech

    gone = anyio.current_time()
    found = await evening((0.0, "!sing daisy bell"), scene=Scene(tts=Away()))
    assert found.heard()[-1] == SUNG and found.fates() == {"l0": Fate.ANSWERED}
