"""How a show ends, in virtual time: thanks that are due, a goodbye, the ending scene; it never hangs."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import anyio
import numpy as np
import pytest
import trio.testing

from glue.booth import Booth
from glue.broadcast_events import Phase, PhaseBegun
from glue.chat_events import Deed
from glue.course import GOODBYE, Course
from glue.cues import Cues, Script
from glue.desk_events import OperatorAsked, OperatorServed, Wish
from glue.director import Director
from glue.errors import Unreachable
from glue.events import (
    Button,
    ButtonPressed,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    SpeechHeard,
    TurnStarted,
)
from glue.game_events import FloorClaimed, GamesPlayed, Priority
from glue.ports import Prompt, Role, Speech, Usage
from glue.settings import DirectorSettings
from glue.show import Show
from tests.core import Scene, SlowLlm, SlowTts, line
from tests.test_show import LONG, Away, Notes, ends, fates

pytestmark = pytest.mark.anyio
Happening = str | Deed | Button | Wish | Event
Steps = Sequence[tuple[float, Happening]]
QUIET = 1000.0  # seconds: she breaks no silence meanwhile


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Evening:
    """A sense that plays (seconds, what) in order. Lines are called l0, l1, ... by their place."""

    steps: Steps

    async def events(self) -> AsyncIterator[Event]:
        start = anyio.current_time()
        for number, (after, what) in enumerate(self.steps):
            await anyio.sleep_until(start + after)
            now = anyio.current_time()
            match what:
                case Button():
                    yield ButtonPressed(now, what)
                case Wish():
                    yield OperatorAsked(now, what)
                case Deed():
                    yield LineArrived(now, replace(line("did it", f"v{number}", f"l{number}"), deed=what))
                case str():
                    yield LineArrived(now, line(what, f"v{number}", f"l{number}"))
                case _:
                    yield replace(what, at=now)


@dataclass
class Performed:
    """What happened, and for how long the show went on."""

    events: list[Event]
    lasted: float

    def phases(self) -> list[Phase]:
        return [e.phase for e in self.events if isinstance(e, PhaseBegun)]

    def began(self, phase: Phase) -> float:
        return next(e.at for e in self.events if isinstance(e, PhaseBegun) and e.phase is phase)

    def said(self) -> list[str]:
        """What she was asked to speak about, in order."""
        return [e.line.text for e in self.events if isinstance(e, TurnStarted)]


async def perform(
    steps: Steps,
    scene: Scene | None = None,
    greets: bool = False,
    scripts: Sequence[str] = (),
    delay: float = 0.0,
    within: float = 300.0,
    **settings: float,
) -> Performed:
    """A show until it ends, or for so long."""
    scene, notes = scene or Scene(), Notes()
    scene.events, scene.mixer.delay = notes.events, delay
    knobs = DirectorSettings(**{"lonely": QUIET, **settings})  # type: ignore[arg-type]  # some are no floats
    director, cues = Director(["main"], knobs), Cues()
    course = Course(director, greets, lambda: scene.mixer.delay)
    cues.scripts.extend(Script("main", line("", id=words), words) for words in scripts)
    booth = Booth(course.deeds(), cues)
    settled = ({"main": scene.member()}, director, [notes], scene.settings)
    show = Show(*settled, lambda muted: None, lambda seconds: None, booth=booth, course=course)
    began = anyio.current_time()
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        with anyio.move_on_after(within):
            await show.run([Evening(steps)])
        tg.cancel_scope.cancel()
    return Performed(notes.events, anyio.current_time() - began)


async def test_she_says_goodbye_once_then_the_ending_scene_is_held() -> None:
    show = await perform([(0.0, "hello Spark"), (9.0, Wish.END)])
    assert show.said() == ["hello Spark", GOODBYE]
    assert [e.ending for e in ends(show.events)] == [Ending.FINISHED, Ending.FINISHED]
    assert show.phases() == [Phase.LEAVING, Phase.ENDING]
    assert show.began(Phase.ENDING) == ends(show.events)[-1].at, "as soon as her last word was heard"
    assert show.lasted == pytest.approx(show.began(Phase.ENDING) - show.events[0].at + 5.0)
    (served,) = [e for e in show.events if isinstance(e, OperatorServed)]
    assert served.done and served.what == "end"


async def test_an_ending_scene_of_no_time_ends_the_show_all_the_same() -> None:
    show = await perform([(0.0, "hello Spark"), (9.0, Wish.END)], ending=0.0)
    assert show.phases() == [Phase.LEAVING, Phase.ENDING]
    assert show.lasted == pytest.approx(show.began(Phase.ENDING) - show.events[0].at)


async def test_at_the_end_thanks_that_are_due_are_said_and_every_other_line_is_closed() -> None:
    steps: Steps = [
        (0.0, "hello Spark"),
        (0.5, "what is your name?"),
        (0.6, Deed.RAID),
        (1.0, Wish.END),
        (1.5, "one more, Spark?"),
        (1.6, Deed.BITS),
        (12.0, Deed.SUB),
    ]
    show = await perform(steps, Scene(llm=SlowLlm(words=["One ", "two ", "three. "] * 6)))
    assert fates(show.events) == {
        "l0": Fate.ANSWERED,
        "l1": Fate.UNHEARD,
        "l2": Fate.ANSWERED,
        "l4": Fate.UNHEARD,
        "l5": Fate.ANSWERED,
        "l6": Fate.UNHEARD,
    }
    assert show.said() == [
        "hello Spark",
        "raided the stream with their viewers and cheered with bits",
        GOODBYE,
    ]
    first, *others = ends(show.events)
    assert first.heard in ("One two three.", "One two three. One two three."), "whole clauses, and no more"
    assert {each.ending for each in others} == {Ending.FINISHED}


class Gone(SlowLlm):
    """Breaks at once."""

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        raise Unreachable("llm", "gone")
        yield ""


class Mute(SlowTts):
    """Never gives a sound."""

    async def speak(self, text: str, voice: str) -> AsyncIterator[Speech]:
        await anyio.sleep_forever()
        yield Speech(np.zeros(0, np.int16))


DEAD = {
    "no model": Scene(llm=Gone()),
    "a model that hangs": Scene(llm=SlowLlm(first=1e6)),
    "no voice": Scene(tts=SlowTts(fails=Unreachable("speech", "gone"))),
    "a voice that hangs": Scene(tts=Mute()),
}


@pytest.mark.parametrize("dead", DEAD)
async def test_it_ends_though_somebody_is_dead(dead: str) -> None:
    steps: Steps = [(0.0, "hello Spark"), (0.2, Deed.RAID), (0.3, "and me?"), (0.4, Wish.END)]
    show = await perform(steps, DEAD[dead])
    assert show.lasted < 0.4 + 20 + 20 + 5 + 1
    assert fates(show.events).keys() == {"l0", "l1", "l2"} and show.said()[-1] == GOODBYE
    assert show.phases() == [Phase.LEAVING, Phase.ENDING]


async def test_whose_answer_fails_at_the_end_is_not_forgotten() -> None:
    show = await perform(
        [(0.0, "hello Spark"), (0.1, Wish.END)], Scene(llm=SlowLlm([], fails=Unreachable("llm", "")))
    )
    assert fates(show.events) == {"l0": Fate.UNHEARD}


async def test_a_reply_in_work_ends_with_the_clause_that_she_is_at() -> None:
    show = await perform([(0.0, "hello Spark"), (3.0, Wish.END)], Scene(llm=LONG))
    first, goodbye = ends(show.events)
    assert first.heard.endswith("three.") and first.at < show.began(Phase.LEAVING) + 3.0
    assert goodbye.ending is Ending.FINISHED


async def test_who_waits_for_thanks_from_a_model_that_is_away_has_them_when_it_is_back() -> None:
    show = await perform([(0.0, Deed.RAID), (0.1, Wish.END)], Scene(llm=Away(away=5.0)))
    assert fates(show.events) == {"l0": Fate.ANSWERED} and show.said()[-1] == GOODBYE


async def test_thanks_that_come_too_late_are_not_begun() -> None:
    steps: Steps = [(0.0, Deed.RAID), (0.4, Wish.END), (10.0, Deed.BITS)]
    show = await perform(steps, Scene(llm=SlowLlm(first=1e6)))
    assert fates(show.events) == {"l0": Fate.UNHEARD, "l2": Fate.UNHEARD}


async def test_a_game_that_is_over_meanwhile_takes_neither_goodbye_nor_ending_scene_away() -> None:
    show = await perform([(0.0, Wish.END), (0.5, GamesPlayed(0.0, "Chess"))])
    assert show.phases()[-1] is Phase.ENDING
    assert show.lasted == pytest.approx(show.began(Phase.ENDING) - show.events[0].at + 5.0)


async def test_asked_for_twice_it_ends_at_once() -> None:
    show = await perform([(0.0, "hello Spark"), (1.0, Wish.END), (1.5, Wish.END)], Scene(llm=LONG))
    assert show.lasted == pytest.approx(1.5) and fates(show.events) == {"l0": Fate.UNHEARD}
    late = await perform([(0.0, "hello Spark"), (9.0, Wish.END), (13.0, "anybody?"), (14.0, Wish.END)])
    unheard = next(e for e in late.events if isinstance(e, LineClosed) and e.fate is Fate.UNHEARD)
    assert unheard.at == pytest.approx(late.events[0].at + 13.0), "nobody waits for it"
    assert late.began(Phase.ENDING) < late.events[-1].at and late.lasted == pytest.approx(14.0)


async def test_who_has_stopped_everything_hears_no_goodbye() -> None:
    show = await perform([(0.0, Button.STOP), (1.0, "hello Spark"), (2.0, Wish.END)])
    assert show.said() == [] and show.lasted == pytest.approx(2.0 + 5.0)
    cut = await perform([(0.0, "hello Spark"), (9.0, Wish.END), (10.0, Button.PANIC)])
    assert ends(cut.events)[-1].ending is Ending.CUT and cut.lasted == pytest.approx(10.0 + 5.0)


async def test_nobody_takes_the_floor_from_her_goodbye() -> None:
    talk = [(n / 4, SpeechHeard(0.0, "guest", " ".join(["we went on"] * (n + 1)))) for n in range(4, 12)]
    claimed = FloorClaimed(0.0, "main", "Mine", Priority.CRITICAL)
    steps: Steps = [(0.0, Wish.END), *talk, (3.1, claimed), (3.2, Button.UNMUTE)]
    show = await perform(steps, Scene(llm=LONG))
    (goodbye,) = ends(show.events)
    assert goodbye.ending is Ending.FINISHED and goodbye.heard == goodbye.said


async def test_a_goodbye_that_is_held_back_has_its_time_all_the_same() -> None:
    show = await perform([(0.0, Wish.END)], Scene(llm=LONG), delay=10.0)
    assert [e.ending for e in ends(show.events)] == [Ending.FINISHED] and show.lasted > 20 + 5


async def test_what_the_operator_has_her_say_comes_before_the_goodbye() -> None:
    show = await perform([(0.0, "hello Spark"), (0.0, Wish.END)], scripts=["One two.", "Three four."])
    assert [e.heard for e in ends(show.events)][:2] == ["One two.", "Three four."]
    assert show.said()[-1] == GOODBYE and len(show.said()) == 3
    assert fates(show.events) == {"l0": Fate.UNHEARD}
