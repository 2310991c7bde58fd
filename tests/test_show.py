"""The whole flow in virtual time: lines in, replies out, every line with a fate, buttons obeyed."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio
import pytest
import trio.testing

from glue.chat_events import Deed, LinesRemoved
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
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.events import Stage as Mark
from glue.ports import Prompt, Role, Usage, Whose
from glue.settings import DirectorSettings
from glue.show import Show
from tests.core import NoMemory, PlainMind, Scene, SlowLlm, line

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@dataclass
class Removed:
    """A moderator removes these."""

    ids: tuple[str, ...]
    viewer: str = ""


@dataclass
class Aloud:
    """Somebody says so much so far."""

    text: str


@dataclass
class Spoken(Aloud):
    """Somebody said this."""


Steps = Sequence[tuple[float, str | Button | Deed | Removed | Aloud]]


@dataclass
class Script:
    """A sense that plays (seconds, what) in order."""

    steps: Steps

    async def events(self) -> AsyncIterator[Event]:
        start = anyio.current_time()
        for number, (after, what) in enumerate(self.steps):
            await anyio.sleep_until(start + after)
            now = anyio.current_time()
            if isinstance(what, Button):
                yield ButtonPressed(now, what)
            elif isinstance(what, Removed):
                yield LinesRemoved(now, what.ids, what.viewer)
            elif isinstance(what, Spoken):
                yield LineArrived(now, ChatLine(f"l{number}", "guest", what.text, Source.VOICE))
            elif isinstance(what, Aloud):
                yield SpeechHeard(now, "guest", what.text)
            elif isinstance(what, Deed):
                yield LineArrived(now, replace(line("did it", f"v{number}", f"l{number}"), deed=what))
            else:
                yield LineArrived(now, line(what, author=f"v{number}", id=f"l{number}"))


@dataclass
class Notes:
    """A viewer that keeps everything."""

    events: list[Event] = field(default_factory=list)

    def show(self, event: Event) -> None:
        self.events.append(event)


def nobody(_: float) -> None:
    """What the mixer would do."""


async def perform(steps: Steps, scene: Scene | None = None) -> list[Event]:
    scene, notes = scene or Scene(), Notes()
    scene.events = notes.events
    director = Director(["main"], DirectorSettings())

    def mute(muted: bool) -> None:
        scene.mixer.muted = muted

    show = Show(
        {"main": scene.member()}, director, [notes], scene.settings, mute, nobody, ends_with_chat=True
    )
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Script(steps)])
        tg.cancel_scope.cancel()
    return notes.events


def fates(events: Sequence[Event]) -> dict[str, Fate]:
    closed = [(e.line_id, e.fate) for e in events if isinstance(e, LineClosed)]
    assert len(closed) == len(dict(closed)), "a line was closed twice"
    return dict(closed)


def ends(events: Sequence[Event]) -> list[TurnEnded]:
    return [e for e in events if isinstance(e, TurnEnded)]


async def test_a_show_that_ends_with_its_chat_does_not_wait_for_the_operators_page() -> None:
    class Page:
        endless = True

        async def events(self) -> AsyncIterator[Event]:
            yield ButtonPressed(anyio.current_time(), Button.MUTE)
            await anyio.sleep_forever()

    scene, notes = Scene(), Notes()
    muted: list[bool] = []
    director = Director(["main"], DirectorSettings())
    who = {"main": scene.member()}
    show = Show(who, director, [notes], scene.settings, muted.append, nobody, ends_with_chat=True)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tg:
            tg.start_soon(scene.mixer.run)
            await show.run([Script([(0.0, "hello Spark")]), Page()])
            tg.cancel_scope.cancel()
    assert muted == [True] and fates(notes.events) == {"l0": Fate.ANSWERED}


async def test_two_lines_are_answered_one_after_the_other() -> None:
    events = await perform([(0.0, "hello Spark"), (0.5, "what is your name?")])
    assert fates(events) == {"l0": Fate.ANSWERED, "l1": Fate.ANSWERED}
    starts = [e for e in events if isinstance(e, TurnStarted)]
    first = ends(events)[0]
    assert [s.waited for s in starts] == [False, True]
    assert starts[1].at == pytest.approx(first.at)


async def test_every_line_of_a_flood_has_a_fate() -> None:
    steps: Steps = [(i / 500, f"flood line {i} of many") for i in range(500)]
    found = fates(await perform(steps))
    assert len(found) == 500
    assert {Fate.ANSWERED, Fate.OVERFLOW, Fate.IGNORED} <= set(found.values())


async def test_skip_goes_on_with_the_next_line() -> None:
    events = await perform([(0.0, "hello Spark"), (0.1, "what is your name?"), (0.8, Button.SKIP)])
    assert [e.ending for e in ends(events)] == [Ending.CUT, Ending.FINISHED]
    assert fates(events) == {"l0": Fate.ANSWERED, "l1": Fate.ANSWERED}  # some of l0's reply was heard


async def test_skip_before_a_word_was_heard() -> None:
    events = await perform([(0.0, "hello Spark"), (0.2, Button.SKIP)])
    assert fates(events) == {"l0": Fate.SKIPPED}


async def test_stop_ends_everything_and_go_goes_on() -> None:
    events = await perform(
        [
            (0.0, "hello Spark"),
            (0.1, "what is your name?"),
            (0.8, Button.STOP),
            (1.0, "anybody there?"),
            (2.0, Button.GO),
            (2.1, "and now, Spark?"),
        ]
    )
    assert fates(events) == {
        "l0": Fate.ANSWERED,
        "l1": Fate.SKIPPED,
        "l3": Fate.PAUSED,
        "l5": Fate.ANSWERED,
    }


async def test_a_broken_reply_does_not_end_the_show() -> None:
    class Flaky(SlowLlm):
        def stream(self, *args: object) -> AsyncIterator[object]:  # type: ignore[override]  # fails once
            self.fails = Unreachable("llm", "gone") if not self.closed else None
            self.words = [] if not self.closed else ("Fine ", "again.")
            return super().stream(*args)  # type: ignore[arg-type]  # passed on as they came

    events = await perform([(0.0, "hello Spark"), (3.0, "are you there?")], Scene(llm=Flaky()))
    assert fates(events) == {"l0": Fate.ANSWERED, "l1": Fate.ANSWERED}
    assert [e.ending for e in ends(events)] == [Ending.FAILED, Ending.FINISHED, Ending.FINISHED]


@dataclass
class Away(SlowLlm):
    """A model that is started again: refuses for `away` seconds, at once."""

    away: float = 0.0
    began: float = -1.0

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        self.began = anyio.current_time() if self.began < 0 else self.began
        if anyio.current_time() < self.began + self.away:
            raise Unreachable("llm", "503: loading")
        async for piece in super().stream(prompt, role):
            yield piece


@pytest.mark.parametrize("seconds", [5.0, 1000.0])
async def test_a_models_restart_costs_nobody_their_answer(seconds: float) -> None:
    steps: Steps = [(0.0, Deed.RAID), *[(0.01, f"hello Spark, number {n}") for n in range(6)]]
    events = await perform(steps, Scene(llm=Away(away=seconds)))
    others = {Fate.ANSWERED} if seconds < 10 else {Fate.FAILED, Fate.IGNORED}
    told = fates(events)
    assert told.pop("l0") is Fate.ANSWERED, "whoever gave something is thanked after minutes, too"
    assert len(told) == 6 and set(told.values()) <= others
    tries = Counter(e.line.id for e in events if isinstance(e, TurnStarted))
    assert tries.pop("l0") <= 9 + seconds / 9 and max(tries.values(), default=0) <= 8


async def test_what_is_not_answered_when_the_show_ends_is_unheard() -> None:
    scene, notes = Scene(memory=NoMemory(0.04)), Notes()
    show = Show({"main": scene.member()}, Director(["main"]), [notes], scene.settings, nobody, nobody)
    with anyio.move_on_after(0.03):
        await show.run([Script([(0.0, "hello Spark"), (0.01, "what is your name?")])])
    assert fates(notes.events) == {"l0": Fate.UNHEARD, "l1": Fate.UNHEARD}


async def test_from_the_end_of_a_speech_to_the_next_word_costs_only_the_neighbours_time() -> None:
    events = await perform([(0.0, "hello Spark"), (0.5, "what is your name?")])
    audible = [e.at for e in events if isinstance(e, StageReached) and e.stage is Mark.AUDIBLE]
    assert audible[1] - ends(events)[0].at == pytest.approx(0.36, abs=0.005)


async def test_the_line_that_waits_is_prefilled_while_she_speaks() -> None:
    scene = Scene()
    await perform([(0.0, "hello Spark"), (0.5, "nice weather today"), (0.9, "what is your name?")], scene)
    warmed = [prompt.messages[-1].content for prompt in scene.llm.warmed]
    assert warmed[:3] == ["", "nice weather today", "what is your name?"]
    assert warmed.count("what is your name?") == 1


async def test_a_line_that_waits_is_prefilled_with_what_she_remembers_at_it() -> None:
    scene = Scene(memory=NoMemory(knows=["It rains."]))
    await perform([(0.0, "hello Spark"), (0.5, "nice weather today")], scene)
    assert "It rains. nice weather today" in [prompt.messages[-1].content for prompt in scene.llm.warmed]


async def test_a_reply_too_short_to_prefill_behind_it_is_followed_by_that() -> None:
    class Thorough(SlowLlm):
        async def warm(self, prompt: Prompt) -> int:
            await anyio.sleep(5)
            return await super().warm(prompt)

    scene = Scene(llm=Thorough(words=["Hm."]))
    events = await perform([(0.0, "hello Spark"), (9.0, "are you there?")], scene)
    assert len(scene.llm.warmed) == 1 and fates(events)["l1"] is Fate.ANSWERED


async def test_mute_does_not_stop_her() -> None:
    scene = Scene()
    events = await perform([(0.0, "hello Spark"), (0.1, Button.MUTE)], scene)
    assert ends(events)[0].ending is Ending.FINISHED
    assert not any(pcm.any() for _, pcm in scene.tape.blocks)


async def test_supporters_are_heard_thanked_within_five_seconds() -> None:
    scene = Scene(llm=SlowLlm(words=["One ", "two ", "three. "] * 20))  # twenty seconds of speech
    events = await perform(
        [(0.0, "hello Spark"), (2.0, Deed.RAID), (2.5, Deed.SUB), (30.0, Deed.BITS)], scene
    )
    assert fates(events) == {f"l{n}": Fate.ANSWERED for n in range(4)}
    audible = [e.at for e in events if isinstance(e, StageReached) and e.stage is Mark.AUDIBLE]
    arrived = [e.at for e in events if isinstance(e, LineArrived)]
    assert audible[1] - arrived[1] < 5 and audible[1] - arrived[2] < 5 and audible[2] - arrived[3] < 5
    assert len(ends(events)) == 3, "the first two are thanked together"


async def test_a_removed_line_is_not_answered_and_leaves_no_trace() -> None:
    scene = Scene()
    events = await perform([(0.0, "hello Spark"), (0.1, "bad words"), (0.2, Removed(("l1",)))], scene)
    assert fates(events) == {"l0": Fate.ANSWERED, "l1": Fate.REMOVED}
    assert "l1" in scene.mind.forgotten and len(ends(events)) == 1


async def test_of_a_banned_viewer_she_knows_no_line_however_old_it_is() -> None:
    class Mind(PlainMind):
        def forget(self, line_ids: Sequence[str], whose: Whose | None = None) -> None:
            self.forgotten += [v for v in ("v0", "v1") if whose is not None and whose(line("hi", v))]

    scene = Scene(mind=Mind())
    await perform([(0.0, "hello Spark"), (3.0, Removed((), "v0"))], scene)
    assert scene.mind.forgotten == ["v0"]


async def test_a_reply_to_a_removed_line_is_cut_and_forgotten() -> None:
    scene = Scene()
    events = await perform([(0.0, "bad words"), (1.0, Removed(("l0",)))], scene)
    assert fates(events) == {"l0": Fate.REMOVED}
    assert ends(events)[0].ending is Ending.CUT and scene.mind.forgotten.count("l0") == 2


class Hasty(Director):
    """Something happens when a line was just chosen and nothing of the reply has begun."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(["main"])
        self.meanwhile = meanwhile

    def wake_at(self, now: float) -> float:
        """Asked right after decide()."""
        if self.speaking:
            self.meanwhile()
        return super().wake_at(now)


@pytest.mark.parametrize("what", [Removed(("l0",)), Button.SKIP])
async def test_a_line_that_is_called_off_as_it_is_chosen_is_not_answered(what: Removed | Button) -> None:
    scene, notes, done = Scene(), Notes(), list[float]()
    scene.events = notes.events

    def call_off() -> None:
        now = anyio.current_time()
        if not done:
            done.append(now)
            show.take(LinesRemoved(now, what.ids) if isinstance(what, Removed) else ButtonPressed(now, what))

    who, settings = {"main": scene.member()}, scene.settings
    show = Show(who, Hasty(call_off), [notes], settings, lambda _: None, nobody, ends_with_chat=True)
    async with anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        await show.run([Script([(0.0, "bad words"), (0.5, "hello Spark")])])
        tg.cancel_scope.cancel()
    first = Fate.REMOVED if isinstance(what, Removed) else Fate.SKIPPED
    assert fates(notes.events) == {"l0": first, "l1": Fate.ANSWERED}
    assert [e.line.id for e in notes.events if isinstance(e, TurnStarted)] == ["l1"]


LONG = SlowLlm(words=["One ", "two ", "three. "] * 20)  # twenty seconds of speech


def thanked_after(events: Sequence[Event]) -> dict[str, float]:
    """Seconds from each deed's arrival to the first sound of a reply to it."""
    came = {e.line.id: e.at for e in events if isinstance(e, LineArrived) and e.line.deed}
    closed = {e.line_id: e.turn for e in events if isinstance(e, LineClosed) and e.line_id in came}
    heard = {e.turn: e.at for e in events if isinstance(e, StageReached) and e.stage is Mark.AUDIBLE}
    return {id: heard[turn] - came[id] for id, turn in closed.items() if turn in heard}


async def test_a_raid_in_the_middle_of_thanks_is_thanked_within_five_seconds() -> None:
    for first in (Deed.FOLLOW, Deed.SUB):
        events = await perform([(0.0, first), (1.0, Deed.RAID), (1.5, Deed.BITS)], Scene(llm=LONG))
        assert set(fates(events).values()) == {Fate.ANSWERED}
        assert all(after < 5 for after in thanked_after(events).values()), first


async def test_somebody_who_speaks_on_and_on_does_not_hold_thanks_up_nor_cut_them() -> None:
    talk = [(n / 4, Aloud(" ".join(["and then we went on"] * (n + 1)))) for n in range(40)]
    steps: Steps = sorted([*talk, (2.1, Deed.RAID)], key=lambda step: step[0])
    events = await perform(steps, Scene(llm=LONG))
    (raid,) = thanked_after(events)
    assert thanked_after(events)[raid] < 5 and fates(events) == {raid: Fate.ANSWERED}
    assert ends(events)[0].heard == "One two three.", "and no longer than it must be"


async def test_one_of_five_who_are_thanked_together_is_removed() -> None:
    steps: Steps = [(0.0, "hello Spark"), *[(0.2, Deed.SUB)] * 5, (3.0, Removed(("l3",)))]
    scene = Scene()
    events = await perform(steps, scene)
    assert fates(events) == {"l3": Fate.REMOVED} | {f"l{n}": Fate.ANSWERED for n in (0, 1, 2, 4, 5)}
    thanks = [e.line.author for e in events if isinstance(e, TurnStarted) and e.line.deed]
    assert thanks == ["v1, v2, v3, v4 and 1 other", "v1, v2, v4 and v5"]
    assert "l1" in scene.mind.forgotten, "the names that were thanked together are gone with it"
