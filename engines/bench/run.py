"""One run: servers started where they are ours, each part measured; one that fails stops no other."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import anyio
import numpy as np
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines.bench import machine
from engines.bench.asr import AsrBench
from engines.bench.errors import BenchFailed, Lacking
from engines.bench.grpc_wire import channel
from engines.bench.llm import LlmBench
from engines.bench.openai_wire import look
from engines.bench.options import Options
from engines.bench.results import Result
from engines.bench.roofline import roofs
from engines.bench.rows import Row
from engines.bench.sound import Message, from_wav, message
from engines.bench.targets import Target
from engines.bench.texts import MESSAGES, Texts
from engines.bench.tts import TtsBench, say_text
from engines.bench.vision import VisionBench
from engines.process import Spec, running

Say = Callable[[str], None]


class Bench(Protocol):
    """A part's cases against one server. `rows` grows while it runs."""

    rows: list[Row]

    async def run(self, say: Say) -> list[Row]:
        """Every case. Raises BenchFailed, Lacking."""

    def notes(self) -> list[str]:
        """What a reader of the rows should know."""


class Run:
    """Fills a Result. `targets` has a server for each part that is measured, and for the asr's speaker."""

    def __init__(self, options: Options, targets: Mapping[str, Target], result: Result, say: Say) -> None:
        self._options, self._targets, self._result, self._say = options, targets, result, say

    async def parts(self, parts: Sequence[str], engines: Sequence[Spec], logs: Path) -> bool:
        """Measure them, with these engines up meanwhile; whether all went well (what a server does not have
        at all is well). Raises StartFailed."""
        async with running(engines, logs):
            others = machine.Others()
            good = [await self._part(part) for part in parts]
            self._result.others_percent = round(others.share(), 1) if engines else None
        return all(good)

    async def _part(self, part: str) -> bool:
        try:
            if part not in self._targets:
                raise Lacking(f"the config does without; cure: url.{part}=ADDRESS, or {part}=CHOICE")
            await getattr(self, f"_{part}")()
        except Lacking as error:
            self._result.failed[part] = str(error)
        except BenchFailed as error:
            self._result.failed[part] = str(error)
            return False
        return True

    async def _measured(self, part: str, bench: Bench) -> None:
        """What was measured before a failure, or Ctrl-C, is kept."""
        try:
            await bench.run(self._say)
        finally:
            self._result.rows += bench.rows
            self._result.notes[part] = bench.notes()

    async def _llm(self) -> None:
        target = self._targets["llm"]
        headers = {"Authorization": f"Bearer {target.key}"} if target.key else {}
        server = await look(target.address, target.dialect, target.model, target.adapters, headers)
        bench = LlmBench(server, self._options, Texts(time.time_ns()))
        await self._measured("llm", bench)
        if target.paced:
            self._result.notes["llm"].append("no roofline: its pace is another machine's")
            return
        options = dataclasses.replace(self._options, weights=self._options.weights or target.weights)
        asked = (server, options, bench.rows, self._say, target.cpu)
        bounds, why = await anyio.to_thread.run_sync(roofs, *asked)
        self._result.roofline = [
            {**dataclasses.asdict(each), "share": each.share, "line": each.line()} for each in bounds
        ]
        if why:
            self._result.notes["llm"].append(f"no roofline: {why}")

    async def _tts(self) -> None:
        await self._measured("tts", TtsBench(self._targets["tts"].address, self._options))

    async def _asr(self) -> None:
        bench = AsrBench(self._targets["asr"].address, self._options, await self._messages())
        await self._measured("asr", bench)

    async def _messages(self) -> list[Message]:
        """What is said to the ears: a file, or what the voice says of some sentences."""
        if self._options.sound:
            return [await anyio.to_thread.run_sync(from_wav, Path(self._options.sound))]
        address, made = self._targets["tts"].address, []
        async with channel(address) as opened:
            stub = RivaSpeechSynthesisStub(opened)
            for text in MESSAGES:
                try:
                    spoken = await say_text(stub, text, self._options, address)
                except BenchFailed as error:
                    raise BenchFailed(f"no message to send ({error}); cure: sound=FILE.wav") from error
                pcm = np.frombuffer(spoken.pcm[: len(spoken.pcm) // 2 * 2], "<i2")
                made.append(message(pcm, self._options.rate, text))
        return made

    async def _vision(self) -> None:
        target = self._targets["vision"]
        await self._measured("vision", VisionBench(target.address, self._options, target.models))
