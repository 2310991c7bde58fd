"""Step "repack": the same weights in the layout that a CPU with AMX reads fastest.

Q4_K keeps the scales of eight blocks of 32 weights in six bits each under a common one, and llama.cpp's AMX
code unpacks them again for every token that is written: 101 ms instead of 73 for Qwen 1.5B on two cores. Q4_1
is such a block with its scale and its minimum written out; the four-bit weights stay as they are, so nothing
is lost but the rounding of two 16-bit numbers. Q6_K, whose blocks have 16, becomes Q8_0: its step is a fourth
of Q6_K's, so its weights hardly move. Layouts: block_q4_K, block_q4_1 in llama.cpp's ggml-common.h. A CPU
without AMX reads Q4_K faster.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType as Layout
from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants
from gguf.constants import GGML_QUANT_SIZES

from engines.bars import Bars
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_write import PART, settle
from engines.bundle.steps import link

Bytes = npt.NDArray[np.uint8]
NEEDS = "amx_int8"  # the flag of a CPU that gains
INTO = {Layout.Q4_K: Layout.Q4_1, Layout.Q6_K: Layout.Q8_0}
SCALES, WEIGHTS, SUPER = 4, 16, 144  # of Q4_K: where they begin, and bytes of a block of 256
GREW = 1.2  # the new file's size by the old one's
ROWS = 4096  # taken at once


def pays(cpu: list[str]) -> bool:
    """Whether this CPU is one that reads the new layout faster."""
    return NEEDS in cpu


def run(model: Path, out: Path, bars: Bars) -> Mapping[str, object]:
    """Write `model` with its weights repacked as `out`. Raises BundleError, OSError; a file is whole.

    One tensor is in memory at a time."""
    try:
        reader = GGUFReader(model)
    except (ValueError, KeyError, IndexError) as error:
        raise BundleError(
            f"{model} is no GGUF file ({error}); cure: python -m engines.fetch --verify"
        ) from error
    if not any(tensor.tensor_type in INTO for tensor in reader.tensors):
        link(model, out)
        return {"repacked": 0, "tensors": len(reader.tensors)}
    part = out.with_name(out.name + PART)
    writer = GGUFWriter(part, _said(reader, "general.architecture"))
    writer.data_alignment = reader.alignment
    _facts(reader, writer)
    for tensor in reader.tensors:
        _announce(tensor, writer)
    try:
        _write(reader, writer, bars)
    finally:
        writer.close()
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(out)
    settle(out.parent)
    changed = sum(tensor.tensor_type in INTO for tensor in reader.tensors)
    return {"repacked": changed, "tensors": len(reader.tensors)}


def _write(reader: GGUFReader, writer: GGUFWriter, bars: Bars) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    bar, done = bars.add("repacking for AMX", sum(tensor.n_bytes for tensor in reader.tensors)), 0
    for tensor in reader.tensors:
        writer.write_tensor_data(repacked(tensor.data, tensor.tensor_type))
        done += int(tensor.n_bytes)
        bar.at(done)


def repacked(data: npt.NDArray[Any], layout: Layout) -> npt.NDArray[Any]:
    """A tensor's rows in the layout that INTO says; others are returned as they are."""
    if layout not in INTO:
        return data
    if layout is Layout.Q4_K:
        return q4_1(data)
    return np.concatenate(
        [quants.quantize(quants.dequantize(rows, layout), INTO[layout]) for rows in _some(data)]
    )


def q4_1(data: Bytes) -> Bytes:
    """Rows of Q4_K blocks as rows of Q4_1 blocks: the same weights under scales that are written out."""
    blocks = data.reshape(-1, SUPER)
    scale, least = (blocks[:, at : at + 2].copy().view(np.float16).astype(np.float32) for at in (0, 2))
    scales, minima = _six_bits(blocks[:, SCALES:WEIGHTS])
    pairs = blocks[:, WEIGHTS:].reshape(-1, 4, 32)  # 32 bytes: one block in their low halves, the next above
    weights = np.stack([pairs & 15, pairs >> 4], 2).reshape(-1, 8, 32)
    out = np.empty((len(blocks), 8, 20), np.uint8)
    out[..., 0:2] = _halves(scale * scales)
    out[..., 2:4] = _halves(-least * minima)
    out[..., 4:] = weights[..., :16] | weights[..., 16:] << 4
    return out.reshape(len(data), -1)


def _six_bits(packed: Bytes) -> tuple[Bytes, Bytes]:
    """The eight scales and minima of each block: four as six bits, four in two parts, above and below."""
    first, second, third = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.concatenate([first & 63, (third & 15) | (first >> 6 << 4)], 1)
    return scales, np.concatenate([second & 63, (third >> 4) | (second >> 6 << 4)], 1)


def _halves(values: npt.NDArray[np.float32]) -> Bytes:
    return values.astype(np.float16).view(np.uint8).reshape(*values.shape, 2)


def _some(data: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return (data[at : at + ROWS] for at in range(0, len(data), ROWS))


def _announce(tensor: Any, writer: GGUFWriter) -> None:
    """The tensor's shape and layout, which stand before all data."""
    layout = INTO.get(tensor.tensor_type, tensor.tensor_type)
    shape = tuple(int(size) for size in reversed(tensor.shape))
    one, size = GGML_QUANT_SIZES[layout]
    count = int(tensor.n_bytes) if layout is tensor.tensor_type else int(tensor.n_elements) // one * size
    writer.add_tensor_info(tensor.name, shape, np.dtype(np.float32), count, raw_dtype=layout)


def _facts(reader: GGUFReader, writer: GGUFWriter) -> None:
    """What the file says of its model, word for word, but for how its weights are kept."""
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        value, kind = field.contents(), field.types[0]
        if kind is not GGUFValueType.ARRAY:
            writer.add_key_value(key, value, kind)
        elif value:
            writer.add_key_value(key, value, kind, field.types[-1])
    writer.add_file_type(LlamaFileType.MOSTLY_Q4_1)


def _said(reader: GGUFReader, key: str) -> str:
    field = reader.get_field(key)
    if field is None:
        raise BundleError(f"the model's file does not say its {key}; cure: native=false")
    return str(field.contents())
