"""The floor: what the same reply costs when a bare loop asks the same servers, with nothing around it.

It speaks plain HTTP and plain gRPC on connections of its own, in a slot of its own, whose cache it first
brings into the state that the show's slot was in (untimed). The rest of the program reports its ratio to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import anyio
import grpc
import httpx
import numpy as np
from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest, SynthesizeSpeechResponse
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from glue.closing import closing
from glue.errors import Refused, Unreachable
from glue.measured_events import FloorMeasured
from glue.ports import Llm, Mind, Piece, Prompt, Role
from glue.sse import read

LOUD = 330  # a sample beyond this is content (as glue/stage/track.py has it)
WITHIN = 60.0  # seconds for the whole of a measurement: a slow machine reads a whole prompt before the first
REST = 1.5  # seconds after warming: the show's own line comes to cores that have been idle, too
PART = "floor"
PAST_PROXY = [("grpc.enable_http_proxy", 0)]  # of the environment: it is for the internet


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it went out, and what had been prefilled before it."""

    prompt: Prompt
    warmed: Prompt | None


class Recorder:
    """The Llm port, passed on as it is; remembers each character's last request for the floor."""

    def __init__(self, llm: Llm) -> None:
        self._llm = llm
        self._warmed: dict[str, Prompt] = {}
        self._asked: dict[str, Asked] = {}

    def stream(self, prompt: Prompt, role: Role = Role.SPEECH) -> AsyncIterator[Piece]:
        """The Llm port."""
        if role is Role.SPEECH:
            self._asked[prompt.who] = Asked(prompt, self._warmed.get(prompt.who))
        return self._llm.stream(prompt, role)

    async def warm(self, prompt: Prompt) -> int:
        """The Llm port."""
        self._warmed[prompt.who] = prompt
        return await self._llm.warm(prompt)

    async def settle(self, prompt: Prompt) -> int:
        """The Llm port."""
        self._warmed[prompt.who] = prompt
        return await self._llm.settle(prompt)

    def still(self) -> AbstractContextManager[None]:
        """The Llm port."""
        return self._llm.still()

    async def count(self, text: str) -> int:
        """The Llm port."""
        return await self._llm.count(text)

    def asked(self, who: str) -> Asked | None:
        """The last request for a reply of `who`."""
        return self._asked.get(who)


class Floor:
    """The bare loop. `url`: the LLM's, `address`: the voice's; `minds` give the clause rule and the voice."""

    def __init__(
        self,
        recorder: Recorder,
        minds: Mapping[str, Mind],
        url: str,
        address: str,
        rate: int,
        request: Callable[[Prompt], tuple[str, dict[str, Any]]],
        key: str = "",
    ) -> None:
        """`request`: path and body for a prompt, in the server's dialect, in a slot that nobody else uses;
        `key`: of a server that wants one."""
        self._recorder = recorder
        self._minds = minds
        self._url, self._address = url.rstrip("/"), address
        self._rate = rate
        self._request = request
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open both connections; they are kept."""
        client = httpx.AsyncClient(headers=self._headers, timeout=WITHIN, trust_env=False)
        self._http = await self._stack.enter_async_context(client)
        channel = grpc.aio.insecure_channel(self._address, options=PAST_PROXY)
        self._tts = RivaSpeechSynthesisStub(await self._stack.enter_async_context(channel))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def asked(self, who: str) -> Asked | None:
        """What to hand to measure() for the reply that `who` has just ended."""
        return self._recorder.asked(who)

    async def measure(self, turn: str, who: str, asked: object) -> FloorMeasured:
        """Warm, ask, cut, speak; stops at the first sample that is content. Raises PortError."""
        assert isinstance(asked, Asked)  # the same object that asked() gave
        broken: list[BaseException] = []
        try:
            with anyio.fail_after(WITHIN):
                if asked.warmed is not None:
                    await self._warm(asked.warmed)
                    await anyio.sleep(REST)
                return await self._run(turn, who, asked.prompt)
        except* (httpx.HTTPError, grpc.aio.AioRpcError, ValueError, TimeoutError) as group:
            broken += group.exceptions
        raise Unreachable(PART, ": ".join(filter(None, (type(broken[0]).__name__, str(broken[0])))))

    async def _warm(self, prompt: Prompt) -> None:
        """As the Llm adapter warms: one token long. Not streamed: llama.cpp hangs up after a streamed answer
        without a word, and the request that is timed would find its kept connection dead."""
        path, body = self._request(dataclasses.replace(prompt, max_tokens=1))
        body["stream"] = False
        del body["stream_options"]
        (await self._http.post(f"{self._url}{path}", json=body)).raise_for_status()

    async def _run(self, turn: str, who: str, prompt: Prompt) -> FloorMeasured:
        """The model goes on writing while the first clause is spoken, as it does in the show."""
        mind, counted = self._minds[who], _Counted()
        began = anyio.current_time()
        async with closing(self._pieces(prompt, counted)) as pieces, closing(mind.clauses(pieces)) as clauses:
            clause = await anext(clauses, None)
            if clause is None:
                raise Refused(PART, "the model said nothing")
            cut_at = anyio.current_time()
            chunk_at, audible_at = await self._while_writing(clauses, clause, mind.voice)
        return FloorMeasured(
            anyio.current_time(),
            who,
            turn,
            llm_to_clause=cut_at - began,
            tts_to_chunk=chunk_at - cut_at,
            to_audible=audible_at - began,
            new_tokens=counted.new,
        )

    async def _while_writing(
        self, clauses: AsyncGenerator[str, None], clause: str, voice: str
    ) -> tuple[float, float]:
        """When the first chunk came, and when its first loud sample would leave."""
        async with anyio.create_task_group() as tg:
            tg.start_soon(_exhaust, clauses)
            times = await self._speak(clause, voice)
            tg.cancel_scope.cancel()
        return times

    async def _speak(self, clause: str, voice: str) -> tuple[float, float]:
        call = self._tts.SynthesizeOnline()
        try:
            await call.write(self._utterance(clause, voice))
            await call.done_writing()
            first, before = 0.0, 0
            while isinstance(answer := await call.read(), SynthesizeSpeechResponse):  # else grpc.aio.EOF
                now = anyio.current_time()
                pcm = np.frombuffer(answer.audio[: len(answer.audio) // 2 * 2], "<i2")
                if pcm.size:
                    first = first or now
                    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > LOUD)
                    if loud.size:  # played from the first chunk on without a break, or as it comes
                        return first, max(now, first + before / self._rate) + int(loud[0]) / self._rate
                    before += pcm.size
        finally:
            call.cancel()
        raise Refused(PART, "the voice gave no sound")

    def _utterance(self, clause: str, voice: str) -> SynthesizeSpeechRequest:
        return SynthesizeSpeechRequest(
            text=clause,
            voice_name=voice,
            language_code="en-US",
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hz=self._rate,
            enable_word_time_offsets=True,
        )

    async def _pieces(self, prompt: Prompt, counted: _Counted) -> AsyncGenerator[str, None]:
        path, body = self._request(prompt)
        async with self._http.stream("POST", f"{self._url}{path}", json=body) as answer:
            answer.raise_for_status()
            async for row in answer.aiter_lines():
                if (chunk := read(row)) is None:
                    continue
                if chunk.progress is not None:
                    total, cached = chunk.progress
                    counted.new = total - cached
                if chunk.text:
                    yield chunk.text


@dataclass(slots=True)
class _Counted:
    """Prompt tokens that the server had to evaluate, as llama.cpp reports its progress; else 0."""

    new: int = 0


async def _exhaust(clauses: AsyncGenerator[str, None]) -> None:
    async for _ in clauses:
        pass
