"""Our ears' adapter against our recognition server, and the console page's microphone in a real browser."""

from __future__ import annotations

import asyncio
import signal
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

from engines.port import unused
from glue.closing import closing
from glue.errors import Unreachable
from glue.events import Event, LineArrived, PartDegraded, PartRecovered, SpeechHeard
from glue.ports import Pcm
from glue.senses.ears_wav import WavEars
from glue.senses.riva_asr import RivaAsr
from tests.wires import speech_server
from tests.wires.listening import ALIKE, LINE, RATE, likeness

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def wav(said: dict[str, NDArray[np.int16]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ears") / "line.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.concatenate([np.zeros(RATE // 2, np.int16), said[LINE]]).tobytes())
    return path


async def test_a_file_is_heard_in_real_time(ears: int, wav: Path) -> None:
    async with RivaAsr(f"127.0.0.1:{ears}") as asr, WavEars(asr, str(wav), "mika") as sense:
        events = [event async for event in sense.events()]
    arrived = [e.line for e in events if isinstance(e, LineArrived)]
    assert likeness(" ".join(line.text for line in arrived), LINE) > ALIKE  # a pause may make two lines of it
    assert {line.author for line in arrived} == {"mika"}
    assert any(isinstance(e, SpeechHeard) for e in events)


async def test_ears_that_die_are_found_again(wav: Path) -> None:
    speech_server.need("whisper-tiny.en", "model.bin")
    port = unused()
    events: list[Event] = []
    server = speech_server.start(port, engine="asr")
    speech_server.await_ready(port)
    try:
        async with RivaAsr(f"127.0.0.1:{port}") as asr, WavEars(asr, str(wav), loop=True) as sense:
            async with asyncio.timeout(100):
                async for event in sense.events():
                    events.append(event)
                    if isinstance(event, SpeechHeard) and not any(
                        isinstance(e, PartDegraded) for e in events
                    ):
                        server.send_signal(signal.SIGKILL)
                        server.communicate()
                        server = speech_server.start(port, engine="asr")
                    if isinstance(event, LineArrived) and any(isinstance(e, PartRecovered) for e in events):
                        break
    finally:
        server.kill()
        server.communicate()
    kinds = [type(e) for e in events]
    assert kinds.count(PartDegraded) == 1 and kinds.index(PartDegraded) < kinds.index(PartRecovered)


class Room:
    """A microphone in a silent room, and whether somebody listens to it."""

    def __init__(self) -> None:
        self.opened, self.closed = anyio.Event(), anyio.Event()

    async def sound(self) -> AsyncIterator[Pcm]:
        self.opened.set()
        try:
            while True:
                yield np.zeros(320, np.int16)
                await anyio.sleep(0.02)
        finally:
            self.closed.set()


async def listen(port: int, room: Room) -> None:
    async with RivaAsr(f"127.0.0.1:{port}") as asr, closing(asr.listen(room.sound())) as heard:
        async for _ in heard:
            pass


async def test_nobody_there_is_said() -> None:
    with pytest.raises(Unreachable), anyio.fail_after(60):
        await listen(unused(), Room())


async def test_a_stream_that_is_closed_stops_the_microphone(ears: int) -> None:
    room = Room()
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tg:
            tg.start_soon(listen, ears, room)
            await room.opened.wait()
            assert not room.closed.is_set()
            tg.cancel_scope.cancel()
        await room.closed.wait()


async def test_a_wrong_file_is_one_clear_line(tmp_path: Path) -> None:
    from glue.errors import ConfigError

    nothing: Any = None
    for content in (b"", b"RIFF nonsense", None):
        path = tmp_path / "x.wav"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"ears\.wav\.file"):
            await WavEars(nothing, str(path)).__aenter__()
