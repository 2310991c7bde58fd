"""An engine that lives and fails every reply: told of once, started afresh once, well with the next words."""

from dataclasses import replace
from functools import partial

import anyio
import pytest
import trio.testing

from glue.errors import TooSlow, Unreachable
from glue.events import Ending, Event, PartDegraded, PartRecovered, TurnEnded
from glue.measured_events import TurnMeasured
from glue.strikes import Strikes
from tests.core import Scene, SlowLlm, SlowTts, line
from tests.test_show import ends, perform

pytestmark = pytest.mark.anyio
WHY = "speech: no sound within 8 s"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


class Desk:
    """What is told, and which engines were started afresh; `ours`: those that can be."""

    def __init__(self, *ours: str) -> None:
        self.told: list[Event] = []
        self.restarted: list[str] = []
        self.ours = ours
        self.strikes = Strikes(self.emit, self.restart)
        self.fails = partial(self.ends, Ending.FAILED, "", WHY)

    def emit(self, event: Event) -> None:
        self.told.append(event)
        self.strikes.show(event)

    def restart(self, name: str) -> bool:
        if name in self.ours:
            self.restarted.append(name)
        return name in self.ours

    def ends(
        self, ending: Ending = Ending.FINISHED, heard: str = "Hello!", why: str = "", wrote: int = 9
    ) -> None:
        self.strikes.show(TurnMeasured(1.0, "main", "t", 90, 80, 9, wrote, (), 0.5, 0.1))
        self.strikes.show(TurnEnded(1.0, "main", "t", ending, heard, heard, why))

    def kinds(self) -> list[type[Event]]:
        return [type(event) for event in self.told]


def test_three_failures_in_a_row_are_told_and_the_next_success_too() -> None:
    desk = Desk()
    for _ in range(4):
        desk.fails()
        desk.fails()
        desk.ends()
    assert not desk.told
    for _ in range(7):
        desk.fails()
    assert desk.told == [PartDegraded(1.0, "speech", f"3 replies in a row failed; the last: {WHY}")]
    desk.ends(Ending.EMPTY, "")
    assert desk.kinds() == [PartDegraded]
    desk.ends(Ending.CUT)
    desk.ends()
    assert desk.told[1:] == [PartRecovered(1.0, "speech")] and not desk.restarted


def test_an_engine_of_ours_is_started_afresh_once_until_it_works_again() -> None:
    desk = Desk("speech")
    for _ in range(3):
        desk.fails()
    assert desk.restarted == ["speech"]
    desk.emit(PartDegraded(2.0, "speech", "a restart was asked for"))
    desk.emit(PartRecovered(3.0, "speech"))
    for _ in range(9):
        desk.fails()
    assert desk.restarted == ["speech"] and desk.kinds()[3:] == [PartDegraded]
    desk.ends()
    for _ in range(3):
        desk.fails()
    assert desk.restarted == ["speech"] * 2


def test_what_others_know_to_be_down_is_left_to_them() -> None:
    desk = Desk("speech")
    desk.emit(PartDegraded(0.0, "speech", "it is gone"))
    for _ in range(5):
        desk.fails()
    desk.emit(PartRecovered(2.0, "speech"))
    desk.fails()
    desk.fails()
    assert len(desk.told) == 2 and not desk.restarted


async def test_replies_that_a_voice_breaks_are_counted_for_it() -> None:
    scene = Scene(tts=SlowTts(fails=TooSlow("speech", "no sound within 8 s")))
    events = await perform([(float(n), f"Spark, are you there? {n}") for n in range(5)], scene)
    desk = Desk("speech")
    for ended in ends(events):
        desk.strikes.show(ended)
    assert desk.restarted == ["speech"] and desk.kinds() == [PartDegraded]


def test_words_that_no_model_wrote_say_nothing_of_the_model() -> None:
    desk = Desk("llm")
    for part in ("llm", "speech"):
        for _ in range(2):
            desk.ends(Ending.FAILED, "", f"{part}: it hangs", wrote=0)
    desk.ends(wrote=0)
    desk.fails()
    desk.ends(Ending.FAILED, "", "llm: it hangs", wrote=0)
    assert desk.restarted == ["llm"] and desk.kinds() == [PartDegraded]
    desk.ends(wrote=0)
    for _ in range(3):
        desk.ends(Ending.FAILED, "", "llm: it hangs", wrote=0)
    assert desk.restarted == ["llm"] and PartRecovered not in desk.kinds()
    desk.ends()
    assert desk.told[-1] == PartRecovered(1.0, "llm")


async def test_a_model_that_hangs_is_started_afresh_while_a_game_has_its_say() -> None:
    scene, desk = Scene(llm=SlowLlm(words=(), fails=Unreachable("llm", "it hangs"))), Desk("llm")
    remark = replace(line("The hole is 4 deep."), certain=True)
    endings = []
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        for said in [line(), remark] * 3:
            turn = scene.turn(said)
            turn.emit = desk.emit
            ended = await turn.run(anyio.current_time())
            desk.emit(ended)
            endings.append(ended.ending)
        tg.cancel_scope.cancel()
    assert endings == [Ending.FAILED, Ending.FINISHED] * 3
    assert desk.restarted == ["llm"] and PartRecovered not in desk.kinds()
