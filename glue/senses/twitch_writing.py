"""SOUND -> WORLD: what was heard of her answers, written into the chat that asked; slowly, as Twitch wants.

A reply to a line that a moderator removed is not written: it would quote that line.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import anyio

from glue.chat_events import LinesRemoved
from glue.errors import TooSlow, Unreachable
from glue.events import Event, Fate, LineClosed, Source, TurnEnded, TurnStarted
from glue.senses.socket import Works

log = logging.getLogger(__name__)

UNWRITTEN = 10  # of her lines; the oldest gives way
APART_S = 1.6  # between two of her lines: Twitch takes 20 in 30 s
LONGEST = 480  # characters of one
Write = Callable[[str, str], Awaitable[bool]]


@dataclass(slots=True)
class Reply:
    """What turn `turn` said. `answers`: the message it is shown under, "" for none; `lines`: all of those
    that it is an answer to."""

    turn: str
    answers: str
    lines: set[str]
    text: str = ""


@dataclass(slots=True)
class Writer:
    """`write(text, answers)` returns whether Twitch took it; its errors are raised by run()."""

    write: Write
    _answering: Reply | None = None
    _unwritten: list[Reply] = field(default_factory=list)
    _finished: anyio.Event = field(default_factory=anyio.Event)
    _writing: Reply | None = None

    def show(self, event: Event) -> None:
        """The Viewer port."""
        match event:
            case TurnStarted(line=line, turn=turn):
                answers = "" if line.deed else line.id.removeprefix("twitch-")
                ours = line.source is Source.TWITCH
                self._answering = Reply(turn, answers, {line.id}) if ours else None
            case TurnEnded(turn=turn, heard=heard) if self._answering and self._answering.turn == turn:
                if heard:
                    self._answering.text = heard[:LONGEST]
                    self._unwritten = [*self._unwritten, self._answering][-UNWRITTEN:]
                    self._finished.set()
                self._answering = None
            case LineClosed(line_id=id, fate=fate, turn=turn) if turn:  # of those thanked together, each
                for reply in self._unwritten:
                    reply.lines |= {id} if reply.turn == turn else set()
                if fate is Fate.REMOVED:
                    self._drop({id})
            case LinesRemoved(line_ids=ids):
                self._drop(ids)

    def _drop(self, ids: Collection[str]) -> None:
        self._unwritten = [reply for reply in self._unwritten if reply.lines.isdisjoint(ids)]
        if self._answering and not self._answering.lines.isdisjoint(ids):
            self._answering = None
        if self._writing and not self._writing.lines.isdisjoint(ids):
            self._writing = None

    async def run(self, works: Works) -> None:
        """Write her lines, one after the other. Raises what Twitch says to one; where that could not be
        reached, the line is the next run's first."""
        while True:
            while self._unwritten:
                await self._put(self._unwritten.pop(0), works)
                await anyio.sleep(APART_S)
            await self._finished.wait()
            self._finished = anyio.Event()

    async def _put(self, reply: Reply, works: Works) -> None:
        self._writing = reply
        try:
            if await self.write(reply.text, reply.answers):
                works()
            else:
                log.warning("Twitch held a line of hers back")
        except (Unreachable, TooSlow):
            if self._writing is reply:  # no moderator has removed what it answers
                self._unwritten.insert(0, reply)
            raise
