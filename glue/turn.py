"""One reply, as one task group: recall -> prompt -> LLM => clauses -> gate ->[2]-> voice ->[1 s]-> stage.

Cancelling the scope is the barge-in; there is no other way to stop. Closing the iterators on the way out is
what stops the servers. The core knows only ports, so all of this runs in virtual time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from glue.closing import closing
from glue.errors import PortError
from glue.events import (
    ChatLine,
    ClauseCleared,
    ClauseHeld,
    Ending,
    Event,
    Stage,
    StageReached,
    TurnEnded,
    TurnMeasured,
)
from glue.gate import Gate, Held
from glue.ports import Llm, Memory, Mind, Prompt, Role, Stand, Tts, Usage
from glue.settings import TurnSettings

LOOK_AGAIN = 0.2  # seconds between two looks at what waits


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: everything that her replies need."""

    who: str
    mind: Mind
    llm: Llm
    tts: Tts
    memory: Memory
    gate: Gate
    stand: Stand


@dataclass(slots=True)
class Turn:
    """A reply of `member` to `line`. `run()` once; `cut()` at any time."""

    id: str
    member: Member
    line: ChatLine
    settings: TurnSettings
    emit: Callable[[Event], None]
    upcoming: Callable[[], ChatLine | None] = lambda: None  # what would be answered next
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _said: list[str] = field(default_factory=list)
    _reached: dict[Stage, float] = field(default_factory=dict)
    _asked: float = 0.0  # when the LLM's request was sent
    _line_tokens: int = 0
    _usage: Usage = field(default_factory=lambda: Usage(0, 0, 0))

    async def run(self, received: float) -> TurnEnded:
        """Speak the reply to its end, or to its cut. Never raises a PortError: the ending says it."""
        self.member.stand.enter(self.id, lambda at: self._mark(Stage.AUDIBLE, at))
        self._mark(Stage.RECEIVED, received)
        self._mark(Stage.CHOSEN)
        broken: list[PortError] = []
        with self.scope:
            self.scope.deadline = anyio.current_time() + self.settings.reply_within
            try:
                await self._perform()
            except* PortError as group:
                broken += [error for error in _leaves(group) if isinstance(error, PortError)]
        return self._close(broken)

    def cut(self) -> None:
        """Silence now, and the servers stop working. What was heard stays in the history."""
        self.member.stand.cut()
        self.scope.cancel()

    async def _perform(self) -> None:
        send, receive = anyio.create_memory_object_stream[tuple[int, str]](self.settings.ahead)
        async with anyio.create_task_group() as tg:
            tg.start_soon(self._think, send)
            await self._speak(receive)
            await self.member.stand.finished()
            tg.cancel_scope.cancel()  # preparing for the next line has no end of its own

    async def _think(self, send: MemoryObjectSendStream[tuple[int, str]]) -> None:
        async with send:
            recalled = await self._recall()
            for _ in range(self.settings.tries):  # the gate may have held all of it: then once more
                await self._write(self.member.mind.prompt(self.line, recalled), send)
                if self._said:
                    break
        await self._prepare_next()

    async def _write(self, prompt: Prompt, send: MemoryObjectSendStream[tuple[int, str]]) -> None:
        self._asked = self._asked or anyio.current_time()
        async with (
            closing(self.member.llm.stream(prompt, Role.SPEECH)) as answer,
            closing(self._words(answer)) as words,
            closing(self.member.mind.clauses(words)) as clauses,
        ):
            async for clause in clauses:
                self._mark(Stage.FIRST_CLAUSE)
                await self._clear(clause, send)

    async def _recall(self) -> Sequence[str]:
        recalled: Sequence[str] = ()
        with anyio.move_on_after(self.settings.recall_within):
            recalled = await self.member.memory.recall(self.member.who, self.line.author, self.line.text)
        self._mark(Stage.RECALLED)
        return recalled

    async def _words(self, answer: AsyncIterator[str | Usage]) -> AsyncIterator[str]:
        async for piece in answer:
            if isinstance(piece, Usage):
                self._usage = piece
            else:
                self._mark(Stage.FIRST_TOKEN)
                yield piece

    async def _clear(self, clause: str, send: MemoryObjectSendStream[tuple[int, str]]) -> None:
        now, who = anyio.current_time(), self.member.who
        verdict = self.member.gate.check(clause)
        if isinstance(verdict, Held):
            self.emit(ClauseHeld(now, who, self.id, clause, verdict.why))
            return
        index = len(self._said)
        self._said.append(verdict.text)
        self._mark(Stage.CLEARED)
        self.emit(ClauseCleared(now, who, self.id, index, verdict.text, verdict.changed))
        await send.send((index, verdict.text))

    async def _speak(self, receive: MemoryObjectReceiveStream[tuple[int, str]]) -> None:
        async with receive:
            async for index, text in receive:
                async with closing(self.member.tts.speak(text, self.member.mind.voice)) as sound:
                    async for speech in sound:
                        self._mark(Stage.FIRST_AUDIO)
                        await self.member.stand.play(index, text, speech)

    async def _prepare_next(self) -> None:
        """While she is still speaking, prefill what the next reply begins with, and the line that it would
        answer now: a line that waits costs its prefill while nobody waits for it."""
        llm, mind, said = self.member.llm, self.member.mind, " ".join(self._said)
        with suppress(PortError):  # the next reply then pays for it; this one is whole
            self._line_tokens = await llm.count(f"{self.line.author}: {self.line.text}")
            await llm.warm(mind.prefix(self.line, said))
            ready: ChatLine | None = None
            while True:
                likely = self.upcoming()
                if likely is not None and likely != ready:
                    await llm.warm(mind.prefix(self.line, said, likely))
                    ready = likely
                await anyio.sleep(LOOK_AGAIN)

    def _mark(self, stage: Stage, at: float | None = None) -> None:
        if stage not in self._reached:
            self._reached[stage] = anyio.current_time() if at is None else at
            self.emit(StageReached(self._reached[stage], self.member.who, self.id, stage))

    def _close(self, broken: Sequence[PortError]) -> TurnEnded:
        stand, now = self.member.stand, anyio.current_time()
        if broken or self.scope.cancelled_caught:
            stand.cut()
        heard, said = stand.heard(), " ".join(self._said)
        if broken:
            ending = Ending.FAILED
        elif self.scope.cancelled_caught:
            ending = Ending.CUT
        else:
            ending = Ending.FINISHED if said else Ending.EMPTY
        self.member.mind.remember(self.line, heard, cut=ending is not Ending.FINISHED)
        self._measure(now)
        return TurnEnded(now, self.member.who, self.id, ending, said, heard, str(broken[0]) if broken else "")

    def _measure(self, now: float) -> None:
        reached, usage = self._reached, self._usage
        clause = reached.get(Stage.FIRST_CLAUSE, self._asked)
        chunk = reached.get(Stage.FIRST_AUDIO, 0.0) - reached.get(Stage.CLEARED, 0.0)
        measured = TurnMeasured(
            now,
            self.member.who,
            self.id,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.cached_tokens,
            line_tokens=self._line_tokens,
            answer_tokens=usage.answer_tokens,
            gaps=self.member.stand.gaps(),
            llm_to_clause=clause - self._asked,
            tts_to_chunk=max(0.0, chunk),
        )
        self.emit(measured)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The errors in a group of groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
