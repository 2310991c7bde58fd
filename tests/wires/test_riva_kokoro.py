"""NVIDIA's client against the same server with the other voice: what must hold of both. Kokoro is slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import riva.client

from tests.need import need_package
from tests.wires import speech_server
from tests.wires.test_riva import CLAUSE, HOSTILE, costs_no_more_when_cancelled, pcm, refused
from tests.wires.test_riva_heard import LINES, listener, understood

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
    costs_no_more_when_cancelled(port, tts, HEART)


def test_it_is_understood_and_timed(tts: Any) -> None:
    assert understood(listener(), tts, HEART) >= 0.85
    whole = tts.synthesize(LINES[0], "Kokoro.bf_emma", sample_rate_hz=RATE, enable_word_time_offsets=True)
    assert sum(whole.meta.predicted_durations) == pytest.approx(len(whole.audio) / 2 / RATE, abs=0.002)
    assert [word.word for word in whole.meta.words] == LINES[0].split()


def test_wrong_requests_get_rivas_words(tts: Any) -> None:
    assert "Voice Piper.joe.bright for language en-US not found" in refused(
        tts, voice_name="Piper.joe.bright"
    )
    assert "for language ru-RU not found" in refused(tts, language_code="ru-RU")
    assert refused(tts, sample_rate_hz=1) == "Invalid sample rate"
    assert "at most 10000" in refused(tts, text="a" * 10_001)
    refused(tts, text="*** ~~~", voice_name=HEART)


@pytest.mark.parametrize("text", HOSTILE[3:6])  # given sounds: the rest is read alike for both
def test_hostile_markup_is_survived(tts: Any, text: str) -> None:
    try:
        assert len(tts.synthesize(text, HEART).audio) < 2 * RATE * 15
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
