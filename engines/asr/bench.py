"""How well and how fast the ears hear: `python -m engines.asr.bench [delay=false]`. About five minutes.

Voices of our own say twelve sentences, clean and in noise; word error rate by voice and loudness, and the
seconds from the end of speech to the final transcript, on sound that comes in real time. The voices are made
by engines.speech; all of it over Riva's wire, with NVIDIA's client. Its floor is what the settings say:
`stop_ms` of silence, and the detector's last window.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import numpy as np
import riva.client
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from riva.client.proto import riva_asr_pb2, riva_asr_pb2_grpc

from engines.asr.detector import RATE
from engines.asr.options import Options
from engines.port import instead

Sound = NDArray[np.float32]
VOICES = {
    "piper": ("Piper.joe.natural", "Piper.joe.bright", "Piper.joe.dark"),
    "kokoro": ("Kokoro.af_heart", "Kokoro.am_michael", "Kokoro.bf_emma", "Kokoro.bm_george"),
}
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
NOISES = (None, 20, 10, 5)  # dB that the voice is louder than the noise
CHUNK = RATE // 50
READY_WITHIN = 120.0  # seconds


@contextmanager
def served(module: str, *options: str) -> Iterator[str]:
    """An engine of ours as a process; yields its address."""
    port = instead("127.0.0.1", 18024)
    process = subprocess.Popen(
        [sys.executable, "-m", module, f"port={port}", *options], stderr=subprocess.DEVNULL
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=READY_WITHIN)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def spoken() -> Iterator[tuple[str, str, Sound]]:
    """Every line in every voice: (voice, line, samples), without the silence around them."""
    for engine, voices in VOICES.items():
        with served("engines.speech", f"voice={engine}") as address:
            auth = riva.client.Auth(uri=address)
            tts = riva.client.SpeechSynthesisService(auth)
            for voice in voices:
                for line in LINES:
                    pcm = np.frombuffer(tts.synthesize(line, voice, sample_rate_hz=RATE).audio, "<i2")
                    loud = np.flatnonzero(np.abs(pcm) > 330)
                    yield voice, line, pcm[loud[0] : loud[-1]].astype(np.float32) / np.float32(32768)
            auth.channel.close()


def in_noise(sound: Sound, louder: float | None, after: float) -> bytes:
    """With silence around it, and pink-ish noise `louder` dB below it; as s16le."""
    before, behind = np.zeros(RATE // 3, np.float32), np.zeros(round(after * RATE), np.float32)
    whole = np.concatenate([before, sound, behind])
    noise = np.convolve(np.random.default_rng(7).normal(0, 1, len(whole)), np.ones(8) / 8, "same")
    power = np.sqrt(np.mean(sound**2)) / 10 ** ((60 if louder is None else louder) / 20)
    mixed = np.clip(whole + noise / np.sqrt(np.mean(noise**2)) * power, -1, 1)
    return bytes((mixed * 32767).astype("<i2").tobytes())


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
    console = Console()
    said = list(spoken())
    table = Table("voice", *("clean" if n is None else f"{n} dB" for n in NOISES), title="word error rate")
    with (
        served("engines.asr", f"model={Options.model}") as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(channel)
        for voice in dict.fromkeys(voice for voice, _, _ in said):
            rates = [_rate(stub, [s for s in said if s[0] == voice], louder) for louder in NOISES]
            table.add_row(voice, *(f"{rate:.3f}" for rate in rates))
        console.print(table)
        if "delay=false" in sys.argv[1:]:
            return
        ms = []
        for _, _, sound in said[::4]:
            late = delay(stub, in_noise(sound, None, 1.6), 1 / 3 + len(sound) / RATE)
            ms += [1000 * late] if late is not None else []
    p50, p95 = np.percentile(ms, [50, 95])
    console.print(
        f"end of speech to final: p50 {p50:.0f}, p95 {p95:.0f} ms (n {len(ms)}; floor {Options.stop_ms})"
    )


def _rate(
    stub: riva_asr_pb2_grpc.RivaSpeechRecognitionStub,
    said: list[tuple[str, str, Sound]],
    louder: float | None,
) -> float:
    wrong = total = 0
    for _, line, sound in said:
        request = riva_asr_pb2.RecognizeRequest(config=config(), audio=in_noise(sound, louder, 0.5))
        heard = "".join(r.alternatives[0].transcript for r in stub.Recognize(request).results)
        mistakes, words = errors(line, heard)
        wrong, total = wrong + mistakes, total + words
    return wrong / total


if __name__ == "__main__":
    main()
