"""NVFP4 read apart from our code: files and numbers are decoded here, from the formats' descriptions.

e2m1: a sign, two bits of exponent (bias 1), one of mantissa; e4m3: a sign, four (bias 7), three, no infinity;
a weight is e2m1 * its block's e4m3 * the tensor's f32; of two in a byte the even column is the low half.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.bundle import nvfp4, quantise, tiny

Array = NDArray[np.float64]
LINEARS = 14  # of the tiny model's two blocks


def e2m1(code: int) -> float:
    exponent, mantissa = code >> 1 & 3, code & 1
    size = mantissa / 2 if exponent == 0 else (1 + mantissa / 2) * 2.0 ** (exponent - 1)
    return -size if code & 8 else size


def e4m3(code: int) -> float:
    exponent, mantissa = code >> 3 & 15, code & 7
    if exponent == 15 and mantissa == 7:
        return float("nan")
    size = mantissa / 8 * 2.0**-6 if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - 7)
    return -size if code & 128 else size


FOUR = np.array([e2m1(code) for code in range(16)])
EIGHT = np.array([e4m3(code) for code in range(256)])


def opened(path: Path) -> dict[str, tuple[str, list[int], bytes]]:
    """A safetensors file: eight bytes of length, that much JSON, then the tensors where it says."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {name: (t["dtype"], t["shape"], body[slice(*t["data_offsets"])]) for name, t in header.items()}


def bf16(raw: bytes, shape: list[int]) -> Array:
    wide = np.frombuffer(raw, "<u2").astype("<u4") << 16
    return wide.view("<f4").astype(np.float64).reshape(shape)


def decoded(found: dict[str, tuple[str, list[int], bytes]], name: str) -> tuple[Array, Array]:
    """A weight [out, in], and for each of its numbers the scale, block's times tensor's."""
    kind, (rows, half), raw = found[name]
    scale_kind, scale_shape, scale_raw = found[f"{name}_scale"]
    top_kind, top_shape, top_raw = found[f"{name}_scale_2"]
    assert (kind, scale_kind, top_kind, top_shape) == ("U8", "F8_E4M3", "F32", [])
    assert scale_shape == [rows, half * 2 // 16]
    pairs = np.frombuffer(raw, np.uint8).reshape(rows, half)
    codes = np.empty((rows, 2 * half), np.uint8)
    codes[:, 0::2], codes[:, 1::2] = pairs % 16, pairs // 16
    (top,) = struct.unpack("<f", top_raw)
    steps = np.repeat(EIGHT[np.frombuffer(scale_raw, np.uint8)].reshape(scale_shape) * top, 16, axis=1)
    return FOUR[codes] * steps, steps


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The tiny model's one file, as published and as quantised."""
    folder = tmp_path_factory.mktemp("apart")
    tiny.make(folder / "base", seed=3)
    quantise.quantise(folder / "base", folder / "out", lambda _done, _total: None)
    return folder / "base" / "model.safetensors", folder / "out" / "model.safetensors"


def test_every_linear_is_as_far_off_as_nvfp4_is_and_no_further(both: tuple[Path, Path]) -> None:
    before, after = map(opened, both)
    names = [name.removesuffix("_scale_2") for name in after if name.endswith("_scale_2")]
    assert len(names) == LINEARS
    for name in names:
        weights = bf16(before[name][2], before[name][1])
        read, steps = decoded(after, name)
        off = np.abs(read - weights)
        share = np.linalg.norm(off) / np.linalg.norm(weights)
        assert 0.085 < share < 0.105, (name, share)  # 9.5 % for normal noise
        sizes = np.abs(weights) / steps
        nearest = np.min(np.abs(sizes[..., None] - FOUR[:8]), axis=-1)  # no code would have been nearer
        assert (off / steps <= nearest + 1e-5).all(), name


def test_what_is_no_linear_is_as_it_was(both: tuple[Path, Path]) -> None:
    before, after = map(opened, both)
    kept = [name for name in before if f"{name}_scale" not in after]
    assert len(kept) == len(before) - LINEARS and all(before[name] == after[name] for name in kept)


def test_our_own_reading_is_the_same(both: tuple[Path, Path]) -> None:
    after = opened(both[1])
    name = "model.layers.1.mlp.down_proj.weight"
    read, _ = decoded(after, name)
    packed = np.frombuffer(after[name][2], np.uint8).reshape(after[name][1])
    scales = np.frombuffer(after[f"{name}_scale"][2], np.uint8).reshape(after[f"{name}_scale"][1])
    ours = nvfp4.restored(
        packed, EIGHT[scales].astype(np.float32), np.frombuffer(after[f"{name}_scale_2"][2], "<f4")[0]
    )
    assert np.allclose(ours, read, rtol=1e-6, atol=0)


def test_the_formats_have_the_values_that_are_published() -> None:
    assert FOUR[:8].tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6] and FOUR[8:].tolist() == (-FOUR[:8]).tolist()
    assert np.nanmax(EIGHT) == 448 and EIGHT[1] == 2**-9 and np.isnan(EIGHT[[127, 255]]).all()
