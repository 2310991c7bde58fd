"""DECISION -> TEXT: the `Llm` port in two. A small model says the first words, the main model goes on.

A model that is too large to begin in time is given the small one's words as the beginning of its own answer;
while they are spoken, it has the time that it needs. Whoever reads the stream sees one answer. Where its
server reads in the small one's tokens the very words that were spoken, it gets these tokens, else the text.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Protocol, Self

import anyio

from glue.closing import closing
from glue.errors import ConfigError, PortError, TooSlow
from glue.mind.lane import Lane
from glue.mind.opening import SENTENCE, Opening
from glue.mind.pace import Pace, Watch
from glue.ports import Llm, Opened, Piece, Prompt, Role, Usage
from glue.settings import When

TOKENS = 1.5  # of the small model for each of its words, with their marks
PROBE = 8  # tokens by which the main model's pace is first measured
READING = 0.1  # seconds that the main model's server may take to read the opening's tokens

log = logging.getLogger(__name__)


class Continuing(Llm, Protocol):
    """A model that can go on with an answer that another one has begun."""

    async def read(self, ids: Sequence[int]) -> str:
        """The text that these tokens are in its own vocabulary; "" where it cannot say, or cannot go on
        behind tokens. Raises as stream()."""


class OpenedLlm:
    """`main` answers, `small` says about `words` words of a reply first, and does all other work."""

    def __init__(
        self,
        main: Continuing,
        small: Llm,
        when: When = When.auto,
        words: int = 8,
        soon: float = 0.4,
        within: float = 0.8,
        patience: float = 6.0,
        ids: bool = True,
    ) -> None:
        """`when` auto: while the main model would need more than `soon` seconds for `words` words. No word of
        the small one `within` s, or no more of them: the main one speaks; none of the main one's for
        `patience` s: the small one goes on alone. `ids`: tokens rather than text to the main model, where
        both have the same."""
        if words < 2 or min(soon, within, patience) <= 0:
            raise ConfigError("llm.opener: words must be 2 or more; soon, within, patience positive")
        self._main, self._small = main, small
        self._when, self._words = when, words
        self._soon, self._within, self._patience = soon, within, patience
        self._ids = ids
        self._pace = Pace()
        self._lane = Lane()  # of background work: the two models read their weights over one memory

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is its own: who made the two models closes them."""

    def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[Piece]:
        """The Llm port; Opened stands where the small model's words end."""
        if role is Role.BACKGROUND:
            return self._quietly(prompt)
        if role is not Role.SPEECH:  # a decision in a game has no seconds to wait either
            return self._small.stream(prompt, role)
        return self._spoken(prompt)

    async def warm(self, prompt: Prompt) -> int:
        """The Llm port. The small model is ready first."""
        if self._when is not When.never:
            await self._readied(self._small.warm(prompt))
        return await self._main.warm(prompt)

    async def settle(self, prompt: Prompt) -> int:
        """The Llm port."""
        await self._readied(self._small.settle(prompt))
        evaluated = await self._main.settle(prompt)
        if self._when is When.auto and self._pace.until(self._words) is None:
            async with closing(self._alone(replace(prompt, max_tokens=PROBE))) as pieces:
                async for _ in pieces:
                    pass
        return evaluated

    @contextmanager
    def still(self) -> Iterator[None]:
        """The Llm port."""
        with self._lane.speaking(), self._small.still(), self._main.still():
            yield

    async def count(self, text: str) -> int:
        """The Llm port."""
        return await self._main.count(text)

    @staticmethod
    async def _readied(preparing: Awaitable[int]) -> None:
        """The small model where it is there: she speaks without it, too."""
        try:
            await preparing
        except PortError as error:
            log.warning("the opener is not ready: %s", error)

    async def _quietly(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The small model's answer, while neither of the two speaks."""
        for piece in await self._lane.run(lambda: self._whole(prompt)):
            yield piece

    async def _whole(self, prompt: Prompt) -> list[Piece]:
        async with closing(self._small.stream(prompt, Role.BACKGROUND)) as pieces:
            return [piece async for piece in pieces]

    async def _spoken(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        answer = self._both(prompt) if self._wanted() and not prompt.opening else self._alone(prompt)
        with self._lane.speaking():
            async with closing(answer) as pieces:
                async for piece in pieces:
                    yield piece

    def _wanted(self) -> bool:
        if self._when is not When.auto:
            return self._when is When.always
        needs = self._pace.until(self._words)
        return needs is None or needs > self._soon

    async def _alone(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The main model's own answer, or what follows its opening; its pace is noted."""
        watch = Watch(anyio.current_time())
        try:
            async with closing(self._main.stream(prompt)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str):
                        watch.piece(anyio.current_time())
                    yield piece
        finally:
            watch.tell(self._pace)

    async def _both(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """One after the other: on one machine both read their weights over the same memory, and a large model
        at work beside it takes the small one's pace by half. Its own start is hidden by the spoken words, and
        would need its pass over the weights again for them (engines/README.md has the arithmetic)."""
        opening = Opening()
        async with closing(self._begun(prompt, opening)) as pieces:
            async for piece in pieces:
                yield piece
        if opening.text:
            ids = await self._shared(opening)
            yield Opened(opening.text, len(ids))
            rest = self._continued(replace(prompt, opening=opening.text, opening_ids=ids), opening)
        else:
            rest = self._alone(prompt)
        async with closing(rest) as pieces:
            async for piece in pieces:
                yield piece

    async def _begun(self, prompt: Prompt, opening: Opening) -> AsyncGenerator[Piece, None]:
        """The small model's words; where it fails, those that were whole.

        It is told how many tokens to write and never hung up on: a server that notices that late would go on
        writing, and take half of the memory's bandwidth from the main model's first token."""
        tokens = min(prompt.max_tokens, math.ceil(TOKENS * self._words))
        few = replace(prompt, max_tokens=tokens, tell_ids=self._ids)
        try:
            async with closing(_patiently(self._small.stream(few), self._within, self._within)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Usage):
                        yield piece
                    elif isinstance(piece, str) and (text := opening.feed(piece)):
                        yield text
            opening.end()
        except PortError as error:
            log.warning("the opener failed: %s", error)

    async def _shared(self, opening: Opening) -> tuple[int, ...]:
        """The opening's tokens, where the main model has the same; else none, and it is given the text."""
        ids = opening.ids
        with anyio.move_on_after(READING), suppress(PortError):
            if ids and await self._main.read(ids) == opening.text:
                return ids
        return ()

    async def _continued(self, prompt: Prompt, opening: Opening) -> AsyncGenerator[Piece, None]:
        """The main model goes on; if it does not, what was begun is brought to an end all the same."""
        began = False
        try:
            async with closing(_patiently(self._alone(prompt), self._patience)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, str) and not began:
                        began = bool(piece)
                        yield opening.rest() + piece
                    else:
                        yield piece
        except PortError as error:
            if began:
                raise
            log.warning("the main model did not go on: %s", error)
        if not began:
            async with closing(self._finished(prompt, opening)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _finished(self, prompt: Prompt, opening: Opening) -> AsyncGenerator[Piece, None]:
        """The opener stands alone: as it is, where it is a sentence, else to the end of its own."""
        yield opening.rest()
        if not opening.text.endswith(SENTENCE):
            async with closing(self._small.stream(prompt)) as pieces:
                async for piece in pieces:
                    yield piece


async def _patiently(
    answer: AsyncIterator[Piece], within: float, between: float = math.inf
) -> AsyncGenerator[Piece, None]:
    """`answer`; raises TooSlow where its first text does not come `within` so many seconds, or a later piece
    not within `between`, counted from when it is asked for: a reader may take its time."""
    deadline, began = anyio.current_time() + within, False
    async with closing(answer) as pieces:
        while True:
            if began:
                deadline = anyio.current_time() + between
            with anyio.CancelScope(deadline=deadline) as scope:
                piece = await anext(pieces, None)
            if scope.cancelled_caught:
                what, most = ("more", between) if began else ("first word", within)
                raise TooSlow("llm", f"no {what} within {most:g} s")
            if piece is None:
                return
            began = began or bool(isinstance(piece, str) and piece)
            yield piece
