"""SOUND -> AUDIENCE: one avatar for several of the cast: it is moved by the one who was heard last.

Only one has the floor at a time, and two who pose one model would shake it: the other's poses are let go.
"""

from __future__ import annotations

from collections.abc import Mapping

from glue.errors import Unreachable
from glue.ports import Avatar


class Shared:
    """Gives each performer a seat in the avatar that they share."""

    def __init__(self, avatar: Avatar) -> None:
        self.avatar = avatar
        self.holder: Seat | None = None

    def seat(self) -> Seat:
        """For one of the cast; the first has it until another one speaks."""
        seat = Seat(self)
        self.holder = self.holder or seat
        return seat


class Seat:
    """The Avatar port for one of several."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def pose(self, values: Mapping[str, float]) -> None:
        """The Avatar port."""
        if values.get("MouthOpen", 0.0) > 0:
            self._shared.holder = self
        if self._shared.holder is self:
            self._shared.avatar.pose(values)

    async def express(self, name: str, active: bool) -> None:
        """The Avatar port. Raises Unreachable while another has it: who asks tries again."""
        if active and self._shared.holder is not self:
            raise Unreachable("avatar", "another one is on")
        await self._shared.avatar.express(name, active)
