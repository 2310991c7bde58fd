"""The benchmark's senses without servers: pictures, sound, weights, the machine's bounds."""

from __future__ import annotations

import wave
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.bench import machine
from engines.bench.dialects import Server
from engines.bench.errors import BenchFailed
from engines.bench.options import Dialect, Options
from engines.bench.roofline import roofs
from engines.bench.rows import row
from engines.bench.sound import RATE, from_wav, message, wrong
from engines.bench.triton import TYPES, Slot, datatype, encoded, slots
from engines.bench.vision import tensor
from engines.bench.weights import of
from engines.bundle import tiny
from engines.bundle.quantise import quantise
from engines.bundle.safetensors_read import SINGLE
from engines.bundle.safetensors_write import Slot as Place
from engines.bundle.safetensors_write import write
from tests import tiny_gguf

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.lists(st.integers(-1, 5), max_size=4).map(tuple)


@given(st.sampled_from(sorted(TYPES)), SHAPES)
def test_a_tensor_fits_what_its_model_takes(kind: str, shape: tuple[int, ...]) -> None:
    made = tensor(Slot("image", kind, shape), (8, 6), np.random.default_rng(0))
    assert len(made.shape) == len(shape)
    assert all(wanted in (-1, length) for wanted, length in zip(shape, made.shape, strict=True))
    assert datatype(made) == kind
    if kind != "BYTES":
        assert len(encoded(made)) == made.nbytes


def test_pictures_have_the_size_that_was_asked_for() -> None:
    noise = np.random.default_rng(0)
    assert tensor(Slot("i", "UINT8", (-1, -1, 3)), (48, 64), noise).shape == (48, 64, 3)
    assert tensor(Slot("i", "FP32", (-1, 3, -1, -1)), (48, 64), noise).shape == (1, 3, 48, 64)
    assert tensor(Slot("i", "FP32", (1, 3, 20, 30)), (48, 64), noise).shape == (1, 3, 20, 30)
    assert tensor(Slot("t", "INT64", (-1,)), (48, 64), noise).shape == (1,)
    with pytest.raises(BenchFailed, match="the type BF16"):
        tensor(Slot("i", "BF16", (1,)), (8, 8), noise)


@given(JSON)
def test_whatever_metadata_says_it_is_read_or_refused(listed: object) -> None:
    try:
        found = slots(listed, [])
    except BenchFailed:
        return
    assert all(isinstance(each, Slot) for each in found)


@given(st.text(max_size=40), st.text(max_size=40))
def test_words_heard_wrong_are_a_share(said: str, heard: str) -> None:
    assert wrong(said, said) == 0.0
    assert wrong(said, heard) >= 0.0


def test_words_heard_wrong_are_counted() -> None:
    assert wrong("The cat sat down.", "the bat sat down") == 25.0
    assert wrong("one two", "one two three") == 50.0
    assert wrong("one two", "") == 100.0


def test_a_message_ends_with_its_last_word(tmp_path: Path) -> None:
    tone = (8000 * np.sin(np.arange(22050) / 10)).astype(np.int16)
    made = message(np.concatenate([tone, np.zeros(22050, np.int16)]), 22050, "a word")
    assert made.end == pytest.approx(1.0, abs=0.02) and len(made.pcm) == int(made.end * RATE)
    with pytest.raises(BenchFailed, match="of speech; cure"):
        message(np.zeros(16000, np.int16), RATE)
    path = tmp_path / "two.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(np.repeat(tone, 2).tobytes())
    assert from_wav(path).end == pytest.approx(1.0, abs=0.02)
    path.write_bytes(b"RIFF and no more")
    with pytest.raises(BenchFailed, match="a WAV of 16-bit PCM"):
        from_wav(path)


def test_a_token_reads_every_weight_but_the_embedding(tmp_path: Path) -> None:
    tiny.make(tmp_path / "tiny")
    checkpoint = of(tmp_path / "tiny")
    gguf = of(tiny_gguf.write(tmp_path / "tiny", tmp_path / "model.gguf"))
    linears = 2 * (2 * 128 * 128 + 2 * 128 * 64 + 3 * 128 * 256)
    norms = 5 * 128
    assert checkpoint.parameters == gguf.parameters == linears + norms + 512 * 128
    assert (checkpoint.read, gguf.read) == (2 * checkpoint.parameters, 4 * gguf.parameters)  # bf16, f32


def test_a_quantised_checkpoint_is_read_with_its_scales(tmp_path: Path) -> None:
    tiny.make(tmp_path / "tiny")
    quantise(tmp_path / "tiny", tmp_path / "fp4", lambda done, whole: None)
    found, plain = of(tmp_path / "fp4"), of(tmp_path / "tiny")
    linears = 2 * (2 * 128 * 128 + 2 * 128 * 64 + 3 * 128 * 256)
    assert found.parameters == plain.parameters
    packed = linears * (4 + 8 / 16) / 8  # four bits each, and a byte of scale for sixteen
    assert found.read == pytest.approx(plain.read - 2 * linears + packed, rel=0.001)


def test_four_bits_of_a_gguf_file_are_what_they_take(tmp_path: Path) -> None:
    for number, name in enumerate(("output.weight", "blk.0.ffn_up_exps.weight"), 1):
        path = tmp_path / f"m-{number:05}-of-00002.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_expert_count(8)
        writer.add_expert_used_count(2)
        blocks = gguf.quants.quantize(np.ones((64, 64), np.float32), gguf.GGMLQuantizationType.Q4_0)
        writer.add_tensor(name, blocks, raw_dtype=gguf.GGMLQuantizationType.Q4_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    whole = 64 * 64 * 18 / 32  # a block of 32: sixteen bytes and a half-precision scale
    found = of(tmp_path / "m-00001-of-00002.gguf")
    assert (found.read, found.parameters) == (whole + whole * 2 / 8, 64 * 64 * 1.25)
    (tmp_path / "m-00002-of-00002.gguf").unlink()
    with pytest.raises(BenchFailed, match="m-00002-of-00002"):
        of(tmp_path / "m-00001-of-00002.gguf")


def test_a_mixture_reads_the_experts_that_it_uses(tmp_path: Path) -> None:
    names = ["lm_head.weight", *(f"model.layers.0.mlp.experts.{n}.up_proj.weight" for n in range(4))]
    write(tmp_path / SINGLE, [(Place(name, "F32", (16, 16)), bytes(1024)) for name in names])
    with pytest.raises(BenchFailed, match="does not say how many"):
        of(tmp_path)
    (tmp_path / "config.json").write_text('{"num_experts": 4, "num_experts_per_tok": 2}')
    assert of(tmp_path).parameters == 3 * 16 * 16


def test_weights_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_bytes(b"GGUF" + bytes(200))
    (tmp_path / "empty").mkdir()
    for wrong_one in ("not.gguf", "empty", "absent"):
        with pytest.raises(BenchFailed, match=wrong_one):
            of(tmp_path / wrong_one)


def test_the_roof_of_70b_on_a_spark_is_the_published_one() -> None:
    spark = Server("http://spark:8355", Dialect.trtllm, "m", weights=40.6e9, parameters=70e9)
    rows = [row("llm", "decode", "c", 1, "tok/s", [4.2])]
    bounds, why = roofs(spark, Options(bandwidth_gbs=273.0), rows, print)
    assert not why and bounds[0].most == pytest.approx(6.72, abs=0.01)
    assert bounds[0].share == pytest.approx(62.5, abs=0.5) and len(bounds) == 1
    both, _ = roofs(spark, Options(bandwidth_gbs=273.0, tflops=400.0), rows, print)
    assert [each.what for each in both] == ["decode", "prefill"]
    assert both[1].most == pytest.approx(400e12 / 140e9)
    assert roofs(spark, Options(), rows, print) == ([], "the server is another machine; cure: "
                                                 "bandwidth_gbs=NUMBER (a DGX Spark: 273)")  # fmt: skip
    unknown = Server("http://127.0.0.1:1", Dialect.none, "m")
    assert "does not tell" in roofs(unknown, Options(), rows, print)[1]


def test_this_machine_has_a_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "BLOCK", 8 << 20)
    assert 1e8 < machine.bandwidth().rate < 1e13
    assert "cores" in machine.words()
    assert 0 <= machine.Others().share() <= 100
