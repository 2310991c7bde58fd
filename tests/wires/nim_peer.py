"""A Riva servicer that is as strict as a speech NIM: voices with emotions, refusals, sound that is cut short.

Sources: NVIDIA's TTS NIM documents and release notes (voice names, SSML, partial audio on a Spark), the
proto's comments, and what NeMo-Speech.cpp's server refuses. The sound is a tone, as long as the text takes.
`python -m tests.wires.nim_peer PORT` is one in a process of its own, whose voices are there when asked twice.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
from riva.client.proto import riva_tts_pb2, riva_tts_pb2_grpc
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest, SynthesizeSpeechResponse

Answers = AsyncIterator[SynthesizeSpeechResponse]
MODEL = "Magpie-Multilingual"
SUBVOICES = ("EN-US.Aria", "EN-US.Aria.Happy", "EN-US.Aria.Sad", "EN-US.Sofia", "DE-DE.Jason")
LETTERS = 14.0  # a second
RATES = (8000, 16000, 22050, 24000, 44100, 48000)
CHUNK = 4096  # samples


class Nim(riva_tts_pb2_grpc.RivaSpeechSynthesisServicer):  # type: ignore[misc]  # generated, untyped
    """`refuses`: names of the optional fields that it will not take; `partial`: texts that are cut short so
    many times; `silent`: it has no config call; `hidden`: voices that it lists and cannot load; `loading`: so
    many config calls are answered before it lists any; `cut`: texts of which it once gives only this share of
    the sound; `letters`: how many it says a second."""

    def __init__(
        self,
        refuses: Collection[str] = (),
        partial: dict[str, int] | None = None,
        silent: bool = False,
        hidden: Collection[str] = (),
        loading: int = 0,
        cut: dict[str, float] | None = None,
        letters: float = LETTERS,
    ) -> None:
        self._refuses, self._partial = refuses, Counter(partial or {})
        self._silent, self._hidden, self._loading = silent, hidden, loading
        self.cut, self._letters = dict(cut or {}), letters
        self.asked: list[SynthesizeSpeechRequest] = []
        self.configs = 0

    async def GetRivaSynthesisConfig(self, request: Any, context: Any) -> Any:
        self.configs += 1
        if self._silent:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        if self.configs <= self._loading:
            return riva_tts_pb2.RivaSynthesisConfigResponse()
        listed = ",".join(f"{name}:{number}" for number, name in enumerate(SUBVOICES))
        parameters = {"language_code": "en-US,de-DE", "voice_name": MODEL, "subvoices": listed}
        config = riva_tts_pb2.RivaSynthesisConfigResponse.Config(model_name=MODEL, parameters=parameters)
        return riva_tts_pb2.RivaSynthesisConfigResponse(model_config=[config])

    async def SynthesizeOnline(
        self, requests: AsyncIterator[SynthesizeSpeechRequest], context: Any
    ) -> Answers:
        async for request in requests:
            self.asked.append(request)
            code, why = self._wrong(request)
            if why:
                await context.abort(code, why)
            sound = self._sound(request)
            for at in range(0, len(sound), CHUNK):
                yield SynthesizeSpeechResponse(audio=sound[at : at + CHUNK].tobytes())

    def _wrong(self, request: SynthesizeSpeechRequest) -> tuple[grpc.StatusCode, str]:
        name = request.voice_name
        bad = grpc.StatusCode.INVALID_ARGUMENT
        if name.removeprefix(f"{MODEL}.") not in SUBVOICES or name in self._hidden:
            said = (
                f"Voice {name} for language {request.language_code} not found. Please specify the voice name"
            )
            return bad, f"Error: Model is not available on server: {said} in your SynthesizeSpeechRequest."
        if request.sample_rate_hz not in RATES:
            return bad, "Invalid sample rate"
        if set(request.text) & set("*{}<"):
            return bad, "Error: invalid SSML"
        for field in self._refuses:
            if getattr(request, field):
                return grpc.StatusCode.UNIMPLEMENTED, f"{field} is not supported by this model"
        return bad, ""

    def _sound(self, request: SynthesizeSpeechRequest) -> Any:
        letters = sum(map(str.isalnum, request.text))
        seconds = max(0.35, letters / self._letters) * self.cut.pop(request.text, 1)
        if self._partial[request.text] > 0:
            self._partial[request.text] -= 1
            seconds = 0.09
        return (8000 * np.sin(np.arange(int(seconds * request.sample_rate_hz)) / 9)).astype("<i2")


@asynccontextmanager
async def serving(nim: Nim, port: int = 0) -> AsyncIterator[str]:
    """The servicer on a port, or one of its own; yields its address."""
    server = grpc.aio.server()
    riva_tts_pb2_grpc.add_RivaSpeechSynthesisServicer_to_server(nim, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


async def _alone(port: int) -> None:
    async with serving(Nim(loading=1), port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_alone(int(sys.argv[1])))
