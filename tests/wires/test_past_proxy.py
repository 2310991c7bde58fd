"""A proxy of the environment is for the internet: no neighbour is asked through it, not even one that is not
there. gRPC would, also for 127.0.0.1, and then no engine is ever ready behind a company's proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast

import anyio
import grpc
import numpy as np
import pytest
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines.asr.options import Options as AsrOptions
from engines.asr.probe import ready as asr_ready
from engines.bench.grpc_wire import channel
from engines.checkup import wires
from engines.keeper import NotReady
from engines.port import unused
from engines.speech.options import Options as SpeechOptions
from engines.speech.probe import ready as speech_ready
from engines.vision.options import Options as VisionOptions
from engines.vision.probe import ready as vision_ready
from glue.closing import closing
from glue.errors import PortError
from glue.floor import Floor, Recorder
from glue.memory.index import Index
from glue.ports import Llm, Pcm
from glue.senses.hearing import QUIET, steady
from glue.senses.riva_asr import RivaAsr
from glue.senses.triton_vision import TritonVision
from glue.voice.riva_tts import RivaTts
from tests.need import need_package

pytestmark = pytest.mark.anyio
NAMES = ("grpc_proxy", "https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
EXCEPTIONS = ("no_grpc_proxy", "no_proxy", "NO_PROXY")


@pytest.fixture
async def proxied(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What the environment's proxy is asked for."""
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readline()).decode().strip())
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    for name in NAMES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    for name in EXCEPTIONS:
        monkeypatch.delenv(name, raising=False)
    yield asked
    server.close()


async def voice(port: int) -> None:
    async with RivaTts(f"127.0.0.1:{port}", 24000, first_chunk_s=1.0) as tts:
        async with closing(tts.speak("Hello there.", "Any")) as chunks:
            async for _ in chunks:
                pass


async def silence() -> Pcm:
    await anyio.sleep_forever()
    return QUIET


async def ears(port: int) -> None:
    async with RivaAsr(f"127.0.0.1:{port}") as asr, closing(asr.listen(steady(silence))) as heard:
        async for _ in heard:
            pass


async def eyes(port: int) -> None:
    async with TritonVision(f"127.0.0.1:{port}", timeout_s=1.0) as vision:
        await vision.judge(np.zeros((8, 8, 3), np.uint8))


async def floor(port: int) -> None:
    asked = Recorder(cast(Llm, None))
    async with Floor(asked, {}, "", f"127.0.0.1:{port}", 24000, lambda _: ("", {})) as bare:
        with suppress(grpc.aio.AioRpcError):
            await bare._tts.GetRivaSynthesisConfig(RivaSynthesisConfigRequest(), timeout=1.0)


async def bench(port: int) -> None:
    async with channel(f"127.0.0.1:{port}") as opened:
        with suppress(grpc.aio.AioRpcError):
            ask = RivaSpeechSynthesisStub(opened).GetRivaSynthesisConfig
            await ask(RivaSynthesisConfigRequest(), timeout=1.0)


async def memory(port: int) -> None:
    need_package("pymilvus", "uv sync --all-extras --inexact")
    await Index(f"http://127.0.0.1:{port}", "", "memory", 384, 1.0).open()


async def searches(port: int) -> None:
    need_package("pymilvus", "uv sync --all-extras --inexact")
    from glue.memory.wanted import Wanted

    index = Index(f"http://127.0.0.1:{port}", "", "memory", 384, 1.0)
    await index.search("hello", np.zeros((1, 384), np.float32), Wanted(frozenset({"main"})), 2)


WAYS: dict[str, Callable[[int], Awaitable[object]]] = {
    "speech's probe": lambda port: speech_ready(SpeechOptions(port=port)),
    "asr's probe": lambda port: asr_ready(AsrOptions(port=port)),
    "vision's probe": lambda port: vision_ready(VisionOptions(port=port)),
    "voice": voice,
    "ears": ears,
    "eyes": eyes,
    "floor": floor,
    "bench": bench,
    "memory": memory,
    "searches": searches,
    "the doctor": lambda port: wires.voices({"address": f"127.0.0.1:{port}"}),
}


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_is_asked_through_a_proxy(way: str, proxied: list[str]) -> None:
    with anyio.fail_after(60), suppress(NotReady, PortError, wires.Nobody, wires.Wrong):
        await WAYS[way](unused())
    assert proxied == []
