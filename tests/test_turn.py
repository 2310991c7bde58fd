"""One reply in virtual time: its stages, its end, and every way to stop it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
import pytest
import trio.testing

from glue.errors import Refused, TooSlow, Unreachable
from glue.events import ChatLine, ClauseHeld, Ending, Stage, StageReached, TurnEnded
from glue.gate import Gate
from glue.measured_events import TurnMeasured
from glue.ports import Fact, Usage
from glue.safety.screen import Screen
from glue.settings import SafetySettings
from tests.core import NoMemory, Scene, SlowLlm, SlowTts, line

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def play(scene: Scene, cut_after: float | None = None) -> TurnEnded:
    """Run one turn on a running mixer; cut it after so many seconds."""
    turn = scene.turn()
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        if cut_after is not None:
            tg.start_soon(cut_later, turn.cut, cut_after)
        ended = await turn.run(anyio.current_time())
        tg.cancel_scope.cancel()
    return ended


async def cut_later(cut: object, after: float) -> None:
    assert callable(cut)
    await anyio.sleep(after)
    cut()


def stages(scene: Scene) -> dict[Stage, float]:
    return {e.stage: e.at for e in scene.events if isinstance(e, StageReached)}


async def test_a_reply_is_spoken_whole_and_in_order() -> None:
    scene = Scene()
    ended = await play(scene)
    assert ended.ending is Ending.FINISHED
    assert ended.said == ended.heard == "Oh hello Mika. Nice hat today."
    assert scene.tts.spoken == ["Oh hello Mika.", "Nice hat today."]
    assert scene.mind.history == [("Hi Spark!", ended.said, False)]


async def test_the_stages_add_up_to_what_the_neighbours_took() -> None:
    scene = Scene(memory=NoMemory(0.02))
    start = anyio.current_time()
    await play(scene)
    reached = stages(scene)
    assert list(reached) == list(Stage)
    assert reached[Stage.RECALLED] - start == pytest.approx(0.02)
    assert reached[Stage.FIRST_TOKEN] - start == pytest.approx(0.22)
    assert reached[Stage.FIRST_CLAUSE] - start == pytest.approx(0.28)
    # the glue itself adds nothing: one token of 30 ms tells that the clause is whole, the voice takes 100
    assert reached[Stage.AUDIBLE] - start == pytest.approx(0.38, abs=0.001)


async def test_the_second_clause_follows_without_a_gap() -> None:
    scene = Scene()
    await play(scene)
    measured = next(e for e in scene.events if isinstance(e, TurnMeasured))
    assert sum(measured.gaps) < 0.02


async def test_a_late_memory_does_not_hold_up_the_reply() -> None:
    scene = Scene(memory=NoMemory(30.0))
    start = anyio.current_time()
    ended = await play(scene)
    assert ended.ending is Ending.FINISHED
    assert stages(scene)[Stage.RECALLED] - start == pytest.approx(scene.settings.recall_within)


async def test_the_next_prefix_is_warmed_while_she_speaks() -> None:
    scene = Scene()
    await play(scene)
    assert [p.messages[0].content for p in scene.llm.warmed] == ["Oh hello Mika. Nice hat today."]


@pytest.mark.parametrize("after", [0.0, 0.1, 0.25, 0.33, 0.5, 1.0, 1.7])
async def test_a_cut_is_silent_at_once_and_history_keeps_what_was_heard(after: float) -> None:
    scene = Scene()
    start = anyio.current_time()
    ended = await play(scene, cut_after=after)
    assert ended.ending is Ending.CUT
    assert anyio.current_time() - start == pytest.approx(after, abs=1e-3)
    assert all(at <= start + after for at, _ in scene.tape.blocks)
    assert ended.said.startswith(ended.heard) and len(ended.heard) < len("Oh hello Mika. Nice hat today.")
    assert scene.mind.history == [("Hi Spark!", ended.heard, True)]


async def test_a_cut_closes_the_servers_streams() -> None:
    scene = Scene(llm=SlowLlm(words=["Word. "] * 100))
    await play(scene, cut_after=1.0)
    assert (scene.llm.closed, scene.tts.closed) == (1, 1)


@pytest.mark.parametrize("error", [Unreachable("llm", "gone"), TooSlow("llm", "stalled")])
async def test_a_broken_model_ends_the_turn_with_what_was_heard(error: Exception) -> None:
    scene = Scene(llm=SlowLlm(fails=error))
    ended = await play(scene)
    assert ended.ending is Ending.FAILED and "llm" in ended.why
    assert scene.mind.history[0][2]


@pytest.mark.parametrize(("error", "kept"), [(Refused("llm", "400: too long"), 0), (TooSlow("llm", ""), 1)])
async def test_a_prompt_that_is_refused_does_not_fail_every_later_line(error: Exception, kept: int) -> None:
    scene = Scene(llm=SlowLlm(fails=error))
    scene.mind.history.append(("a line in a rare script", "Ha.", False))
    await play(scene)
    assert len([line for line, _, _ in scene.mind.history if line.startswith("a line")]) == kept


async def test_a_broken_voice_ends_the_turn() -> None:
    scene = Scene(tts=SlowTts(fails=Unreachable("speech", "gone")))
    ended = await play(scene)
    assert (ended.ending, ended.heard) == (Ending.FAILED, "")


async def test_a_voice_that_breaks_while_the_model_waits_for_it_ends_the_turn_alone() -> None:
    scene = Scene(llm=SlowLlm(words=["Word. "] * 100), tts=SlowTts(2.0, fails=Unreachable("speech", "gone")))
    ended = await play(scene)
    assert (ended.ending, ended.heard, scene.llm.closed) == (Ending.FAILED, "", 1)


@pytest.mark.parametrize("words", [[], ["", ""], ["... ", "** "]])
async def test_nothing_to_say_is_an_empty_turn(words: list[str]) -> None:
    scene = Scene(llm=SlowLlm(words=words))
    ended = await play(scene)
    assert (ended.ending, ended.heard, scene.tape.blocks) == (Ending.EMPTY, "", [])


async def test_what_the_gate_holds_is_not_spoken() -> None:
    scene = Scene(gate=Gate(blocked=["hat"]))
    ended = await play(scene)
    assert ended.said == "Oh hello Mika."
    assert any(isinstance(e, ClauseHeld) for e in scene.events)


async def test_a_reply_that_the_gate_held_is_asked_for_again() -> None:
    class Second(SlowLlm):
        async def stream(self, *args: object) -> AsyncIterator[str | Usage]:
            self.words = ("Let ", "me ", "help. ") if not self.closed else ("Fine, ", "Mika. ")
            self.closed += 1
            async for piece in super().stream(*args):  # type: ignore[arg-type]  # passed on as they came
                yield piece

    scene = Scene(llm=Second(), gate=Gate(blocked=["help"]))
    ended = await play(scene)
    assert (ended.ending, ended.heard) == (Ending.FINISHED, "Fine, Mika.")


async def test_an_endless_model_is_cut_at_the_limit() -> None:
    class Endless(SlowLlm):
        async def stream(self, *_: object) -> AsyncIterator[str]:
            while True:
                yield "word. "
                await anyio.sleep(0.01)

    scene = Scene(llm=Endless())
    start = anyio.current_time()
    ended = await play(scene)
    assert ended.ending is Ending.CUT
    assert anyio.current_time() - start == pytest.approx(scene.settings.reply_within, abs=0.1)


async def test_forty_barge_ins_leave_nothing_behind() -> None:
    scene = Scene()
    for i in range(40):
        await play(scene, cut_after=0.05 * i)
    assert scene.stand.track.queued == 0
    assert len(scene.mind.history) == 40


@pytest.mark.parametrize("waits", [False, True])
async def test_nothing_is_computed_before_a_reply_that_follows_at_once(waits: bool) -> None:
    scene = Scene()
    turn = scene.turn()
    turn.upcoming = lambda: line("And now?", id="l2") if waits else None
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await turn.run(anyio.current_time())
        ended = anyio.current_time()
        tg.cancel_scope.cancel()
    assert len(scene.llm.stilled) == waits
    for began, until in scene.llm.stilled:
        assert until == ended and 0.3 < until - began <= scene.settings.reply_within


class Knows(NoMemory):
    async def recall(self, who: str, line: ChatLine) -> list[str]:
        return ["It is day.", Fact("In Minecraft now: I have 2 dirt.", "I have 2 dirt.")]


async def test_what_happened_is_told_as_it_is_and_nothing_is_made_up_behind_it() -> None:
    scene = Scene()
    turn = scene.turn(replace(line("The hole is 4 deep."), certain=True))
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        ended = await turn.run(anyio.current_time())
        tg.cancel_scope.cancel()
    assert ended.said == ended.heard == "The hole is 4 deep." and not scene.llm.asked


async def test_what_is_certain_is_said_first_and_the_model_goes_on_behind_it() -> None:
    scene = Scene(memory=Knows(), llm=SlowLlm(words=("Want ", "some?")))
    ended = await play(scene)
    assert ended.said == ended.heard == "I have 2 dirt. Want some?"
    assert scene.llm.asked[-1].opening == "I have 2 dirt."
    assert stages(scene)[Stage.FIRST_CLAUSE] == stages(scene)[Stage.RECALLED], "it waits for no model"


async def test_what_is_certain_stands_alone_where_no_model_can_go_on() -> None:
    scene = Scene(memory=Knows(), llm=SlowLlm(words=(), fails=Refused("llm", "it cannot continue")))
    ended = await play(scene)
    assert (ended.ending, ended.heard) == (Ending.FINISHED, "I have 2 dirt.")


async def test_what_the_gate_holds_back_is_no_beginning() -> None:
    scene = Scene(memory=Knows(), gate=Gate(blocked=["dirt"]))
    ended = await play(scene)
    assert ended.heard == "Oh hello Mika. Nice hat today." and scene.llm.asked[-1].opening == ""


async def test_only_what_was_heard_is_a_repetition() -> None:
    words = ["I love trains more than cake. ", "Old stations are the best."]
    scene = Scene(llm=SlowLlm(words=words), gate=Gate(screen=Screen(SafetySettings())))
    assert (await play(scene, cut_after=0.2)).heard == ""
    assert (await play(scene, cut_after=2.5)).heard.startswith("I love trains more than cake. Old")
    assert (await play(scene)).heard == "Old stations are the best."
    assert (await play(scene)).ending is Ending.EMPTY


async def test_nothing_is_made_up_where_the_gate_holds_back_what_happened() -> None:
    scene = Scene(gate=Gate(blocked=["hole"]))
    turn = scene.turn(replace(line("The hole is 4 deep."), certain=True))
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        ended = await turn.run(anyio.current_time())
        tg.cancel_scope.cancel()
    assert (ended.ending, ended.said) == (Ending.EMPTY, "") and not scene.llm.asked
