"""The terminal's two halves on real pipes and a real pseudo-terminal."""

import os
import pty
from pathlib import Path

import anyio
import pytest

from glue.broadcast_events import Phase, PhaseBegun
from glue.desk_events import OperatorAsked, Wish
from glue.events import (
    Button,
    ButtonPressed,
    CaptionShown,
    ChatLine,
    ClauseHeld,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    Source,
    Stage,
    StageReached,
    TurnEnded,
    TurnStarted,
)
from glue.game_events import GameButton, GamePressed
from glue.safety_events import LineScreened, Screened, SlowModeSet, ViewerTimedOut
from glue.senses.terminal import HELP, TerminalSense
from glue.stage.terminal import TerminalViewer

pytestmark = pytest.mark.anyio


async def heard(sense: TerminalSense) -> list[Event]:
    with anyio.fail_after(30):
        return [event async for event in sense.events()]


def said(event: Event) -> tuple[str, str]:
    assert isinstance(event, LineArrived)
    return event.line.author, event.line.text


async def test_lines_commands_and_the_end_of_a_pipe() -> None:
    out, into = os.pipe()
    os.write(into, b"hello\n\nmika: hi there\n/skip\n/nonsense\n/help\n/STOP\nhttp://x.y: no\nlast")
    os.close(into)
    told: list[str] = []
    events = await heard(TerminalSense(out, told.append))
    os.close(out)
    assert said(events[0]) == ("operator", "hello")
    assert said(events[1]) == ("mika", "hi there")
    assert [e.button for e in events if isinstance(e, ButtonPressed)] == [Button.SKIP, Button.STOP]
    assert said(events[-1]) == ("operator", "last")
    assert told == [HELP, HELP]
    ids = [e.line.id for e in events if isinstance(e, LineArrived)]
    assert len(ids) == len(set(ids))


async def test_a_games_buttons_are_commands() -> None:
    out, into = os.pipe()
    os.write(into, b'/game My Game pause\n/game Chess FORCE play {"move": "e4"}\n/game nonsense\n')
    os.close(into)
    told: list[str] = []
    events = await heard(TerminalSense(out, told.append))
    os.close(out)
    assert [(e.game, e.button, e.text) for e in events if isinstance(e, GamePressed)] == [
        ("My Game", GameButton.PAUSE, ""),
        ("Chess", GameButton.FORCE, 'play {"move": "e4"}'),
    ]
    assert told == [HELP]


async def test_the_operator_times_out_and_slows_down() -> None:
    out, into = os.pipe()
    os.write(into, b"/timeout old tom 60\n/slow\n/FAST\n/timeout pete\n/timeout nina 0")
    os.close(into)
    told: list[str] = []
    events = await heard(TerminalSense(out, told.append))
    os.close(out)
    asked = [(e.wish, e.text) for e in events if isinstance(e, OperatorAsked)]
    assert asked == [
        (Wish.TIMEOUT, "old tom 60"),
        (Wish.SLOW, ""),
        (Wish.SLOW, "0"),
        (Wish.TIMEOUT, "pete"),
        (Wish.TIMEOUT, "nina 0"),
    ]
    assert told == []


async def test_the_operator_ends_the_show_and_is_told_where_it_stands() -> None:
    out, into = os.pipe()
    os.write(into, b"/end\n/go\n")
    os.close(into)
    asked, pressed = await heard(TerminalSense(out))
    os.close(out)
    assert isinstance(asked, OperatorAsked) and asked.wish is Wish.END
    assert isinstance(pressed, ButtonPressed) and pressed.button is Button.GO
    out, into = os.pipe()
    async with TerminalViewer(into) as viewer:
        for phase in Phase:
            viewer.show(PhaseBegun(0.0, phase))
    os.close(into)
    told = os.read(out, 65536).decode()
    os.close(out)
    assert told.splitlines() == [
        "not live yet: /go begins the show",
        "the show is over: the ending scene is on",
    ]


async def test_what_the_filters_did_is_told() -> None:
    out, into = os.pipe()
    async with TerminalViewer(into) as viewer:
        viewer.show(LineArrived(0.0, ChatLine("l1", "zoe", "i feel so bad", Source.CONSOLE)))
        viewer.show(LineScreened(0.0, "l1", Screened.FLAGGED, "harm: harm to oneself"))
        viewer.show(LineClosed(0.0, "l1", Fate.BLOCKED, why="harm: harm to oneself"))
        viewer.show(LineScreened(0.0, "l2", Screened.SANITISED, "it holds a link"))
        viewer.show(ClauseHeld(0.0, "main", "t1", "something", "topics: a side is taken"))
        viewer.show(ViewerTimedOut(1.0, "sly", 61.0, "by the operator"))
        viewer.show(SlowModeSet(0.0, 15.0))
        viewer.show(SlowModeSet(0.0, 0.0))
    os.close(into)
    text = os.read(out, 65536).decode()
    os.close(out)
    assert "zoe may be in danger (harm: harm to oneself)" in text and "something" not in text
    assert "blocked (harm: harm to oneself)" in text and "sanitised: it holds a link" in text
    assert "held back: topics: a side is taken" in text and "sly is timed out for 60 s" in text
    assert "slow mode: a line of each viewer in 15 s" in text and "slow mode is over" in text


async def test_wrong_bytes_and_a_line_without_end() -> None:
    out, into = os.pipe()
    os.write(into, b"\xff\xfe\x00\x1b[2J ok\n" + b"y" * 60_000)
    os.close(into)
    events = await heard(TerminalSense(out))
    os.close(out)
    assert said(events[0])[1].endswith("[2J ok")
    assert len(said(events[1])[1]) == 500


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n"])
async def test_a_plain_file_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    events = await heard(TerminalSense(fd))
    os.close(fd)
    assert len(events) == content.count(b"\n")


async def test_dev_null_ends() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    assert await heard(TerminalSense(fd)) == []
    os.close(fd)


async def test_waiting_for_a_line_can_be_cancelled() -> None:
    out, into = os.pipe()
    with anyio.fail_after(30), anyio.move_on_after(0.05) as scope:
        async for _ in TerminalSense(out).events():
            pass
    assert scope.cancelled_caught
    os.close(out)
    os.close(into)


LINE = ChatLine("l1", "[bold]mika[/bold]", "hi [red]you[/red] :smile:", Source.CONSOLE)
REPLY: list[Event] = [
    LineArrived(0.0, LINE),
    TurnStarted(0.0, "main", "t1", LINE, False),
    StageReached(0.0, "main", "t1", Stage.RECEIVED),
    StageReached(0.412, "main", "t1", Stage.AUDIBLE),
    CaptionShown(0.4, "main", "t1", 0, "Oh hello,", 2),
    CaptionShown(0.5, "main", "t1", 0, "Oh hello,", 9),
    CaptionShown(0.6, "main", "t1", 1, "Mika.", 5),
    TurnEnded(0.9, "main", "t1", Ending.FINISHED, "Oh hello, Mika.", "Oh hello, Mika."),
    LineClosed(0.9, "l1", Fate.ANSWERED, "t1"),
    LineArrived(1.0, ChatLine("l2", "bob", "buy now", Source.CONSOLE)),
    LineClosed(1.0, "l2", Fate.SPAM),
    PartDegraded(1.1, "speech", "nobody listens on 127.0.0.1:8022"),
    TurnEnded(1.2, "main", "t2", Ending.FAILED, "", "", "speech: hung up"),
]


async def shown(events: list[Event], fd: int) -> None:
    async with TerminalViewer(fd) as viewer:
        for event in events:
            viewer.show(event)


async def test_a_pipe_gets_plain_lines() -> None:
    out, into = os.pipe()
    await shown(REPLY, into)
    os.close(into)
    text = os.read(out, 65536).decode()
    os.close(out)
    assert text.splitlines() == [
        "[bold]mika[/bold]: hi [red]you[/red] :smile:",
        "main: Oh hello, Mika.  (412 ms)",
        "bob: buy now",
        "  bob's line: spam",
        "speech is down: nobody listens on 127.0.0.1:8022; the show goes on without it and tries again",
        "main:  (speech: hung up, 412 ms)",
    ]


async def test_a_line_that_comes_in_between_breaks_the_reply() -> None:
    out, into = os.pipe()
    await shown([*REPLY[:5], REPLY[9], REPLY[6], REPLY[7]], into)
    os.close(into)
    lines = os.read(out, 65536).decode().splitlines()
    os.close(out)
    assert lines[1:] == ["main: Oh hello,", "bob: buy now", "main: Mika.  (412 ms)"]


async def test_a_terminal_gets_colour_and_is_not_told_what_it_typed() -> None:
    here, there = pty.openpty()
    await shown([LineArrived(0.0, ChatLine("t", "operator", "typed", Source.TERMINAL)), *REPLY], there)
    text = os.read(here, 65536).decode()
    os.close(here)
    os.close(there)
    assert "typed" not in text
    assert "\x1b[" in text


async def test_a_terminal_that_nobody_reads_holds_nobody_up() -> None:
    out, into = os.pipe()
    with anyio.fail_after(30):
        await shown(REPLY * 3000, into)
    os.close(out)
    os.close(into)


async def test_a_reader_that_has_gone_ends_nothing() -> None:
    out, into = os.pipe()
    os.close(out)
    with anyio.fail_after(30):
        await shown(REPLY, into)
    os.close(into)
