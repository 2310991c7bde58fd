"""NVIDIA's unmodified client against our speech server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
import riva.client
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from riva.client.proto import health_pb2, health_pb2_grpc, riva_asr_pb2, riva_asr_pb2_grpc
from riva.client.proto.riva_audio_pb2 import AudioEncoding
from riva.client.proto.riva_tts_pb2 import RivaSynthesisConfigRequest, SynthesizeSpeechRequest

from engines.speech.service import IDLE
from tests.wires import speech_server

BRIGHT, DARK = "Piper.joe.bright", "Piper.joe.dark"
CLAUSE = "Oh, that's a good one, chat."
LONG = "I walked to the harbour to look at the boats, and then it rained for a very long time. " * 6


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with speech_server.serving() as port:
        yield port


@pytest.fixture(scope="module")
def auth(port: int) -> Iterator[Any]:
    auth = riva.client.Auth(
        uri=f"127.0.0.1:{port}", metadata_args=[["function-id", "x"], ["authorization", "y"]]
    )
    yield auth
    auth.channel.close()


@pytest.fixture(scope="module")
def tts(auth: Any) -> Any:
    return riva.client.SpeechSynthesisService(auth)


def pcm(audio: bytes) -> NDArray[np.int16]:
    return np.frombuffer(audio, "<i2")


def test_lists_its_voices_as_rivas_own_scripts_read_them(tts: Any) -> None:
    config = tts.stub.GetRivaSynthesisConfig(RivaSynthesisConfigRequest())
    voices = [
        f"{model.parameters['voice_name']}.{subvoice.split(':')[0]}"
        for model in config.model_config
        for subvoice in model.parameters["subvoices"].split(",")
    ]
    assert voices == ["Piper.joe.natural", BRIGHT, DARK]
    assert config.model_config[0].parameters["language_code"] == "en-US"


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_speaks_at_the_asked_rate(tts: Any, rate: int) -> None:
    whole = tts.synthesize(CLAUSE, BRIGHT, sample_rate_hz=rate)
    assert 1.0 < len(whole.audio) / 2 / rate < 3.0
    assert len(whole.audio) / 2 / rate == pytest.approx(sum(whole.meta.predicted_durations), abs=0.002)


def test_no_rate_no_voice_and_no_language_mean_its_own(tts: Any) -> None:
    whole = tts.synthesize(
        CLAUSE, language_code="", sample_rate_hz=0, encoding=AudioEncoding.ENCODING_UNSPECIFIED
    )
    assert len(whole.audio) / 2 / 22050 == pytest.approx(sum(whole.meta.predicted_durations), abs=0.002)


@pytest.mark.parametrize("voice", ["Piper.joe.natural", BRIGHT, DARK])
def test_sounds_clean(tts: Any, voice: str) -> None:
    chunks = [pcm(answer.audio) for answer in tts.synthesize_online(CLAUSE, voice, sample_rate_hz=24000)]
    assert all(0 < len(chunk) <= 2400 for chunk in chunks)
    whole = np.concatenate(chunks).astype(np.float64) / 32768
    assert 0.1 < np.abs(whole).max() < 0.999
    assert -32 < 20 * np.log10(np.sqrt(np.mean(whole**2))) < -14
    assert np.abs(whole[:120]).max() < 0.05 and np.abs(whole[-24:]).max() < 0.01, (
        "starts or ends with a click"
    )
    assert np.flatnonzero(np.abs(whole) > 0.02)[0] < 0.06 * 24000, "starts with silence"
    steps = np.abs(np.diff(whole))
    joins = np.cumsum([len(chunk) for chunk in chunks])[:-1] - 1
    for join in joins:  # a hiss is full of steps; a click is one that its surroundings have not
        around = np.concatenate([steps[join - 60 : join], steps[join + 1 : join + 61]])
        assert steps[join] <= 1.3 * (around.max() + 0.005), "clicks where chunks join"  # 1.02 in 1,474 joins


def test_timings_cover_the_sound(tts: Any) -> None:
    answers = list(
        tts.synthesize_online(
            "Hello there. I have 21 cats, Mr. Smith!",
            DARK,
            sample_rate_hz=24000,
            enable_word_time_offsets=True,
        )
    )
    length = sum(len(answer.audio) for answer in answers) / 2 / 24000
    timed = [answer.meta for answer in answers if answer.meta.predicted_durations]
    assert len(timed) == 2, "an inference a sentence"
    for meta in timed:
        assert len(meta.processed_text.split(" ")) == len(meta.predicted_durations)
    assert sum(sum(meta.predicted_durations) for meta in timed) == pytest.approx(length, abs=0.004)
    words = [word for meta in timed for word in meta.words]
    assert [word.word for word in words] == ["Hello", "there.", "I", "have", "21", "cats,", "Mr.", "Smith!"]
    edges = [edge for word in words for edge in (word.start_time, word.end_time)]
    assert edges == sorted(edges) and edges[-1] <= length * 1000
    assert all(word.end_time - word.start_time > 20 for word in words)
    assert words[2].start_time / 1000 >= sum(timed[0].predicted_durations) - 0.001


def test_several_requests_on_one_stream_answer_in_order_with_their_ids(tts: Any) -> None:
    told: list[str] = []
    spoken = threading.Event()

    def requests() -> Iterator[SynthesizeSpeechRequest]:
        for name in ("one", "two", "three"):
            request = SynthesizeSpeechRequest(
                text=f"Number {name}.", language_code="en-US", voice_name=BRIGHT
            )
            request.id.value = name
            yield request
            assert spoken.wait(60), "the sound of a request must not wait for the next one"
            spoken.clear()

    for answer in tts.stub.SynthesizeOnline(requests()):
        assert answer.audio
        if answer.id.value not in told:
            told.append(answer.id.value)
            spoken.set()
    assert told == ["one", "two", "three"]


def test_a_list_of_texts_is_one_stream(tts: Any) -> None:
    texts = [
        answer.meta.text for answer in tts.synthesize_online(["Yes.", "No way."], BRIGHT) if answer.meta.text
    ]
    assert texts == ["Yes.", "No way."]


def test_streams_at_once_do_not_mix(tts: Any) -> None:
    texts = ["One.", "This is a longer sentence about nothing.", "Two, three.", "Is that so?"]

    def spoken(text: str) -> str:
        return " ".join(answer.meta.processed_text for answer in tts.synthesize_online(text, DARK)).strip()

    alone = [spoken(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(spoken, texts * 3)) == alone * 3


def server_at(port: int) -> psutil.Process:
    """Its process, a child of this one."""
    return next(p for p in psutil.Process().children() if f"port={port}" in p.cmdline())


def used(server: psutil.Process) -> float:
    """Its CPU seconds so far: what a slow answer costs on a busy machine, too."""
    return float(sum(server.cpu_times()[:2]))


def costs_no_more_when_cancelled(port: int, tts: Any, voice: str) -> None:
    """Told in what one sentence of the text costs: so on slow machines, too."""
    server, sentences = server_at(port), 18
    before = used(server)
    assert tts.synthesize(LONG[: len(LONG) // 6], voice).audio
    one = used(server) - before
    text = LONG * (sentences // 6)
    call = tts.stub.SynthesizeOnline(
        iter([SynthesizeSpeechRequest(text=text, language_code="en-US", voice_name=voice)])
    )
    assert next(call).audio
    call.cancel()
    cancelled, last, still = used(server), -1.0, 0
    while still < 3:  # what is in work may end; the next one is not begun
        time.sleep(0.4)
        still = still + 1 if used(server) - last < 0.02 else 0
        last = used(server)
        assert last - cancelled < one * sentences / 3, "it goes on"
    assert tts.synthesize("Yes.", voice).audio, "and whoever comes next is served"


def test_cancel_stops_the_synthesis(port: int, tts: Any) -> None:
    costs_no_more_when_cancelled(port, tts, BRIGHT)


def refused(tts: Any, **fields: Any) -> str:
    request = SynthesizeSpeechRequest(**{"text": "Hello.", "language_code": "en-US", **fields})
    errors = []
    for call in (
        lambda: tts.stub.Synthesize(request),
        lambda: list(tts.stub.SynthesizeOnline(iter([request]))),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        errors.append(caught.value)
    assert errors[0].code() is errors[1].code() is grpc.StatusCode.INVALID_ARGUMENT
    assert errors[0].details() == errors[1].details()
    return str(errors[0].details())


def test_wrong_requests_get_rivas_words(tts: Any) -> None:
    assert refused(tts, voice_name="Nobody") == (
        "Error: Model is not available on server: Voice Nobody for language en-US not found."
        " Please specify the voice name in your SynthesizeSpeechRequest."
    )
    assert "for language ru-RU not found" in refused(tts, language_code="ru-RU")
    for rate in (-1, 1, 7999, 48001, 2**31 - 1):
        assert refused(tts, sample_rate_hz=rate) == "Invalid sample rate"
    assert "encoding" in refused(tts, encoding=AudioEncoding.OGGOPUS)
    assert "at most 10000" in refused(tts, text="a" * 10_001)


@pytest.mark.parametrize(
    "text", ["", "  \n", "!?...", "🎉🎉😀", "*** ~~~", "<speak></speak>", "\u200b\u202e", "\x00\x01"]
)
def test_what_cannot_be_spoken_is_refused(tts: Any, text: str) -> None:
    refused(tts, text=text, voice_name=BRIGHT)


def sounds(tts: Any, text: str, **more: Any) -> str:
    return str(tts.synthesize(text, BRIGHT, **more).meta.processed_text)


def test_markup_is_read_or_dropped_and_never_spoken(tts: Any) -> None:
    plain = sounds(tts, "Hello there.")
    assert sounds(tts, "<speak>Hello <emphasis level='strong'>there</emphasis>.</speak>") == plain
    assert sounds(tts, "<script>alert(1)</script>Hello there.") == plain
    assert "t ə m e t o" in sounds(
        tts, "<speak>A <phoneme alphabet='ipa' ph='təmeto'>tomato</phoneme>.</speak>"
    )
    assert sounds(tts, "<say-as interpret-as='characters'>cat</say-as>") == sounds(tts, "c a t")
    assert "z æ p" in sounds(tts, "Say Spark.", custom_dictionary={"spark": "zæp"})


HOSTILE = [
    "<!DOCTYPE x [<!ENTITY a 'ha ha ha ha'><!ENTITY b '&a;&a;&a;'>]><speak>&b;&b; hello</speak>",
    "<speak>" * 1000 + "hello",
    "hello " + "<!--" * 2000,
    "hello <phoneme ph='" + "ə" * 5000,
    "<phoneme ph='\x00[[ ]]'>hello</phoneme>",
    "hello </speak></phoneme></say-as> [[a]] <a b=c d=e",
    "&#0;&#x110000;&lt;b&gt; hello",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markup_is_survived(port: int, tts: Any, text: str) -> None:
    before = used(server_at(port))
    assert len(tts.synthesize(text, BRIGHT).audio) < 22050 * 2 * 15
    assert used(server_at(port)) - before < 10, "it takes no time worth speaking of to read"


def test_1200_words_without_a_full_stop_come_at_once_and_stay_small(port: int, tts: Any) -> None:
    server = server_at(port)
    before = used(server)
    answers = tts.synthesize_online(" ".join(["banana bread and so on"] * 240), BRIGHT)
    assert next(answers).audio
    first = used(server)
    for _ in zip(range(300), answers, strict=False):
        pass
    answers.cancel()
    assert first - before < used(server) - first, "half a minute of sound costs more than the first of it"
    assert server.memory_info().rss < 700e6


def test_memory_does_not_grow_with_the_texts(port: int, tts: Any) -> None:
    server = server_at(port)
    sizes = []
    for _ in range(3):
        for length in (1, 5, 9, 3, 12, 7, 2, 10, 4, 6):
            for _ in tts.synthesize_online("banana " * length, BRIGHT, enable_word_time_offsets=True):
                pass
        sizes.append(at_rest(server))
    assert sizes[-1] - sizes[0] < 20e6


def at_rest(server: psutil.Process) -> int:
    """Bytes that it still holds when it has been idle for as long as it takes to give memory back."""
    lowest, end = server.memory_info().rss, time.monotonic() + 3 * IDLE
    while time.monotonic() < end:
        lowest = min(lowest, server.memory_info().rss)
        time.sleep(IDLE / 5)
    return int(lowest)


@settings(max_examples=25)
@given(text=st.text(max_size=60))
def test_any_text_is_spoken_or_refused(tts: Any, text: str) -> None:
    try:
        assert tts.synthesize(text, BRIGHT).audio
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_bytes_that_are_no_request_are_refused(auth: Any) -> None:
    send = auth.channel.unary_unary("/nvidia.riva.tts.RivaSpeechSynthesis/Synthesize")
    for nonsense in (b"\xff\x00\xff" * 100, b"\x00" * (5 << 20)):
        with pytest.raises(grpc.RpcError) as caught:
            send(nonsense, timeout=60)
        assert isinstance(caught.value, grpc.Call)
        assert caught.value.code() is not grpc.StatusCode.DEADLINE_EXCEEDED


def test_health_and_what_it_does_not_do(auth: Any) -> None:
    health = health_pb2_grpc.HealthStub(auth.channel)
    assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    asr = riva_asr_pb2_grpc.RivaSpeechRecognitionStub(auth.channel)
    with pytest.raises(grpc.RpcError) as caught:
        asr.Recognize(riva_asr_pb2.RecognizeRequest())
    assert isinstance(caught.value, grpc.Call) and caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
