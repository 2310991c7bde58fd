"""How soon and how fast the speech server speaks: `python -m engines.speech.bench voice=piper rounds=20`.

Its rows: the clause over the wire (a server process, a persistent channel), and the same clause from the same
model in a bare loop, in turns, so that a busy machine is as unfair to both. Milliseconds.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import platform
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import anyio
import grpc
import numpy as np
from onnxruntime.capi.onnxruntime_pybind11_state import Fail
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest
from riva.client.proto.riva_tts_pb2_grpc import RivaSpeechSynthesisStub

from engines import port
from engines.options import read, words
from engines.own_channel import OWN
from engines.process import Spec, running
from engines.speech import text
from engines.speech.options import Options, Voice
from engines.speech.probe import ready
from engines.speech.server import load
from engines.speech.sound import Stop
from engines.speech.sound import Voice as Model

CLAUSES = (
    "Hey chat!",
    "Oh, that's a good one,",
    "No, I did not see that.",
    "Why are you like this?",
    "I think you are all just jealous of my hair.",
    "Tonight we are going to play a game that I have never finished, and I am very scared of it.",
)
RATE = 24_000
CANCEL_AFTER = (0.002, 0.01, 0.02, 0.05)  # seconds into a long sentence: in the encoder, in the decoder


@dataclass(frozen=True)
class Bench:
    """The server's options that matter here, and how often each clause is spoken."""

    voice: Voice = Voice.piper
    style: str = ""  # empty: the voice's first
    threads: int = 1
    rounds: int = 10


class Table:
    """Milliseconds by row and clause length."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, row: str, seconds: float) -> None:
        """One measurement."""
        self._rows[row].append(seconds * 1000)

    def median(self, row: str) -> float:
        """Of one row, ms."""
        return float(np.median(self._rows[row]))

    def lines(self) -> list[str]:
        """Ready to be read."""
        head = f"{'':34}{'n':>5}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}"
        shown = [head]
        for row, values in self._rows.items():
            marks = "".join(f"{np.percentile(values, q):8.1f}" for q in (50, 95, 99, 100))
            shown.append(f"{row:34}{len(values):5}{marks}")
        return shown


async def over_wire(stub: RivaSpeechSynthesisStub, name: str, clause: str) -> tuple[float, float, float]:
    """Seconds to the first chunk, to the last, and of sound."""
    request = SynthesizeSpeechRequest(
        text=clause, language_code="en-US", sample_rate_hz=RATE, voice_name=name
    )
    begun, first, size = time.perf_counter(), 0.0, 0
    call = stub.SynthesizeOnline()
    await call.write(request)
    await call.done_writing()
    async for answer in call:
        first = first or time.perf_counter() - begun
        size += len(answer.audio)
    return first, time.perf_counter() - begun, size / 2 / RATE


def bare(model: Model, style: str, clause: str) -> tuple[float, float]:
    """Seconds to the first block and to the last, without server, resampling and word times."""
    begun, first = time.perf_counter(), 0.0
    for piece in text.pieces(text.read(clause, {})):
        for _ in model.speak(piece, style, False, Stop()):
            first = first or time.perf_counter() - begun
    return first, time.perf_counter() - begun


def cancelled(model: Model, style: str, after: float) -> float:
    """Seconds from the cancel to the end of the inference."""
    stop, ended = Stop(), 0.0

    def speak() -> None:
        nonlocal ended
        try:
            for _ in model.speak(
                [text.Word(word) for word in " ".join(CLAUSES[-2:]).split()], style, False, stop
            ):
                pass
        except Fail:
            ended = time.perf_counter()

    thread = threading.Thread(target=speak)
    thread.start()
    time.sleep(after)
    begun = time.perf_counter()
    stop.pull()
    thread.join()
    return max(0.0, ended - begun)


async def measure(bench: Bench, options: Options, table: Table) -> float:
    """Fill the table; the real-time factor over the wire."""
    model = load(options)
    style = bench.style or model.styles[0]
    sound = busy = 0.0
    async with grpc.aio.insecure_channel(f"{options.host}:{options.port}", options=OWN) as channel:
        stub = RivaSpeechSynthesisStub(channel)
        for _ in range(bench.rounds):
            for clause in CLAUSES:
                size = "short" if len(clause.split()) <= 6 else "long"
                first, last, seconds = await over_wire(stub, f"{model.name}.{style}", clause)
                sound, busy = sound + seconds, busy + last
                table.add(f"{size} clause, wire, first chunk", first)
                table.add(f"{size} clause, wire, whole", last)
                first, last = await anyio.to_thread.run_sync(bare, model, style, clause)
                table.add(f"{size} clause, bare, first block", first)
                table.add(f"{size} clause, bare, whole", last)
            for after in CANCEL_AFTER:
                table.add("cancel to idle", await anyio.to_thread.run_sync(cancelled, model, style, after))
    return busy / sound


async def run(bench: Bench) -> None:
    """Start a server, measure, report."""
    options = Options(port=port.instead("127.0.0.1", Options.port), voice=bench.voice, threads=bench.threads)
    values = {**dataclasses.asdict(options), "voice": bench.voice.value}
    argv = (sys.executable, "-m", "engines.speech", *words({k: v for k, v in values.items() if v != ""}))
    address = f"{options.host}:{options.port}"
    spec = Spec("speech", argv, address, options.host, options.port, functools.partial(ready, options))
    table = Table()
    with tempfile.TemporaryDirectory() as logs:
        async with running([spec], Path(logs)):
            factor = await measure(bench, options, table)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    said = [f"{machine}; {bench.voice.value}, {bench.threads} threads, {bench.rounds} rounds", *table.lines()]
    for size in ("short", "long"):
        ratio = table.median(f"{size} clause, wire, first chunk") / table.median(
            f"{size} clause, bare, first block"
        )
        said.append(f"{size} clause: first chunk {ratio:.2f} x the bare loop's (p50)")
    said.append(f"real-time factor over the wire {factor:.3f}")
    sys.stdout.write("\n".join(said) + "\n")


if __name__ == "__main__":
    anyio.run(run, read(Bench))
