"""NVIDIA's client against the same server with the other voice: what must hold of both. Kokoro is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
import riva.client
from riva.client.proto.riva_tts_pb2 import SynthesizeSpeechRequest

from tests.need import need_package
from tests.wires import speech_server
from tests.wires.test_riva import CLAUSE, HOSTILE, LONG, pcm, refused

pytestmark = pytest.mark.slow
RATE = 24000
HEART = "Kokoro.af_heart"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    need_package("kokoro_onnx", "uv sync --all-extras --inexact")
    with speech_server.serving("voice=kokoro", model="kokoro", file="model.onnx") as port:
        yield port


@pytest.fixture(scope="module")
def tts(port: int) -> Iterator[Any]:
    auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
    yield riva.client.SpeechSynthesisService(auth)
    auth.channel.close()


def test_it_comes_in_chunks_without_clicks(tts: Any) -> None:
    chunks = [pcm(answer.audio) for answer in tts.synthesize_online(CLAUSE, HEART, sample_rate_hz=RATE)]
    assert len(chunks) > 5 and all(0 < len(chunk) <= RATE // 10 for chunk in chunks)
    whole = np.concatenate(chunks).astype(np.float64) / 32768
    assert 1.0 < len(whole) / RATE < 4.0
    assert 0.1 < np.abs(whole).max() < 0.999
    assert np.abs(whole[:120]).max() < 0.05 and np.abs(whole[-24:]).max() < 0.01
    assert np.flatnonzero(np.abs(whole) > 0.02)[0] < 0.1 * RATE, "starts with silence"


def test_a_cancelled_call_costs_no_more(port: int, tts: Any) -> None:
    """Told by the server's CPU seconds, in what one sentence of the text costs: so on slow machines, too."""
    server = next(p for p in psutil.Process().children() if f"port={port}" in p.cmdline())

    def used() -> float:
        return float(sum(server.cpu_times()[:2]))

    before, sentences = used(), 18
    assert tts.synthesize(LONG[: len(LONG) // 6], HEART).audio
    one = used() - before
    call = tts.stub.SynthesizeOnline(
        iter([SynthesizeSpeechRequest(text=LONG * (sentences // 6), language_code="en-US", voice_name=HEART)])
    )
    assert next(call).audio
    call.cancel()
    cancelled, last, still = used(), -1.0, 0
    while still < 3:  # what is in work may end; the next one is not begun
        time.sleep(0.5)
        still = still + 1 if used() == last else 0
        last = used()
        assert last - cancelled < one * sentences / 3, "it goes on"
    assert tts.synthesize("Yes.", HEART).audio, "and whoever comes next is served"


def test_wrong_requests_get_rivas_words(tts: Any) -> None:
    assert "Voice Piper.joe.bright for language en-US not found" in refused(
        tts, voice_name="Piper.joe.bright"
    )
    assert "for language ru-RU not found" in refused(tts, language_code="ru-RU")
    assert refused(tts, sample_rate_hz=1) == "Invalid sample rate"
    assert "at most 10000" in refused(tts, text="a" * 10_001)
    refused(tts, text="*** ~~~", voice_name=HEART)


def test_markup_is_read_or_dropped_and_never_spoken(tts: Any) -> None:
    def sounds(text: str) -> str:
        return str(tts.synthesize(text, HEART).meta.processed_text)

    plain = sounds("Hello there.")
    assert sounds("<speak>Hello <emphasis level='strong'>there</emphasis>.</speak>") == plain
    assert sounds("<script>alert(1)</script>Hello there.") == plain


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markup_is_survived(tts: Any, text: str) -> None:
    try:
        assert len(tts.synthesize(text, HEART).audio) < 2 * RATE * 15
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
