"""The loop in the middle: events in, the director's decisions carried out, every event to every viewer."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup

from glue.closing import closing
from glue.director import Close, Director, Interrupt, Speak
from glue.errors import PortError
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
    TurnEnded,
    TurnStarted,
)
from glue.ports import Sense, Viewer
from glue.settings import TurnSettings
from glue.turn import Member, Turn


class Show:
    """Tells viewers what happens and members what to do. Runs until its senses end, if `ends_with_chat`."""

    def __init__(
        self,
        members: Mapping[str, Member],
        director: Director,
        viewers: Sequence[Viewer],
        settings: TurnSettings,
        mute: Callable[[bool], None],
        ends_with_chat: bool = False,
    ) -> None:
        self._members = members
        self._director = director
        self._viewers = viewers
        self._settings = settings
        self._mute = mute
        self._ends_with_chat = ends_with_chat
        self._changed = anyio.Event()
        self._turn: Turn | None = None
        self._turns = 0
        self._listening = 0

    def emit(self, event: Event) -> None:
        """Tell every viewer."""
        for viewer in self._viewers:
            viewer.show(event)

    async def run(self, senses: Sequence[Sense]) -> None:
        """The show. Ends with its chat, or when it is cancelled; what still waits is then UNHEARD."""
        try:
            async with anyio.create_task_group() as tg:
                self._director.ended(anyio.current_time())
                self._listening = len(senses)
                for sense in senses:
                    tg.start_soon(self._listen, sense)
                while not self._over():
                    self._act(tg)
                    await self._anything()
                tg.cancel_scope.cancel()
        finally:
            for close in self._director.empty(Fate.UNHEARD):
                self._close(close)

    async def _listen(self, sense: Sense) -> None:
        async with closing(sense.events()) as events:
            async for event in events:
                self.take(event)
        self._listening -= 1
        self._changed.set()

    def take(self, event: Event) -> None:
        """An event from outside."""
        self.emit(event)
        match event:
            case LineArrived(at, line):
                for close in self._director.hear(line, at):
                    self._close(close)
            case ButtonPressed(_, button):
                self._press(button)
            case _:
                pass
        self._changed.set()

    def _press(self, button: Button) -> None:
        if button in (Button.MUTE, Button.UNMUTE):
            self._mute(button is Button.MUTE)
        for decision in self._director.press(button):
            match decision:
                case Interrupt():
                    self._interrupt()
                case Close():
                    self._close(decision)
                case Speak():
                    pass

    def _interrupt(self) -> None:
        if self._turn is not None:
            self._turn.cut()

    def _act(self, tg: TaskGroup) -> None:
        for decision in self._director.decide(anyio.current_time()):
            match decision:
                case Speak():
                    tg.start_soon(self._speak, decision)
                case Close():
                    self._close(decision)
                case Interrupt():
                    self._interrupt()

    async def _speak(self, decision: Speak) -> None:
        self._turns += 1
        member, line = self._members[decision.who], decision.line
        turn = Turn(f"t{self._turns}", member, line, self._settings, self.emit, self._likely)
        self._turn = turn
        self.emit(TurnStarted(anyio.current_time(), decision.who, turn.id, line, decision.waited))
        ended = None
        try:
            ended = await turn.run(decision.received)
        finally:
            self._turn = None
            if ended is None:  # the show itself is ending
                self._settle(line.id, Fate.UNHEARD, turn.id, line.source)
        self.emit(ended)
        self._settle(line.id, fate(ended), turn.id, line.source)
        self._director.ended(anyio.current_time())
        self._changed.set()
        if ended.ending is not Ending.FINISHED:
            with suppress(PortError):  # what was prefilled while she spoke is not what was heard
                await member.llm.warm(member.mind.prefix())

    def _likely(self) -> ChatLine | None:
        return self._director.likely(anyio.current_time())

    def _settle(self, line_id: str, fate: Fate, turn: str, source: Source) -> None:
        if source is not Source.HERSELF:
            self.emit(LineClosed(anyio.current_time(), line_id, fate, turn))

    def _close(self, close: Close) -> None:
        self.emit(LineClosed(anyio.current_time(), close.line_id, close.fate))

    def _over(self) -> bool:
        done = not self._listening and not self._director.waiting and not self._director.speaking
        return self._ends_with_chat and done

    async def _anything(self) -> None:
        """Wait until something changed, or the director wants to be asked again."""
        wake_at = self._director.wake_at(anyio.current_time())
        with anyio.move_on_at(wake_at) if wake_at < float("inf") else anyio.CancelScope():
            await self._changed.wait()
        self._changed = anyio.Event()


def fate(ended: TurnEnded) -> Fate:
    """What became of the line that a turn answered."""
    if ended.heard:
        return Fate.ANSWERED
    match ended.ending:
        case Ending.FAILED:
            return Fate.FAILED
        case Ending.CUT:
            return Fate.SKIPPED
        case Ending.FINISHED | Ending.EMPTY:
            return Fate.SILENT
