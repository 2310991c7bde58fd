"""Shared by the tests of the wires: servers that several modules talk to, started once for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
import riva.client
from numpy.typing import NDArray

from engines.port import unused
from engines.specs import spec
from glue.memory.index import Index
from tests.minecraft import Game, joining, playing
from tests.wires import speech_server
from tests.wires.child_engines import serving
from tests.wires.listening import LINE, OPEN, SECOND, STOP, TALE, synthesised
from tests.wires.llm_server import llama
from tests.wires.memory_servers import Servers, servers
from tests.wires.paced import pacing
from tests.wires.twitch_peer import Peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """The Twitch-like server; who has another peer defines it."""
    async with Peer().running() as peer:
        yield peer


@pytest.fixture(scope="session")
def piper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of our voice, which says a text the same way each time."""
    with speech_server.serving(speech_server.steady(tmp_path_factory.mktemp("steady"))) as port:
        yield port


@pytest.fixture(scope="session")
def ears() -> Iterator[int]:
    """Our recognition server's port."""
    with speech_server.serving(model="whisper-tiny.en", file="model.bin", engine="asr") as port:
        yield port


@pytest.fixture(scope="session")
def puppet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The avatar's server, for who leaves her as she was: her look, her place, no expression."""
    made = spec("avatar", {"port": unused(), "state_folder": str(tmp_path_factory.mktemp("puppet"))})
    with serving(made):
        yield made.address


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """llama.cpp with the small model."""
    with llama() as url:
        yield url


@pytest.fixture(scope="session")
def proxy(engine: str) -> Iterator[str]:
    """It, paced."""
    with pacing(engine) as url:
        yield url


@pytest.fixture(scope="session")
def said(piper: int) -> dict[str, NDArray[np.int16]]:
    """Lines spoken by it, without the silence around them."""
    found = {}
    for line in (LINE, SECOND, OPEN, TALE, STOP):
        pcm = synthesised(piper, line)
        loud = np.flatnonzero(np.abs(pcm) > 300)
        found[line] = pcm[loud[0] : loud[-1]]
    return found


@pytest.fixture
def asr(ears: int) -> Iterator[Any]:
    auth = riva.client.Auth(uri=f"127.0.0.1:{ears}")
    yield riva.client.ASRService(auth)
    auth.channel.close()


@pytest.fixture(scope="session")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Milvus Lite and MiniLM."""
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
async def empty(at: Servers) -> Servers:
    """The same, with nothing in the index."""
    index = Index(at.milvus, "", "memory", 384, 10.0)
    await index.again()
    await index.close()
    return at


@pytest.fixture(scope="module")
async def game(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Game]:
    """Our Minecraft body in a world of ours, played through the game wire; it asks soon what to do next."""
    async with playing(tmp_path_factory.mktemp("minecraft"), cook=1.0, idle=1.0) as game:
        yield game


@pytest.fixture(scope="module")
async def mika(game: Game, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Game]:
    """Another player in her world, who sees her."""
    async with joining("Mika", game.port, tmp_path_factory.mktemp("mika")) as mika:
        mika.world = game.world
        await game.until(lambda: any("Players: Mika" in each for each in game.table.standing))
        yield mika
