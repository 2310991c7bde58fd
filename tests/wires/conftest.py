"""Shared by the tests of the wires."""

from collections.abc import AsyncIterator

import pytest

from tests.wires.twitch_peer import Peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """The Twitch-like server; who has another peer defines it."""
    async with Peer().running() as peer:
        yield peer
