"""The weights in AMX's layout: the same ones by gguf's own arithmetic, and a file that says the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Layout
from gguf import GGUFReader, GGUFWriter, quants
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as made
from rich.console import Console

from engines.bars import Bars
from engines.bundle import native, pipeline, repack
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.plan import plan, total
from engines.bundle.words import read
from engines.llm.options import MODEL, REPACKED, SERVER, Options, batch, bundled
from engines.port import unused

SCALES = st.floats(0, 60, width=16)


def blocks(scale: float, least: float, rest: np.ndarray) -> np.ndarray:
    """Q4_K blocks with these two scales, and whatever weights."""
    out = np.empty((len(rest), repack.SUPER), np.uint8)
    out[:, 0:4] = np.array([scale, least], np.float16).view(np.uint8)
    out[:, 4:] = rest
    return out


@given(SCALES, SCALES, made.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(140))))
def test_every_weight_stays_what_it_was(scale: float, least: float, rest: np.ndarray) -> None:
    """But for the rounding of a block's scale and minimum to 16 bits, which 15 steps multiply."""
    rows = blocks(scale, least, rest)
    before = quants.dequantize(rows, Layout.Q4_K)
    after = quants.dequantize(repack.q4_1(rows), Layout.Q4_1)
    most = 2**-11 * (15 * scale * 63 + least * 63) + 1e-5
    assert np.abs(after - before).max() <= most


@given(made.arrays(np.float32, (3, 512), elements=st.floats(-1, 1, width=32)))
def test_six_bits_hardly_move_in_eight(values: np.ndarray) -> None:
    """By at most half a step of the new layout, which is 1/127 of a block's largest weight; and the step is
    rounded to 16 bits, which 127 of them multiply."""
    rows = six(values)
    before = quants.dequantize(rows, Layout.Q6_K)
    after = quants.dequantize(repack.repacked(rows, Layout.Q6_K), Layout.Q8_0)
    step = np.abs(before).reshape(-1, 32).max(1) / 127
    most = step / 2 + 127 * np.maximum(step * 2**-11, 2**-25) + 1e-6
    assert (np.abs(after - before).reshape(-1, 32).max(1) <= most).all()


def six(values: np.ndarray) -> np.ndarray:
    """Q6_K blocks (gguf writes none): weights -32..31 of every group under one scale of 16 bits."""
    flat = values.reshape(-1, 256)
    step = np.maximum(np.abs(flat).max(1), 1e-3) / 31
    whole = (np.clip(np.rint(flat / step[:, None]), -32, 31) + 32).astype(np.uint8).reshape(-1, 2, 4, 32)
    low = np.stack(
        [whole[:, :, 0] & 15 | (whole[:, :, 2] & 15) << 4, whole[:, :, 1] & 15 | (whole[:, :, 3] & 15) << 4],
        2,
    )
    high = sum((whole[:, :, at] >> 4) << 2 * at for at in range(4))
    out = np.empty((len(flat), 210), np.uint8)
    out[:, :128], out[:, 128:192] = low.reshape(-1, 128), np.asarray(high).reshape(-1, 64)
    out[:, 192:208] = 1
    out[:, 208:] = step.astype(np.float16).view(np.uint8).reshape(-1, 2)
    return out.reshape(len(values), -1)


def model(path: Path, *layouts: Layout) -> Path:
    """A GGUF file with a tensor of each layout."""
    writer = GGUFWriter(path, "qwen2")
    writer.add_uint32("qwen2.context_length", 32768)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b c", "ü"])
    writer.add_string("general.name", "a model")
    random = np.random.default_rng(1)
    for layout in layouts:
        values = random.standard_normal((6, 512)).astype(np.float32)
        if layout is Layout.Q4_K:
            rest = random.integers(0, 256, (12, 140), np.uint8)
            writer.add_tensor(layout.name, blocks(0.01, 0.02, rest).reshape(6, -1), raw_dtype=layout)
        elif layout is Layout.Q6_K:
            writer.add_tensor(layout.name, six(values), raw_dtype=layout)
        else:
            writer.add_tensor(layout.name, quants.quantize(values, layout), raw_dtype=layout)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_file_says_the_same_in_the_other_layout(tmp_path: Path) -> None:
    layouts = (Layout.F32, Layout.Q4_K, Layout.Q6_K, Layout.Q8_0)
    source, out = model(tmp_path / "a.gguf", *layouts), tmp_path / "b.gguf"
    with Bars(Console(quiet=True)) as bars:
        assert repack.run(source, out, bars) == {"repacked": 2, "tensors": 4}
    before, after = GGUFReader(source), GGUFReader(out)
    told = {"qwen2.context_length", "tokenizer.ggml.tokens", "general.name"}
    assert all(after.fields[key].contents() == before.fields[key].contents() for key in told)
    assert [tensor.tensor_type for tensor in after.tensors] == [
        Layout.F32,
        Layout.Q4_1,
        Layout.Q8_0,
        Layout.Q8_0,
    ]
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, list(old.shape)) == (new.name, list(new.shape))
        far = quants.dequantize(old.data, old.tensor_type) - quants.dequantize(new.data, new.tensor_type)
        assert np.abs(far).max() < 0.02
    assert not list(tmp_path.glob("*.part"))


def test_a_model_without_such_weights_is_linked(tmp_path: Path) -> None:
    source, out = model(tmp_path / "a.gguf", Layout.Q8_0), tmp_path / "b.gguf"
    with Bars(Console(quiet=True)) as bars:
        assert repack.run(source, out, bars)["repacked"] == 0
    assert out.samefile(source)


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"nothing of the kind" * 9)
    with Bars(Console(quiet=True)) as bars, pytest.raises(BundleError, match="no GGUF"):
        repack.run(tmp_path / "a.gguf", tmp_path / "b.gguf", bars)


@pytest.mark.parametrize(("flags", "has"), [(["avx2", repack.NEEDS], True), (["avx2"], False)])
def test_only_a_cpu_with_amx_has_the_step(
    flags: list[str], has: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(native, "cpu", lambda: ["x86_64", *flags])
    config = replace(read("qwen-1.5b"), native=True, root=str(tmp_path))
    with Bars(Console(quiet=True)) as bars:
        names = [step.name for step in pipeline.steps(config, Hashes(bars))]
    assert ("repack" in names) is has
    assert not has or names.index("repack") < names.index("native")  # which tries it
    more = total(plan(config).disk) - total(plan(replace(config, native=False)).disk)
    assert (more > 1e9) is has


def test_a_bundle_made_for_amx_prefills_more_at_once(tmp_path: Path) -> None:
    usual = Options(bundle=str(tmp_path))
    (tmp_path / MODEL).touch()
    assert (batch(usual), bundled(usual, REPACKED)) == (16, None)
    (tmp_path / REPACKED).touch()
    assert (batch(usual), batch(replace(usual, batch=7)), batch(replace(usual, bundle="none"))) == (24, 7, 16)


def test_the_compiled_server_reads_what_was_repacked(tmp_path: Path) -> None:
    server = tmp_path / SERVER
    server.parent.mkdir()
    server.write_text('#!/bin/sh\n[ "$1" = --version ] || echo "$@"\n')
    server.chmod(0o755)
    (tmp_path / MODEL).touch()
    words = [
        sys.executable,
        "-m",
        "engines.llm",
        f"port={unused()}",
        f"bundle={tmp_path}",
        "prefix_folder=none",
    ]
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF")
    for path, size, more in (
        (tmp_path / MODEL, "16", []),
        (tmp_path / REPACKED, "24", []),
        (own, "16", [f"model={own}"]),  # the user's, by the bundle's server
    ):
        path.touch()
        done = subprocess.run([*words, *more], capture_output=True, text=True, timeout=60, check=True)
        said = done.stdout.split()
        assert said[said.index("--model") + 1] == str(path)
        assert said[said.index("--batch-size") + 1] == said[said.index("--ubatch-size") + 1] == size
