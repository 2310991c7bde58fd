"""How well and how fast the ears hear: `python -m engines.asr.bench [model=whisper-base] [delay=false]`.
About ten minutes with the small model, twenty with the better one.

Twelve sentences, clean, in noise and over music; word error rate by voice and loudness, and the seconds
from the end of speech to the final transcript, on sound that comes in real time. The voices are ours and
espeak-ng's own; all of it goes over Riva's wire, with NVIDIA's client. Its floor is what the settings say:
`stop_ms` of silence, and the detector's last window.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import numpy as np
import riva.client
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table
from riva.client.proto import riva_asr_pb2, riva_asr_pb2_grpc

from engines.asr.backdrop import Sound, mixed, music, noise
from engines.asr.detector import RATE
from engines.asr.espeak import Espeak
from engines.asr.options import Options
from engines.options import read
from engines.own_channel import OWN
from engines.port import instead

VOICES = {
    "piper": ("Piper.joe.natural", "Piper.joe.bright", "Piper.joe.dark"),
    "kokoro": ("Kokoro.af_heart", "Kokoro.am_michael", "Kokoro.bf_emma", "Kokoro.bm_george"),
}
RULES = ("en-us", "en-us+f3", "en-gb-scotland")  # espeak-ng's
LINES = (
    "The train to the mountains leaves at seven, so bring your coat and a sandwich.",
    "Do you like thunderstorms?",
    "Hello Spark, what do you think about the weather today?",
    "I think you should play the piano for us tomorrow evening.",
    "Wait, stop, that is not what I meant.",
    "My cat knocked over a glass of water and looked very proud of it.",
    "Can you tell me a joke about computers?",
    "Well, I am not sure, but maybe we could try the other door.",
    "Last night I dreamed of a city under the sea.",
    "Please read the next message from chat.",
    "What is your favorite food?",
    "That was the worst pun I have ever heard.",
)
CLEAN = 60.0  # dB that the voice is louder than what is behind it
LOUDNESS = (20.0, 10.0, 5.0)
BEHIND = (noise, music)
CHUNK = RATE // 50
READY_WITHIN = 120.0  # seconds


@dataclass(frozen=True)
class Bench:
    """Which model hears, and whether it is also timed, on sound that comes in real time."""

    model: str = Options.model
    delay: bool = True


@contextmanager
def served(module: str, *options: str) -> Iterator[str]:
    """An engine of ours as a process; yields its address."""
    port = instead("127.0.0.1", 18024)
    process = subprocess.Popen(
        [sys.executable, "-m", module, f"port={port}", *options], stderr=subprocess.DEVNULL
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=OWN) as channel:
            grpc.channel_ready_future(channel).result(timeout=READY_WITHIN)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def trimmed(pcm: NDArray[np.int16]) -> Sound:
    """Samples without the silence around them."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 330)
    return pcm[loud[0] : loud[-1]].astype(np.float32) / np.float32(32768)


def spoken() -> Iterator[tuple[str, str, Sound]]:
    """Every line in every voice: (voice, line, samples)."""
    for engine, voices in VOICES.items():
        with served("engines.speech", f"voice={engine}") as address:
            auth = riva.client.Auth(uri=address)
            tts = riva.client.SpeechSynthesisService(auth)
            for voice in voices:
                for line in LINES:
                    pcm = np.frombuffer(tts.synthesize(line, voice, sample_rate_hz=RATE).audio, "<i2")
                    yield voice, line, trimmed(pcm)
            auth.channel.close()
    espeak = Espeak()
    for voice in RULES:
        for line in LINES:
            yield f"espeak-ng {voice}", line, trimmed(espeak.say(voice, line))


def errors(meant: str, heard: str) -> tuple[int, int]:
    """Words wrong, missing or too many (Levenshtein), and words meant."""
    a, b = (re.findall(r"[a-z']+", t.lower().replace("7", "seven")) for t in (meant, heard))
    row = np.arange(len(b) + 1)
    for i, word in enumerate(a, 1):
        before, row[0] = row.copy(), i
        for j, other in enumerate(b, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other))
    return int(row[-1]), len(a)


def config() -> riva_asr_pb2.RecognitionConfig:
    """What is asked of every recognition."""
    return riva_asr_pb2.RecognitionConfig(
        encoding=1, sample_rate_hertz=RATE, language_code="en-US", enable_automatic_punctuation=True
    )


def delay(stub: riva_asr_pb2_grpc.RivaSpeechRecognitionStub, data: bytes, ends: float) -> float | None:
    """Seconds from `ends` of the sound to its last final; None where there was none."""
    begun = time.monotonic()

    def requests() -> Iterator[riva_asr_pb2.StreamingRecognizeRequest]:
        asked = riva_asr_pb2.StreamingRecognitionConfig(config=config(), interim_results=True)
        yield riva_asr_pb2.StreamingRecognizeRequest(streaming_config=asked)
        for at in range(0, len(data), 2 * CHUNK):
            time.sleep(max(0.0, begun + (at / 2 + CHUNK) / RATE - time.monotonic()))
            yield riva_asr_pb2.StreamingRecognizeRequest(audio_content=data[at : at + 2 * CHUNK])

    found = None
    for answer in stub.StreamingRecognize(requests()):
        if any(r.is_final and r.alternatives[0].transcript for r in answer.results):
            found = time.monotonic() - begun - ends
    return found


def main() -> None:
    """Measure and print."""
    options, console = read(Bench), Console()
    said = list(spoken())
    levels = [(noise, CLEAN), *((behind, louder) for behind in BEHIND for louder in LOUDNESS)]
    names = ["clean", *(f"{behind.__name__} {louder:.0f} dB" for behind, louder in levels[1:])]
    table = Table(Column("voice", no_wrap=True), *names, title=f"word error rate, {options.model}")
    with (
        served("engines.asr", f"model={options.model}") as address,
        grpc.insecure_channel(address, options=OWN) as channel,
    ):
        stub = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(channel)
        for voice in dict.fromkeys(voice for voice, _, _ in said):
            rates = [rate(stub, [s for s in said if s[0] == voice], *level) for level in levels]
            table.add_row(voice, *(f"{found:.3f}" for found in rates))
        console.print(table)
        if not options.delay:
            return
        ms = []
        for _, _, sound in said[::4]:
            late = delay(stub, mixed(sound, noise, CLEAN, 1.6), 1 / 3 + len(sound) / RATE)
            ms += [1000 * late] if late is not None else []
    p50, p95 = np.percentile(ms, [50, 95])
    console.print(
        f"end of speech to final: p50 {p50:.0f}, p95 {p95:.0f} ms (n {len(ms)}; floor {Options.stop_ms})"
    )


def rate(
    stub: riva_asr_pb2_grpc.RivaSpeechRecognitionStub,
    said: list[tuple[str, str, Sound]],
    behind: Callable[[int], Sound],
    louder: float,
) -> float:
    """The word error rate of (voice, line, samples) with something behind them, `louder` dB below."""
    wrong = total = 0
    for _, line, sound in said:
        request = riva_asr_pb2.RecognizeRequest(config=config(), audio=mixed(sound, behind, louder, 0.5))
        heard = "".join(r.alternatives[0].transcript for r in stub.Recognize(request).results)
        mistakes, words = errors(line, heard)
        wrong, total = wrong + mistakes, total + words
    return wrong / total


if __name__ == "__main__":
    main()
