"""The ears on the Riva wire, asked by NVIDIA's own client; a voice of ours speaks to them."""

from __future__ import annotations

import io
import threading
import time
import wave
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import riva.client
from numpy.typing import NDArray
from riva.client.proto import health_pb2, health_pb2_grpc, riva_asr_pb2, riva_asr_pb2_grpc

from engines.port import unused
from tests.wires import speech_server
from tests.wires.listening import ALIKE, LINE, OPEN, RATE, SECOND, config, likeness, quiet, streamed

WITHIN = 90.0  # seconds for what is over at once, or when its sound is, on a machine that does much else


def test_a_stream_has_interims_and_a_final_after_each_utterance(asr: Any, said: Any) -> None:
    sound = np.concatenate([quiet(0.5), said[LINE], quiet(1.5), said[SECOND], quiet(1.5)])
    results = streamed(asr, sound)
    finals = [r for r in results if r.is_final and r.alternatives[0].transcript]
    assert len(finals) == 2
    assert likeness(finals[0].alternatives[0].transcript, LINE) > ALIKE
    assert likeness(finals[1].alternatives[0].transcript, SECOND) > ALIKE
    assert finals[1].alternatives[0].transcript.startswith(" "), "Riva's way after the first"
    assert all(f.alternatives[0].confidence > 0.5 for f in finals)
    interims = [r for r in results if not r.is_final]
    assert interims and all(r.alternatives[0].confidence == 0 for r in interims)
    assert sum(len(r.pipeline_states.vad_probabilities) for r in results) > 0.9 * len(sound) / 512
    assert finals[0].audio_processed < finals[1].audio_processed <= len(sound) / RATE
    assert results[-1].is_final, "a final at half-close, always"


def test_words_come_with_their_times(asr: Any, said: Any) -> None:
    sound = np.concatenate([quiet(1.0), said[LINE], quiet(0.4)])
    results = streamed(asr, sound, enable_word_time_offsets=True)
    final = next(r for r in results if r.is_final).alternatives[0]
    assert " ".join(word.word for word in final.words) == final.transcript.strip()
    starts = [word.start_time for word in final.words]
    assert starts == sorted(starts) and all(w.start_time <= w.end_time for w in final.words)
    assert 800 <= starts[0] <= 1300 and final.words[-1].end_time <= 1000 * len(sound) / RATE
    length = 1000 * len(said[LINE]) / RATE
    assert 0.7 * length < final.words[-1].end_time - starts[0] < 1.1 * length


def test_a_whole_file_with_its_header_and_nothing_said_about_it(asr: Any, said: Any) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(said[LINE].tobytes())
    bare = riva.client.RecognitionConfig(enable_automatic_punctuation=True)
    offline = asr.offline_recognize(file.getvalue(), bare)
    assert likeness(offline.results[0].alternatives[0].transcript, LINE) > ALIKE
    asked = riva.client.StreamingRecognitionConfig(config=bare, interim_results=False)
    data = file.getvalue()
    chunks = [data[i : i + 1999] for i in range(0, len(data), 1999)]
    results = [r for a in asr.streaming_response_generator(chunks, asked) for r in a.results]
    assert results and all(r.is_final for r in results)
    assert likeness(results[0].alternatives[0].transcript, LINE) > ALIKE


def test_a_client_may_say_that_the_utterance_is_over(ears: int, said: Any) -> None:
    """force_eou: a final at once, without silence."""
    asked = riva_asr_pb2.StreamingRecognitionConfig(config=config(), interim_results=False)
    sound = said[SECOND].tobytes()
    with grpc.insecure_channel(f"127.0.0.1:{ears}") as channel:
        stub = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(channel)
        answered = threading.Event()

        def requests() -> Iterator[Any]:
            yield riva_asr_pb2.StreamingRecognizeRequest(streaming_config=asked)
            yield riva_asr_pb2.StreamingRecognizeRequest(
                audio_content=sound, runtime_config={"force_eou": "true"}
            )
            answered.wait(WITHIN)

        first = next(stub.StreamingRecognize(requests(), timeout=WITHIN)).results[0]
        answered.set()
        assert first.is_final and likeness(first.alternatives[0].transcript, SECOND) > ALIKE


def test_the_larger_model_hears_knows_its_languages_and_ends_when_it_is_told(said: Any) -> None:
    speech_server.need("whisper-base", "model.bin")
    port = unused()
    server = speech_server.start(port, "model=whisper-base", engine="asr")
    try:
        speech_server.await_ready(port)
        auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
        asr = riva.client.ASRService(auth)
        answer = asr.offline_recognize(said[LINE].tobytes(), config())
        assert likeness(answer.results[0].alternatives[0].transcript, LINE) > ALIKE
        asr.offline_recognize(said[SECOND].tobytes(), config(language_code="de-DE"))
        with pytest.raises(grpc.RpcError) as caught:
            asr.offline_recognize(said[SECOND].tobytes(), config(language_code="xx-XX"))
        auth.channel.close()
    finally:
        code, text = speech_server.end(server)
    assert "Unavailable model requested. Lang: xx-XX" in str(caught.value)
    assert code == 0, text


def test_what_it_lists_and_what_it_refuses_in_rivas_words(ears: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{ears}") as channel:
        stub = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(channel)
        listed = stub.GetRivaSpeechRecognitionConfig(riva_asr_pb2.RivaSpeechRecognitionConfigRequest())
        assert {m.parameters["type"] for m in listed.model_config} == {"online", "offline"}
        assert {m.parameters["language_code"] for m in listed.model_config} == {"en-US"}
        health = health_pb2_grpc.HealthStub(channel)
        serving = health.Check(health_pb2.HealthCheckRequest(service="nvidia.riva.asr.RivaSpeechRecognition"))
        assert serving.status == health_pb2.HealthCheckResponse.SERVING
        refused = {
            "Unavailable model requested. Lang: ru-RU, Type: offline": config(language_code="ru-RU"),
            "Invalid sample rate": config(sample_rate_hertz=4000),
            "Model is not available on server: parakeet": config(model="parakeet"),
            "Unsupported audio encoding": config(encoding=riva.client.AudioEncoding.FLAC),
            "endpointing_config.stop_history": config(
                endpointing_config=riva_asr_pb2.EndpointingConfig(stop_history=99999)
            ),
        }
        for text, asked in refused.items():
            with pytest.raises(grpc.RpcError) as caught:
                stub.Recognize(riva_asr_pb2.RecognizeRequest(config=asked, audio=b"\0" * 640))
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert text in str(caught.value.details())
        with pytest.raises(grpc.RpcError) as caught:
            list(stub.StreamingRecognize(iter([riva_asr_pb2.StreamingRecognizeRequest(audio_content=b"00")])))
        assert "streaming_config" in str(caught.value.details())


def in_real_time(ears: int, sound: NDArray[np.int16], pace: float = 1.0) -> list[tuple[float, Any]]:
    """(seconds since the sound began, result) of sound that comes as a microphone's does; `pace` seconds for
    each of it."""
    asked = riva_asr_pb2.StreamingRecognitionConfig(config=config(), interim_results=True)
    begun = time.monotonic()

    def requests() -> Iterator[Any]:
        yield riva_asr_pb2.StreamingRecognizeRequest(streaming_config=asked)
        size = RATE // 50
        for i in range(0, len(sound), size):
            time.sleep(max(0.0, begun + pace * (i + size) / RATE - time.monotonic()))
            yield riva_asr_pb2.StreamingRecognizeRequest(audio_content=sound[i : i + size].tobytes())

    with grpc.insecure_channel(f"127.0.0.1:{ears}") as channel:
        answers = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(channel).StreamingRecognize(
            requests(), timeout=WITHIN
        )
        return [(time.monotonic() - begun, r) for answer in answers for r in answer.results]


def test_a_hesitant_speaker_is_not_cut_off(ears: int, said: Any) -> None:
    """Half a second of silence after words that are open, and then the rest: one utterance."""
    sound = np.concatenate([quiet(0.3), said[OPEN], quiet(0.55), said[SECOND], quiet(1.2)])
    finals = [r for _, r in in_real_time(ears, sound) if r.is_final and r.alternatives[0].transcript]
    assert len(finals) == 1
    assert likeness(finals[0].alternatives[0].transcript, f"{OPEN} {SECOND}") > ALIKE


@pytest.mark.parametrize("pace", [0.3, 1.5])
def test_sound_that_is_faster_or_slower_than_real_time_is_one_utterance(
    ears: int, said: Any, pace: float
) -> None:
    """Its own seconds count: where they come slowly, nobody has paused."""
    sound = np.concatenate([quiet(0.3), said[SECOND], quiet(1.2)])
    finals = [r for _, r in in_real_time(ears, sound, pace) if r.is_final and r.alternatives[0].transcript]
    assert len(finals) == 1 and likeness(finals[0].alternatives[0].transcript, SECOND) > ALIKE


def test_two_streams_at_once(ears: int, said: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sounds = [np.concatenate([quiet(0.2), said[line], quiet(1.0)]) for line in (LINE, SECOND)]
    with ThreadPoolExecutor(2) as both:
        heard = list(both.map(lambda sound: in_real_time(ears, sound, 0.3), sounds))
    for results, line in zip(heard, (LINE, SECOND), strict=True):
        final = next(r for _, r in results if r.is_final)
        assert likeness(final.alternatives[0].transcript, line) > ALIKE


def test_it_fails_in_one_clear_line(tmp_path: Any) -> None:
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    server = speech_server.start(unused(), f"model={tmp_path}", engine="asr")
    _, log = server.communicate(timeout=WITHIN)
    assert server.returncode == 1 and "no Whisper" in log.decode() and "Traceback" not in log.decode()
