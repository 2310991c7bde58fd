"""The operator's desk in virtual time: hold, edit, skip, say it anyway, delay and dump, panic; and races."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import anyio
import numpy as np
import pytest
import trio.testing

from glue.booth import Booth
from glue.chat_events import LinesRemoved
from glue.cues import Cues
from glue.desk_events import (
    ClauseChanged,
    ClauseWaits,
    OperatorAsked,
    OperatorServed,
    SoundDumped,
    TurnAsked,
    Wish,
)
from glue.director import Director
from glue.errors import Declined
from glue.events import (
    Button,
    ButtonPressed,
    ClauseCleared,
    ClauseHeld,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.events import Stage as Mark
from glue.gate import Gate
from glue.show import Show
from tests.core import Scene, SlowLlm, line

pytestmark = pytest.mark.anyio
WHOLE = "Oh hello Mika. Nice hat today."


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


Asked = str | Button | tuple[Wish, str] | LinesRemoved


@dataclass
class Desk:
    """A sense that plays (seconds, what) in order, then waits until `patience` is over."""

    steps: Sequence[tuple[float, Asked]]

    async def events(self) -> AsyncIterator[Event]:
        start = anyio.current_time()
        for number, (after, what) in enumerate(self.steps):
            await anyio.sleep_until(start + after)
            now = anyio.current_time()
            match what:
                case Button():
                    yield ButtonPressed(now, what)
                case (Wish() as wish, text):
                    yield OperatorAsked(now, wish, text)
                case LinesRemoved():
                    yield what
                case str():
                    yield LineArrived(now, line(what, author=f"v{number}", id=f"l{number}"))


@dataclass
class Stage:
    """A show whose operator has a desk; what happened is in `events`."""

    scene: Scene = field(default_factory=Scene)
    cues: Cues = field(default_factory=Cues)
    away: list[bool] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return self.scene.events

    def show(self, event: Event) -> None:
        self.events.append(event)

    def deeds(self) -> Booth:
        def delay(text: str) -> str:
            self.scene.mixer.delay = float(text)
            return text

        def edit(text: str) -> str:
            id, _, words = text.partition(" ")
            return self.cues.change(id, words).text

        def hold(text: str) -> str:
            self.cues.held(text == "always")
            return text

        deeds = {
            Wish.DELAY: delay,
            Wish.HOLD: hold,
            Wish.EDIT: edit,
            Wish.DROP: lambda id: self.cues.change(id, "").text,
            Wish.YES: self.cues.let_go,
            Wish.ANYWAY: lambda id: self.cues.anyway(id, anyio.current_time()),
        }
        return Booth(deeds, self.cues, self.scene.mixer.dump, self.away.append)

    async def perform(self, *steps: tuple[float, Asked]) -> "Stage":
        def mute(muted: bool) -> None:
            self.scene.mixer.muted = muted

        show = Show(
            {"main": self.scene.member()},
            Director(["main"]),
            [self],
            self.scene.settings,
            mute,
            lambda seconds: None,
            ends_with_chat=True,
            booth=self.deeds(),
        )
        async with anyio.create_task_group() as tg:
            tg.start_soon(self.scene.mixer.run)
            await show.run([Desk(steps)])
            tg.cancel_scope.cancel()
        return self

    def all(self, kind: type) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ended(self) -> list[TurnEnded]:
        return [event for event in self.events if isinstance(event, TurnEnded)]

    @property
    def served(self) -> list[OperatorServed]:
        return [event for event in self.events if isinstance(event, OperatorServed)]

    def fates(self) -> dict[str, Fate]:
        closed = [(e.line_id, e.fate) for e in self.events if isinstance(e, LineClosed)]
        assert len(closed) == len(dict(closed)), "a line was closed twice"
        return dict(closed)

    def at(self, kind: type, number: int = 0) -> float:
        return float(self.all(kind)[number].at)


async def test_without_a_wish_the_desk_costs_no_time_at_all() -> None:
    stage = await Stage().perform((0.0, "hello Spark"))
    marks = {e.stage: e.at for e in stage.events if isinstance(e, StageReached)}
    assert marks[Mark.AUDIBLE] - marks[Mark.CHOSEN] == pytest.approx(0.36, abs=0.001)
    assert marks[Mark.AUDIBLE] == marks[Mark.FIRST_AUDIO]  # a block leaves in the instant it is written
    assert stage.ended[0].heard == WHOLE


async def test_a_clause_that_is_held_waits_for_the_operator() -> None:
    stage = await Stage(cues=Cues(hold=True)).perform(
        (0.0, "hello Spark"), (5.0, (Wish.YES, "")), (9.0, (Wish.YES, "t1.1"))
    )
    waits = stage.all(ClauseWaits)
    assert [w.text for w in waits if isinstance(w, ClauseWaits)] == ["Oh hello Mika.", "Nice hat today."]
    voiced = [at for at, pcm in stage.scene.tape.blocks if pcm.any()]
    assert voiced[0] >= stage.at(LineArrived) + 5.0
    assert stage.ended[0].heard == WHOLE and stage.ended[0].ending is Ending.FINISHED


async def test_all_of_a_reply_is_let_go_by_its_id_and_all_that_waits_by_letting_go() -> None:
    stage = await Stage(cues=Cues(hold=True)).perform((0.0, "hello Spark"), (5.0, (Wish.YES, "t1")))
    assert stage.ended[0].heard == WHOLE and len(stage.all(ClauseWaits)) == 1
    stage = await Stage(cues=Cues(hold=True)).perform((0.0, "hello Spark"), (5.0, (Wish.HOLD, "never")))
    assert stage.ended[0].heard == WHOLE


async def test_waiting_for_the_operator_is_not_the_replys_time_but_has_an_end() -> None:
    scene = Scene()
    scene.settings = replace(scene.settings, reply_within=4.0, held_within=50.0)
    stage = await Stage(scene, Cues(hold=True)).perform((0.0, "hello Spark"), (40.0, (Wish.YES, "t1")))
    assert (stage.ended[0].ending, stage.ended[0].heard) == (Ending.FINISHED, WHOLE)
    stage = await Stage(Scene(), Cues(hold=True)).perform((0.0, "hello Spark"))
    assert (stage.ended[0].said, stage.fates()) == ("", {"l0": Fate.SILENT})
    assert all(e.text == "" for e in stage.events if isinstance(e, ClauseChanged))


async def test_a_clause_is_edited_and_another_left_out() -> None:
    stage = await Stage(cues=Cues(hold=True)).perform(
        (0.0, "hello Spark"), (3.0, (Wish.EDIT, "t1.0 Well hi there.")), (6.0, (Wish.DROP, "t1.1"))
    )
    assert stage.scene.tts.spoken == ["Well hi there."]
    assert stage.ended[0].said == stage.ended[0].heard == "Well hi there."
    assert stage.scene.mind.history == [("hello Spark", "Well hi there.", False)]
    changed = [(e.before, e.text) for e in stage.events if isinstance(e, ClauseChanged)]
    assert changed == [("Oh hello Mika.", "Well hi there."), ("Nice hat today.", "")]


async def test_the_next_clause_can_be_changed_while_she_speaks_but_not_what_is_being_spoken() -> None:
    words = [f"Clause number {word}. " for word in ("one", "two", "three", "four", "five")]
    stage = await Stage(Scene(llm=SlowLlm(words=words))).perform(
        (0.0, "hello Spark"), (1.0, (Wish.EDIT, "t1.0 Too late.")), (1.0, (Wish.EDIT, "t1.3 Quite new."))
    )
    assert [(s.done, s.effect[:8]) for s in stage.served] == [(False, "too late"), (True, "Quite ne")]
    assert stage.scene.tts.spoken[0] == "Clause number one."
    assert "Quite new." in stage.ended[0].heard and "four" not in stage.ended[0].heard


async def test_two_consoles_race_and_the_second_is_told() -> None:
    stage = await Stage(cues=Cues(hold=True)).perform(
        (0.0, "hello Spark"),
        (3.0, (Wish.EDIT, "t1.0 Mine.")),
        (3.0, (Wish.DROP, "t1.0")),
        (3.1, (Wish.EDIT, "t1.0 No, mine.")),
        (3.2, Button.SKIP),
        (3.2, Button.SKIP),
        (3.3, (Wish.YES, "t1.1")),
        (3.4, Button.PANIC),
        (3.4, Button.PANIC),
        (4.0, Button.GO),
    )
    done = [(s.what, s.done) for s in stage.served]
    # in one instant it is the later of two, unless the voice was quicker; once it has the clause, nobody is
    assert (done[0], done[2]) == (("edit", True), ("edit", False))
    left_out = done[1] == ("drop", True)
    assert stage.scene.tts.spoken == ([] if left_out else ["Mine."])
    assert [s.what for s in stage.served][3:] == ["skip", "skip", "yes", "panic", "panic", "go"]
    assert not stage.served[5].done and len(stage.ended) == 1
    assert stage.away == [True, True, False]


async def test_a_cut_while_a_clause_is_held_is_silent_at_once() -> None:
    stage = await Stage(cues=Cues(hold=True)).perform((0.0, "hello Spark"), (5.0, Button.SKIP))
    assert stage.ended[0].at == pytest.approx(stage.at(LineArrived) + 5.0)
    assert (stage.ended[0].ending, stage.fates()) == (Ending.CUT, {"l0": Fate.SKIPPED})
    with pytest.raises(Declined, match="nothing waits"):
        stage.cues.find("")


async def test_what_the_gate_replaced_is_said_anyway_as_soon_as_she_is_silent() -> None:
    gate = Gate(secret="never tell anybody about the golden key in the box", run=5, instead=["No way."])
    llm = SlowLlm(words=["About ", "the ", "golden ", "key ", "in ", "the ", "box. "])
    stage = await Stage(Scene(llm=llm, gate=gate)).perform(
        (0.0, "hello Spark"), (2.5, (Wish.ANYWAY, "t1-1")), (2.5, (Wish.ANYWAY, "t1-1"))
    )
    held = [e for e in stage.events if isinstance(e, ClauseHeld)]
    assert [e.id for e in held] == ["t1-1"]
    assert [e.heard for e in stage.ended] == ["No way.", "About the golden key in the box."]
    assert [s.done for s in stage.served] == [True, False]
    assert len(stage.fates()) == 1


async def test_nothing_is_said_anyway_about_a_line_that_was_removed() -> None:
    stage = await Stage(Scene(gate=Gate(blocked=["hat"]))).perform(
        (0.0, "hello Spark"), (2.0, LinesRemoved(0.0, ("l0",))), (2.5, (Wish.ANYWAY, "t1-1"))
    )
    assert [s.done for s in stage.served] == [False] and len(stage.ended) == 1


async def test_said_anyway_in_the_place_of_what_would_be_said_instead() -> None:
    gate = Gate(secret="never tell anybody about the golden key in the box", run=5, instead=["No way."])
    llm = SlowLlm(words=["About ", "the ", "golden ", "key ", "in ", "the ", "box. "])
    stage = await Stage(Scene(llm=llm, gate=gate), Cues(hold=True)).perform(
        (0.0, "hello Spark"), (3.0, (Wish.ANYWAY, ""))
    )
    assert [e.heard for e in stage.ended] == ["About the golden key in the box."]


async def test_nothing_is_said_anyway_after_its_time() -> None:
    stage = await Stage(Scene(gate=Gate(blocked=["hat"])), Cues(within=10.0)).perform(
        (0.0, "hello Spark"), (20.0, (Wish.ANYWAY, "t1-1"))
    )
    assert [s.done for s in stage.served] == [False] and len(stage.ended) == 1


async def test_with_a_delay_all_is_heard_later_and_history_keeps_what_was_heard() -> None:
    scene = Scene()
    scene.mixer.delay = 5.0
    stage = await Stage(scene).perform((0.0, "hello Spark"))
    start = stage.at(TurnStarted)
    marks = {e.stage: e.at for e in stage.events if isinstance(e, StageReached)}
    assert marks[Mark.AUDIBLE] - start == pytest.approx(5.36, abs=0.02)
    assert scene.tape.blocks[0][0] == pytest.approx(marks[Mark.AUDIBLE])
    assert (stage.ended[0].ending, stage.ended[0].heard) == (Ending.FINISHED, WHOLE)


async def test_dumped_sound_is_never_heard_and_has_one_clear_fate() -> None:
    scene = Scene()
    scene.mixer.delay = 5.0
    stage = await Stage(scene).perform((0.0, "hello Spark"), (4.0, Button.DUMP))
    assert scene.tape.blocks == []
    dumped = [e for e in stage.events if isinstance(e, SoundDumped)]
    assert [e.turn for e in dumped] == ["t1"] and 1.5 < dumped[0].seconds < 2.1
    assert (stage.ended[0].ending, stage.ended[0].heard) == (Ending.DUMPED, "")
    assert stage.fates() == {"l0": Fate.DUMPED}
    assert "1." in stage.served[0].effect and "reply t1 is cut" in stage.served[0].effect


async def test_what_was_heard_before_the_dump_stays_heard() -> None:
    scene = Scene(llm=SlowLlm(words=["Many ", "long ", "words ", "follow ", "here. "] * 4))
    scene.mixer.delay = 2.0
    stage = await Stage(scene).perform((0.0, "hello Spark"), (5.0, Button.DUMP), (6.0, "and now, Spark?"))
    heard = stage.ended[0].heard
    assert heard and len(heard) < len(stage.ended[0].said)
    assert scene.mind.history[0] == ("hello Spark", heard, True)
    assert stage.fates()["l0"] is Fate.ANSWERED and stage.fates()["l2"] is Fate.ANSWERED
    cut = stage.at(ButtonPressed)
    assert not [at for at, pcm in scene.tape.blocks if cut < at < cut + 2.0]


async def test_a_shorter_delay_holds_from_the_next_pause_and_nothing_overtakes() -> None:
    scene = Scene(llm=SlowLlm(words=["Many ", "long ", "words ", "follow ", "here. "] * 3))
    scene.mixer.delay = 3.0
    stage = await Stage(scene).perform(
        (0.0, "hello Spark"), (2.0, (Wish.DELAY, "0")), (2.1, "how are you Spark?")
    )
    times = [at for at, _ in scene.tape.blocks]
    assert times == sorted(times) and min(np.diff(times)) > 0.0099
    assert [e.ending for e in stage.ended] == [Ending.FINISHED] * 2
    audible = [e.at for e in stage.events if isinstance(e, StageReached) and e.stage is Mark.AUDIBLE]
    assert audible[1] - stage.at(TurnStarted, 1) == pytest.approx(0.42, abs=0.03)


async def test_panic_is_silent_at_once_until_she_is_called_back() -> None:
    scene = Scene()
    scene.mixer.delay = 1.0
    stage = await Stage(scene).perform(
        (0.0, "hello Spark"),
        (0.1, "what is your name?"),
        (2.0, Button.PANIC),
        (2.5, "still there?"),
        (3.0, Button.GO),
        (3.1, "and now, Spark?"),
    )
    start = stage.at(LineArrived)
    assert not [at for at, _ in scene.tape.blocks if start + 2.0 < at < start + 3.0]
    assert stage.away == [True, False]
    assert stage.fates() == {
        "l0": Fate.ANSWERED,
        "l1": Fate.SKIPPED,
        "l3": Fate.PAUSED,
        "l5": Fate.ANSWERED,
    }
    assert "1 waiting lines let go" in stage.served[0].effect


async def test_the_prompt_is_told_when_a_reply_is_over() -> None:
    stage = await Stage().perform((0.0, "hello Spark"))
    asked = [e for e in stage.events if isinstance(e, TurnAsked)]
    assert [e.messages for e in asked] == [(("user", "v0: hello Spark"),)]
    cleared = [e for e in stage.events if isinstance(e, ClauseCleared)]
    assert stage.events.index(asked[0]) > stage.events.index(cleared[-1])


async def test_a_wish_that_nobody_serves_is_declined() -> None:
    stage = await Stage().perform((0.0, (Wish.TOPIC, "trains")))
    assert [s.done for s in stage.served] == [False]
