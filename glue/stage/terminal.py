"""SOUND -> AUDIENCE: the Viewer port in a terminal: lines, replies clause by clause, what broke."""

import io
import os
from collections import deque
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
from rich.console import Console
from rich.text import Text

from glue.broadcast_events import (
    BroadcastLacking,
    HighlightMarked,
    Phase,
    PhaseBegun,
    StreamFaltered,
    StreamRestored,
)
from glue.desk_events import ClauseWaits, OperatorServed
from glue.events import (
    CaptionShown,
    ChatLine,
    ClauseHeld,
    Ending,
    Event,
    Fate,
    LineArrived,
    LineClosed,
    PartDegraded,
    PartRecovered,
    Source,
    Stage,
    StageReached,
    StageTaken,
    TurnEnded,
    TurnStarted,
)
from glue.safety_events import LineScreened, Screened, SlowModeSet, ViewerTimedOut

WAITING = 1000  # pieces of text for a terminal that is held (Ctrl-S); beyond it the oldest are lost
PIECE = 512  # bytes that a writable pipe or terminal takes without blocking (POSIX's least PIPE_BUF)
FAREWELL = 0.2  # seconds for the rest when the show ends
KNOWN = 1000  # lines whose author is remembered


class TerminalViewer:
    """One line a viewer, one line a reply. Never blocks: a task of its own writes."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._tty = os.isatty(fd)
        self._page = io.StringIO()
        self._rich = Console(file=self._page, force_terminal=self._tty, highlight=False, soft_wrap=True)
        self._authors: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._marks: dict[Stage, float] = {}
        self._waited = False
        self._open: tuple[str, int] | None = None  # the turn and clause that the cursor stands behind
        self._out: deque[bytes] = deque(maxlen=WAITING)
        self._wake = anyio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(self._write)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._break()
        try:
            await self._stack.aclose()
        finally:
            with anyio.move_on_after(FAREWELL, shield=True):
                while self._out:
                    await self._write_one()

    def show(self, event: Event) -> None:
        """The Viewer port."""
        match event:
            case StageTaken(_, who, name):
                self._names[who] = name
            case LineArrived(_, line):
                self._arrive(line)
            case LineClosed(_, line_id, fate, _, why):
                self._close(line_id, fate, why)
            case LineScreened() | ClauseHeld() | ViewerTimedOut() | SlowModeSet():
                self._safety(event)
            case TurnStarted(waited=waited):
                self._marks, self._waited = {}, waited
            case StageReached(at=at, stage=stage):
                self._marks[stage] = at
            case CaptionShown():
                self._caption(event)
            case TurnEnded():
                self._end(event)
            case PartDegraded() | PartRecovered() | OperatorServed() | ClauseWaits():
                self._desk(event)
            case _:
                self._broadcast(event)

    def _desk(self, event: PartDegraded | PartRecovered | OperatorServed | ClauseWaits) -> None:
        """What the operator should know, and what came of their wishes."""
        match event:
            case PartRecovered(_, part):
                self._line((f"{part} is back", "green"))
            case PartDegraded(_, part, why):
                self._line((f"{part} is down: {why}; the show goes on without it and tries again", "yellow"))
            case ClauseWaits(_, _, turn, index, text):
                self._line((f"  {turn}.{index} waits for /yes, /edit or /drop: {text}", "yellow"))
            case OperatorServed():
                for line in event.effect.splitlines():
                    self._line((f"  {event.what}: {line}", "green" if event.done else "yellow"))

    def _broadcast(self, event: Event) -> None:
        match event:
            case StreamFaltered(fault=fault, why=why):
                self._line((f"stream {fault}: {why}", "bold yellow"))
            case StreamRestored(fault=fault, after=after):
                self._line((f"stream no longer {fault}, after {after:.0f} s", "green"))
            case PhaseBegun(phase=Phase.WAITING):
                self._line(("not live yet: /go begins the show", "yellow"))
            case PhaseBegun(phase=Phase.ENDING):
                self._line(("the show is over: the ending scene is on", "dim"))
            case BroadcastLacking(why=why):
                self._line((why, "yellow"))
            case HighlightMarked(why=why):
                self._line((f"  highlight: {why}", "dim"))
            case _:
                pass

    def _arrive(self, line: ChatLine) -> None:
        self._authors[line.id] = line.author
        if len(self._authors) > KNOWN:
            self._authors.pop(next(iter(self._authors)))
        if line.source is not Source.TERMINAL or not self._tty:  # what was typed is there already
            self._line((line.author, "cyan"), f": {line.text}")

    def _close(self, line_id: str, fate: Fate, why: str) -> None:
        author = self._authors.pop(line_id, "someone")
        if fate is not Fate.ANSWERED:
            self._line((f"  {author}'s line: {fate}{f' ({why})' if why else ''}", "dim"))

    def _safety(self, event: LineScreened | ClauseHeld | ViewerTimedOut | SlowModeSet) -> None:
        """What the filters did; what a person should look at stands out."""
        match event:
            case LineScreened(outcome=Screened.FLAGGED):
                author = self._authors.get(event.line_id, "someone")
                self._line((f"please look: {author} may be in danger ({event.why})", "bold red"))
            case LineScreened(outcome=Screened.SANITISED, why=why):
                self._line((f"  sanitised: {why}", "dim"))
            case ClauseHeld(why=why):
                self._line((f"  held back: {why}", "dim"))
            case ViewerTimedOut(at, author, until, why):
                self._line((f"  {author} is timed out for {max(0.0, until - at):.0f} s: {why}", "yellow"))
            case SlowModeSet(_, gap):
                told = f"slow mode: a line of each viewer in {gap:.0f} s" if gap else "slow mode is over"
                self._line((told, "yellow"))
            case _:
                pass

    def _name(self, who: str) -> str:
        return self._names.get(who, who)

    def _caption(self, event: CaptionShown) -> None:
        if self._open == (event.turn, event.index):
            return
        if self._open is None or self._open[0] != event.turn:
            self._break()
            self._put((self._name(event.who), "bold magenta"), ":")
        self._put(f" {event.text}")
        self._open = (event.turn, event.index)

    def _end(self, event: TurnEnded) -> None:
        words = [] if event.ending is Ending.FINISHED else [event.why or event.ending.value]
        start = self._marks.get(Stage.CHOSEN if self._waited else Stage.RECEIVED)
        audible = self._marks.get(Stage.AUDIBLE)
        if start is not None and audible is not None:
            words.append(f"{(audible - start) * 1000:.0f} ms")
        note = (f"  ({', '.join(words)})" if words else "", "dim")
        if self._open is not None and self._open[0] == event.turn:
            self._open = None
            self._put(note, "\n")
        else:
            heard = f": {event.heard}" if event.heard else ":"
            self._line((self._name(event.who), "bold magenta"), heard, note)

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self._break()
        self._put(*parts, "\n")

    def _break(self) -> None:
        if self._open is not None:
            self._open = None
            self._put("\n")

    def _put(self, *parts: str | tuple[str, str]) -> None:
        self._rich.print(Text.assemble(*parts), end="")  # a Text: viewers' words are no markup
        styled = self._page.getvalue().encode("utf-8", "replace")
        self._page.seek(0)
        self._page.truncate()
        self._out.extend(styled[place : place + PIECE] for place in range(0, len(styled), PIECE))
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            while self._out:
                await self._write_one()

    async def _write_one(self) -> None:
        try:
            await anyio.wait_writable(self._fd)
        except PermissionError:  # epoll refuses plain files, which never make anyone wait
            pass
        except OSError:
            self._out.clear()
            return
        if not self._out:
            return
        piece = self._out.popleft()
        try:
            written = os.write(self._fd, piece)
        except OSError:  # the terminal or the pipe has gone; the show has not
            self._out.clear()
            return
        if written < len(piece):
            self._out.appendleft(piece[written:])
