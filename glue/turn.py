"""One reply, as one task group: recall -> prompt -> LLM => clauses -> gate ->[2]-> voice ->[1 s]-> stage.

Cancelling the scope is the barge-in; there is no other way to stop. Closing the iterators on the way out is
what stops the servers. The core knows only ports, so all of this runs in virtual time.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from glue.ahead import Ahead
from glue.closing import closing
from glue.cues import Cue, Cues, Script
from glue.desk_events import ClauseChanged, ClauseVoiced, ClauseWaits
from glue.errors import PortError, Refused, leaves
from glue.events import ChatLine, ClauseCleared, ClauseHeld, Ending, Event, ReplyOpened, Stage, TurnEnded
from glue.gate import Held, Passed, Replaced
from glue.member import Member
from glue.ports import Fact, Opened, Piece, Prompt, Role, Speech, Usage
from glue.settings import TurnSettings
from glue.singing import NOTE, Singing
from glue.waterfall import Waterfall


@dataclass(slots=True)
class Turn:
    """A reply of `member` to `line`. `run()` once; `cut()` at any time."""

    id: str
    member: Member
    line: ChatLine
    settings: TurnSettings
    emit: Callable[[Event], None]
    upcoming: Callable[[], ChatLine | None] = lambda: None  # what would be answered next
    cues: Cues = field(default_factory=Cues)  # where the operator sees a clause before the voice does
    script: str = ""  # words to say as they are; nothing is thought of then
    singing: Singing | None = None  # a song; nothing is thought of then, either
    aside: Callable[[str], Sequence[Prompt]] = lambda said: ()  # what begins with this for who overhears it
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _said: list[str] = field(default_factory=list)
    _refused: bool = False  # the gate dropped the rest of the reply
    _held: int = 0  # clauses that it kept from the voice
    _short: bool = False
    _dumped: bool = False  # what waited to be heard was thrown away
    _shortened: bool = False  # and what was written after its last clause is gone
    _writing: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _took: Waterfall = field(init=False)
    _ahead: Ahead = field(init=False)

    def __post_init__(self) -> None:
        self._took = Waterfall(self.member.who, self.id, self.emit)
        self._ahead = Ahead(self.member, self.line, lambda: self.upcoming(), self.aside, self._recall)

    @property
    def prepared(self) -> bool:
        """Whether what the next reply begins with was prefilled."""
        return self._ahead.prepared

    async def run(self, received: float) -> TurnEnded:
        """Speak the reply to its end, or to its cut. Never raises a PortError: the ending says it."""
        self.member.stand.enter(self.id, lambda at: self._took.mark(Stage.AUDIBLE, at))
        self._took.mark(Stage.RECEIVED, received)
        self._took.mark(Stage.CHOSEN)
        broken: list[PortError] = []
        with self.scope:
            song = self.singing.song.seconds if self.singing else 0.0
            self.scope.deadline = anyio.current_time() + self.settings.reply_within + song
            try:
                await self._perform()
            except* PortError as group:
                broken += [error for error in leaves(group) if isinstance(error, PortError)]
        return self._close(broken)

    def cut(self, dumped: bool = False) -> None:
        """Silence now, and the servers stop working. What was heard stays in the history."""
        self._dumped |= dumped
        self.member.stand.cut()
        self.scope.cancel()

    def shorten(self) -> None:
        """Come to an end after the clause that the voice is at, or after the first one."""
        self._short = True

    async def _perform(self) -> None:
        song: AbstractAsyncContextManager[object] = self.singing or nullcontext()
        if self.singing:
            self.emit(self.singing.started(anyio.current_time(), self.member.who, self.id))
        async with song:
            send, receive = anyio.create_memory_object_stream[Cue](self.settings.ahead)
            # closed last: a voice that breaks cancels the writer, which must not find its channel gone before
            async with receive, anyio.create_task_group() as tg:
                tg.start_soon(self._think, send)
                await self._speak(receive)
                with self._ahead.still():
                    await self.member.stand.finished()
                tg.cancel_scope.cancel()  # preparing for the next line has no end of its own

    async def _think(self, send: MemoryObjectSendStream[Cue]) -> None:
        async with send:
            if self.singing:
                await self._sing(self.singing, send)
            else:
                await (self._send(self.script, False, send) if self.script else self._answer(send))
        if self.singing:
            await self.singing.nearly.wait()
        await self._ahead.prepare(self._words_said())

    async def _sing(self, singing: Singing, send: MemoryObjectSendStream[Cue]) -> None:
        """Its lines come as they are: they may repeat one another, and her."""
        with self._writing:
            for words, why in singing.clauses(self.member.gate.refuses):
                if why:
                    self.emit(ClauseHeld(anyio.current_time(), self.member.who, self.id, words, why))
                await self._send(NOTE if why else words, bool(why), send)

    async def _answer(self, send: MemoryObjectSendStream[Cue]) -> None:
        self._took.recalled = await self._recall(self.line)
        self._took.mark(Stage.RECALLED)
        with self._writing:
            await self._begin(send)
            if self.line.certain and not self.settings.goes_on:
                await self._add(send)  # told what happened, a small model goes on with what did not
                return
            for _ in range(self.settings.tries):  # the gate may have held all of it: then once more
                if self._refused:
                    break
                await self._write(self.member.mind.prompt(self.line, self._took.recalled), send)
                if self._said:
                    break

    async def _begin(self, send: MemoryObjectSendStream[Cue]) -> None:
        """What is certain is said first, as it is; the model goes on behind it."""
        known = [each.said for each in self._took.recalled if isinstance(each, Fact)]
        certain = [self.line.text] if self.line.certain else known
        if certain:
            self._took.asked = anyio.current_time()
            self._took.mark(Stage.FIRST_TOKEN)
            self._took.mark(Stage.FIRST_CLAUSE)
            await self._clear(certain[0], send)

    async def _add(self, send: MemoryObjectSendStream[Cue]) -> None:
        """A word of hers to what happened, where nobody waits for her."""
        if self._said and not self.upcoming() and (aside := self.member.mind.aside(self.line)):
            await self._clear(aside, send)

    async def _write(self, prompt: Prompt, send: MemoryObjectSendStream[Cue]) -> None:
        prompt = replace(prompt, opening=self._words_said())
        self._took.prompt, self._took.asked = prompt, self._took.asked or anyio.current_time()
        with suppress(Refused) if prompt.opening else nullcontext():  # a server that cannot go on: it is said
            async with (
                closing(self.member.llm.stream(prompt, Role.SPEECH)) as answer,
                closing(self._words(answer)) as words,
                closing(self.member.mind.clauses(words)) as clauses,
            ):
                async for clause in clauses:
                    self._took.mark(Stage.FIRST_CLAUSE)
                    await self._clear(clause, send)
                    if self._refused:
                        break

    async def _recall(self, line: ChatLine) -> Sequence[str]:
        """What she remembers at a line; nothing where that is late."""
        with anyio.move_on_after(self.settings.recall_within):
            return await self.member.memory.recall(self.member.who, line)
        return ()

    async def _words(self, answer: AsyncIterator[Piece]) -> AsyncIterator[str]:
        async for piece in answer:
            match piece:
                case Usage():
                    self._took.usage = piece
                case Opened(text, tokens):
                    self.emit(ReplyOpened(anyio.current_time(), self.member.who, self.id, text, tokens))
                case str():
                    self._took.mark(Stage.FIRST_TOKEN)
                    yield piece

    async def _clear(self, clause: str, send: MemoryObjectSendStream[Cue]) -> None:
        verdict = self.member.gate.check(clause, self.line, self._said)
        self._refused = isinstance(verdict, Replaced)
        if isinstance(verdict, Held | Replaced):
            self._hold_back(clause, verdict)
        if isinstance(verdict, Held) or not verdict.text:
            return
        await self._send(verdict.text, not isinstance(verdict, Passed) or verdict.changed, send)

    def _hold_back(self, clause: str, verdict: Held | Replaced) -> None:
        """Tell of a clause that the gate refused; the operator may have it said all the same."""
        now, who, self._held = anyio.current_time(), self.member.who, self._held + 1
        id = f"{self.id}-{self._held}"
        instead = f"{self.id}.{len(self._said)}" if isinstance(verdict, Replaced) and verdict.text else ""
        self.cues.refuse(id, Script(who, self.line, clause), now, instead)
        self.emit(ClauseHeld(now, who, self.id, clause, verdict.why, id))

    async def _send(self, text: str, changed: bool, send: MemoryObjectSendStream[Cue]) -> None:
        index, who = len(self._said), self.member.who
        self._said.append(text)
        self._took.mark(Stage.CLEARED)
        self.emit(ClauseCleared(anyio.current_time(), who, self.id, index, text, changed))
        await send.send(self.cues.add(self.id, who, index, text))

    async def _speak(self, receive: MemoryObjectReceiveStream[Cue]) -> None:
        async for cue in receive:
            if self._short and cue.index:
                self._shortened = True
                self._writing.cancel()
                continue  # until the writer has noticed
            text = await self._final(cue)
            if text or (self.singing and cue.index >= self.singing.first):
                await self._voice(cue.index, text)

    async def _final(self, cue: Cue) -> str:
        """What is to be spoken: at once, unless the operator holds it (a song once, as a whole); "" where it
        was left out."""
        if self.cues.holds(cue) and not (self.singing and cue.index):
            self.emit(ClauseWaits(anyio.current_time(), cue.who, cue.turn, cue.index, cue.text))
            await self._patient(cue)
        before, text = self._said[cue.index], self.cues.take(cue)
        if text != before:
            self._said[cue.index] = text
            self.emit(ClauseChanged(anyio.current_time(), cue.who, cue.turn, cue.index, text, before))
        return text

    async def _patient(self, cue: Cue) -> None:
        """Wait for the operator; that is not the reply's own time. Who decides nothing leaves it out."""
        rest = self.scope.deadline - anyio.current_time()
        self.scope.deadline = math.inf
        with anyio.move_on_after(self.settings.held_within):
            await cue.free.wait()
        if not cue.free.is_set():
            cue.text = ""
        self.scope.deadline = anyio.current_time() + rest

    async def _voice(self, index: int, text: str) -> None:
        voiced = False
        async with closing(self._sound(index, text)) as sound:
            async for speech in sound:
                self._took.mark(Stage.FIRST_AUDIO)
                await self.member.stand.play(index, text, speech)
                if not voiced:  # told only now: nothing stands between a clause and its sound
                    voiced = True
                    self.emit(ClauseVoiced(anyio.current_time(), self.member.who, self.id, index))

    def _sound(self, index: int, text: str) -> AsyncIterator[Speech]:
        def spoken() -> AsyncIterator[Speech]:
            return self.member.tts.speak(text, self.member.mind.voice)

        singing = self.singing
        return singing.voice(index, text, spoken, lambda: self._short) if singing else spoken()

    def _close(self, broken: Sequence[PortError]) -> TurnEnded:
        mind, stand, now = self.member.mind, self.member.stand, anyio.current_time()
        if broken or self.scope.cancelled_caught:
            stand.cut()
        heard, said = stand.heard(), self._words_said()
        if self.singing:
            heard = self.singing.heard(heard, self._said, stand.played())
            self.emit(self.singing.ended(now, self.member.who, self.id))
        self.cues.leave(self.id)
        if broken:
            ending = Ending.FAILED
        elif self._dumped:
            ending = Ending.DUMPED
        elif self.scope.cancelled_caught or self._shortened or (self.singing and self.singing.faded):
            ending = Ending.CUT
        else:
            ending = Ending.FINISHED if said else Ending.EMPTY
        self.member.gate.heard(clause for clause in self._said if clause in heard)
        mind.remember(self.line, heard, cut=ending is not Ending.FINISHED)
        if any(isinstance(error, Refused) and error.part == "llm" for error in broken):
            mind.shed()
        self._took.told(now, self._ahead.line_tokens, stand.gaps())
        return TurnEnded(now, self.member.who, self.id, ending, said, heard, str(broken[0]) if broken else "")

    def _words_said(self) -> str:
        return self.singing.words(self._said) if self.singing else " ".join(filter(None, self._said))
