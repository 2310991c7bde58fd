"""One answer's place on the paced machine: its turn to be prefilled, then its part of the decoding."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from engines.pace.budget import Budget
from engines.pace.ledger import Kept
from engines.pace.options import Pace
from engines.pace.schedule import Schedule


class Model:
    """A model of the machine: prompts are prefilled one after the other, answers decoded as a batch."""

    def __init__(self, name: str, pace: Pace, budget: Budget) -> None:
        self.name, self.pace, self.budget = name, pace, budget
        self.prefill = asyncio.Lock()


class Seat:
    """`async with Seat(model) as seat`: prompt() once, then token() before each token is sent."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._works_as = ""
        self._begun, self._before, self._schedule = 0.0, 0.0, Schedule(model.pace, 0.0, 0)
        self.kept = Kept(model.name)

    async def __aenter__(self) -> Self:
        asked = self._model.budget.now()
        await self._model.prefill.acquire()
        self._begun = self._model.budget.now()
        self.kept.waited = self._begun - asked
        self._work_as(f"{self._model.name} prefill")
        self._before = self._model.budget.work()
        self._schedule = Schedule(self._model.pace, self._before, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kept.cut = kind is not None
        if self._prefilling:
            self._model.prefill.release()
        if self.kept.cut and self._model.pace.linger_ms:  # the real server works on until it notices
            later = self._model.pace.linger_ms / 1000
            asyncio.get_running_loop().call_later(later, self._model.budget.leave, self._works_as)
        else:
            self._model.budget.leave(self._works_as)

    @property
    def _prefilling(self) -> bool:
        return self._works_as != self._model.name

    def _work_as(self, name: str) -> None:
        self._model.budget.enter(name)
        if self._works_as:
            self._model.budget.leave(self._works_as)
        self._works_as = name

    def prompt(self, new: int) -> None:
        """It is known how many tokens have to be prefilled."""
        self._schedule.prompt(new)
        self.kept.new = new

    async def token(self) -> None:
        """Wait until the token at hand, which is there now, may leave."""
        there, due = self._model.budget.work(), self._schedule.due()
        await self._model.budget.until(due)
        self._schedule.sent(there)
        work = self._model.budget.work() - self._before
        self.kept.token(self._model.pace, self._model.budget.now() - self._begun, work, there - due)
        if self._prefilling:
            self._work_as(self._model.name)
            self._model.prefill.release()
