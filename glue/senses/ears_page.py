"""WORLD -> EVENTS: the console page's microphone; the browser takes her own voice out of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from glue.desk_ports import Microphones
from glue.events import Event
from glue.ports import Asr
from glue.senses.clean import name as clean_name
from glue.senses.hearing import hear, steady


class PageEars:
    """A Sense over the pages' microphones."""

    def __init__(self, asr: Asr, microphones: Microphones, name: str = "operator") -> None:
        """`name`: who speaks."""
        self._asr, self._microphones, self._author = asr, microphones, clean_name(name)

    async def __aenter__(self) -> Self:
        self._microphones.wanted = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._microphones.wanted = False

    def events(self) -> AsyncIterator[Event]:
        """The Sense port."""
        return hear(self._asr, lambda: steady(self._microphones.heard), self._author, "page")
