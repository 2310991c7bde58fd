"""Shared by the tests of the wires: the servers that several modules talk to, started once for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.wires import speech_server
from tests.wires.twitch_peer import Peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """The Twitch-like server; who has another peer defines it."""
    async with Peer().running() as peer:
        yield peer


@pytest.fixture(scope="session")
def piper() -> Iterator[int]:
    """Our voice's port."""
    with speech_server.serving() as port:
        yield port


@pytest.fixture(scope="session")
def ears() -> Iterator[int]:
    """Our recognition server's port."""
    with speech_server.serving(model="whisper-tiny.en", file="model.bin", engine="asr") as port:
        yield port
