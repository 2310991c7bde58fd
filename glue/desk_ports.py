"""What the senses need of the operator's pages; see ports.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from glue.ports import Pcm


@dataclass(frozen=True, slots=True)
class DeskMessage:
    """What an operator's page sent, shape-checked: `kind` is "chat" (author, text), "button" (text),
    "wish" (author: the wish; text: what it is about) or "game" (author: the game; text: the button and what
    it is about)."""

    at: float
    kind: str
    author: str
    text: str


class Microphones(Protocol):
    """The operator's pages' microphones, seen from the senses."""

    wanted: bool  # set where somebody listens; pages then offer theirs

    async def heard(self) -> Pcm:
        """Wait for the next block of what the page that is listened to hears (mono, 16 kHz)."""


class Desk(Protocol):
    """The operator's pages, seen from the senses."""

    def received(self) -> AsyncIterator[DeskMessage]:
        """Yield what pages send, for ever."""
