"""The rehearsal in virtual time: a log is played when it is due, the floor is measured between the turns."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from glue.closing import closing
from glue.director import Director
from glue.errors import ConfigError, Unreachable
from glue.events import ChatLine, Ending, Event, Fate, LineArrived, LineClosed, Source, TurnEnded, TurnStarted
from glue.measured_events import FloorMeasured
from glue.ports import Prompt, Role, Usage
from glue.report.numbers import report
from glue.report.read import fold
from glue.senses.busy import WORDS, keep_busy, prompt
from glue.senses.chatlog import Said, load, parse
from glue.senses.rehearsal import SHIPPED, Rehearsal
from glue.show import Show
from tests.core import Scene, SlowLlm

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def row(**values: object) -> bytes:
    return json.dumps({"t": 0, "author": "mika", "text": "hi", **values}).encode()


def test_the_shipped_log_is_varied() -> None:
    said = load(SHIPPED)
    assert len(said) >= 80
    assert len({s.author for s in said}) >= 12
    assert 6 * 60 <= said[-1].t <= 15 * 60
    assert sum(not s.text.isascii() for s in said) >= 5


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "holds no line"),
        ([b"", b"  "], "holds no line"),
        ([row(), b"{"], "log:2 is not JSON"),
        ([b"[" * 100_000], "log:1 is not JSON"),
        ([b"\xff"], "log:1 is not UTF-8"),
        ([b"[]"], "log:1 is not a JSON object"),
        ([b'{"t": 1, "author": "a"}'], "log:1 'text' is missing"),
        ([row(t="soon")], "'t' is a str"),
        ([row(t=True)], "'t' is a bool"),
        ([row(t=-1)], "t is not between"),
        ([row(t=float("nan"))], "t is not between"),
        ([row(t=10**400)], "t is not between"),
        ([row(author=" ")], "'author' is empty"),
        ([row(text=3)], "'text' is a int"),
        ([row(colour="red")], "unknown key 'colour'"),
        ([row(t=5), b"", row(t=4)], "log:3 t=4 comes after t=5"),
    ],
)
def test_a_mistake_in_a_log_is_named_with_its_line(rows: list[bytes], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace("[", "\\[")):
        parse(rows)


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.jsonl")


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_lines_or_a_config_error(rows: list[bytes]) -> None:
    try:
        assert parse(rows)
    except ConfigError as error:
        assert "\n" not in str(error)


@given(
    st.lists(
        st.builds(Said, st.floats(0, 1000), st.text(min_size=1).filter(str.strip), st.text(), st.booleans()),
        min_size=1,
    )
)
def test_what_is_written_is_read_back(said: list[Said]) -> None:
    said.sort(key=lambda s: s.t)
    fields = [{"t": s.t, "author": s.author, "text": s.text, "supporter": s.supporter} for s in said]
    assert parse(json.dumps(f).encode() for f in fields) == said


@pytest.fixture
def short(tmp_path: Path) -> Path:
    path = tmp_path / "short.jsonl"
    path.write_bytes(b"\n".join([row(t=1, text="one?"), row(t=5, text="two?"), row(t=5.5, text="three?")]))
    return path


async def played(rehearsal: Rehearsal) -> list[tuple[float, str, str]]:
    """When each line came, its id and its text, nobody answering."""
    found = []
    async with rehearsal:
        began = anyio.current_time()
        async with closing(rehearsal.events()) as events:
            async for event in events:
                assert isinstance(event, LineArrived)
                found.append((round(event.at - began, 3), event.line.id, event.line.text))
    return found


async def test_lines_come_when_they_are_due(short: Path) -> None:
    assert await played(Rehearsal(log=str(short))) == [
        (1, "r0-1", "one?"),
        (5, "r0-2", "two?"),
        (5.5, "r0-3", "three?"),
    ]


async def test_speed_and_lines(short: Path) -> None:
    assert [at for at, *_ in await played(Rehearsal(log=str(short), speed=2.0, lines=2))] == [0.5, 2.5]


async def test_minutes_loop_the_log(short: Path) -> None:
    found = await played(Rehearsal(log=str(short), minutes=0.25, pause=4.0))
    assert [at for at, *_ in found] == [1, 5, 5.5, 10.5, 14.5, 15]
    assert len({id for _, id, _ in found}) == 6


async def test_lines_are_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(row(text="a\u202eb\u0000c\ud800", author="\u200b"))
    async with Rehearsal(log=str(path)) as rehearsal, closing(rehearsal.events()) as events:
        async for event in events:
            assert isinstance(event, LineArrived)
            assert (event.line.text, event.line.author) == ("abc", "someone")


def test_nonsense_settings_are_refused() -> None:
    with pytest.raises(ConfigError):
        Rehearsal(speed=0)


@dataclass
class Bench:
    """A floor that takes `takes` seconds; fails on request."""

    takes: float = 1.0
    fails: bool = False
    measured: list[str] = field(default_factory=list)
    started: int = 0

    def asked(self, who: str) -> object | None:
        return who

    async def measure(self, turn: str, who: str, asked: object) -> FloorMeasured:
        self.started += 1
        await anyio.sleep(self.takes)
        if self.fails:
            raise Unreachable("floor", "gone")
        self.measured.append(turn)
        return FloorMeasured(anyio.current_time(), who, turn, 0.2, 0.1, 0.31, 9)


@dataclass
class Notes:
    events: list[Event] = field(default_factory=list)

    def show(self, event: Event) -> None:
        self.events.append(event)


async def show(rehearsal: Rehearsal, scene: Scene | None = None) -> list[Event]:
    """A whole show with the rehearsal as its sense and a viewer of it."""
    scene, notes = scene or Scene(), Notes()
    async with rehearsal, anyio.create_task_group() as tg:
        tg.start_soon(scene.mixer.run)
        stage = Show(
            {"main": scene.member()},
            Director(["main"]),
            [notes, rehearsal],
            scene.settings,
            mute=lambda _: None,
            duck=lambda _: None,
            ends_with_chat=True,
        )
        await stage.run([rehearsal])
        tg.cancel_scope.cancel()
    return notes.events


async def test_the_floor_of_an_idle_turn_is_measured_when_nobody_speaks(short: Path) -> None:
    bench = Bench()
    events = await show(Rehearsal(log=str(short), floor=bench))
    assert len(bench.measured) == 2  # the third line waited
    speaking = False
    for event in events:
        speaking = isinstance(event, TurnStarted) or (speaking and not isinstance(event, TurnEnded))
        assert not (speaking and isinstance(event, FloorMeasured))


async def test_the_logs_clock_stands_still_while_the_floor_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    path.write_bytes(b"\n".join([row(t=0, text="one?"), row(t=10, text="two?")]))
    events = await show(Rehearsal(log=str(path), floor=Bench(takes=2.5)))
    first, second = [e.at for e in events if isinstance(e, LineArrived)]
    assert second - first == pytest.approx(12.5)


async def test_a_floor_that_fails_does_not_end_the_show(short: Path) -> None:
    bench = Bench(fails=True)
    events = await show(Rehearsal(log=str(short), floor=bench))
    assert bench.started == 2
    assert not [e for e in events if isinstance(e, FloorMeasured)]
    assert {e.fate for e in events if isinstance(e, LineClosed)} == {Fate.ANSWERED}


async def test_speech_comes_before_a_measurement(short: Path) -> None:
    """Another sense's line falls into it: it is given up."""
    bench = Bench(takes=60.0)
    rehearsal = Rehearsal(log=str(short), lines=1, floor=bench)
    line = ChatLine("c1", "someone", "hey Spark?", Source.CONSOLE)
    async with rehearsal, anyio.create_task_group() as tg:

        async def read() -> None:
            async with closing(rehearsal.events()) as events:
                async for event in events:
                    rehearsal.show(event)
            tg.cancel_scope.cancel()

        began = anyio.current_time()
        tg.start_soon(read)
        await anyio.sleep(2)
        rehearsal.show(TurnStarted(2, "main", "t1", ChatLine("r0-1", "m", "one?", Source.REHEARSAL), False))
        rehearsal.show(TurnEnded(2, "main", "t1", Ending.FINISHED, "yes", "yes"))
        rehearsal.show(LineClosed(2, "r0-1", Fate.ANSWERED, "t1"))
        await anyio.sleep(5)
        assert bench.started == 1
        rehearsal.show(TurnStarted(7, "main", "t2", line, False))
        await anyio.sleep(1)
        rehearsal.show(TurnEnded(8, "main", "t2", Ending.CUT, "", ""))
    assert anyio.current_time() - began < 20
    assert bench.measured == []


@pytest.mark.parametrize("words", [9, 17])
async def test_the_shipped_log_gives_enough_of_both_cases(words: int) -> None:
    """With replies of 3 to 5.7 seconds: 30 answered that came while she was idle, 10 that waited."""
    scene = Scene(llm=SlowLlm(words=["word "] * (words - 1) + ["end."]))
    found = report(fold(await show(Rehearsal(floor=Bench()), scene)))
    assert found.first_audio_idle_ms.n >= 30
    assert found.first_audio_waited_ms.n >= 10
    # the director's lulls do not fall into it
    assert found.first_audio_ms.p95 and found.first_audio_ms.p95 < 900
    assert found.floor_ms.n >= 30
    assert found.lines_without_fate == 0
    assert found.by_herself >= 1
    assert {"answered", "duplicate", "spam"} <= found.lines_by_fate.keys()


@dataclass
class Lane:
    """A model whose background lane refuses every second request."""

    asked: list[tuple[Prompt, Role]] = field(default_factory=list)

    async def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[str | Usage]:
        self.asked.append((prompt, role))
        await anyio.sleep(1)
        if len(self.asked) % 2 == 0:
            raise Unreachable("llm", "gave way")
        yield "fine"

    async def settle(self, prompt: Prompt) -> int:
        return 0

    async def warm(self, prompt: Prompt) -> int:
        return 0

    def still(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def count(self, text: str) -> int:
        return 0


async def test_the_background_lane_is_kept_busy() -> None:
    lane = Lane()
    with anyio.move_on_after(10):
        await keep_busy(lane)
    assert len(lane.asked) >= 7
    assert {role for _, role in lane.asked} == {Role.BACKGROUND}
    assert len({asked.messages for asked, _ in lane.asked}) == len(lane.asked)  # no cache can know them
    assert len(prompt(1).messages[0].content.split()) >= WORDS


async def test_a_busy_rehearsal_measures_no_floor(short: Path) -> None:
    lane, bench = Lane(), Bench()
    await show(Rehearsal(log=str(short), busy=True, floor=bench, llm=lane))
    assert lane.asked
    assert not bench.started
