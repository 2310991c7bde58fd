"""The next reply, prepared while she is still speaking: prefilling costs time that nobody waits for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

import anyio

from glue.errors import PortError
from glue.events import ChatLine
from glue.member import Member
from glue.ports import Prompt

LOOK_AGAIN = 0.2  # seconds between two looks at what waits


@dataclass(slots=True)
class Ahead:
    """Behind a reply of `member` to `line`. `upcoming()`: what would be answered next; `aside(said)`: what
    begins with this for who overhears it; `recall(line)`: what she remembers at it in time."""

    member: Member
    line: ChatLine
    upcoming: Callable[[], ChatLine | None]
    aside: Callable[[str], Sequence[Prompt]]
    recall: Callable[[ChatLine], Awaitable[Sequence[str]]]
    prepared: bool = False  # what the next reply begins with was prefilled
    line_tokens: int = 0

    def still(self) -> AbstractContextManager[None]:
        """Her last second, in which nothing stands in the way of a reply that follows at once."""
        return self.member.llm.still() if self.upcoming() else nullcontext()

    async def prepare(self, said: str) -> None:
        """Prefill what the next reply begins with, and the line that it would answer now with what she
        remembers at it; for ever, as another line may take its place."""
        llm, mind = self.member.llm, self.member.mind
        ready: tuple[ChatLine, Sequence[str]] | None = None
        with suppress(PortError):  # the next reply then pays for it; this one is whole
            self.line_tokens = await llm.count(f"{self.line.author}: {self.line.text}")
            await llm.warm(mind.prefix(self.line, said))
            self.prepared = True
            for prefix in self.aside(said):
                await llm.warm(prefix)
            while True:
                if likely := self.upcoming():
                    known = await self.recall(likely)
                    if (likely, known) != ready:
                        await llm.warm(mind.prefix(self.line, said, likely, known))
                        ready = likely, known
                await anyio.sleep(LOOK_AGAIN)
