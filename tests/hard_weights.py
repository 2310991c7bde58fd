"""A tiny Llama whose weights are hard to round: ties, blocks of zeros, huge and vanishing values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from engines.bundle import tiny
from engines.bundle.nvfp4 import E2M1, Floats, widened
from engines.bundle.safetensors_read import DTYPES, SINGLE, Checkpoint, read_json
from engines.bundle.safetensors_write import Slot, write, write_json


def write_model(folder: Path, dtype: str = "BF16", tied: bool = False, seed: int = 0) -> Path:
    """The tiny Llama, with its linears of layer 0 made hard; optionally without a head of its own."""
    plain = folder.with_name(folder.name + "-plain")
    tiny.make(plain, seed)
    tiny.make(folder, seed)
    tensors = []
    with Checkpoint.of(plain) as weights:
        for name, tensor in weights.tensors.items():
            values = widened(weights.whole(tensor)).copy()
            hard(name, values)
            if not (tied and name == "lm_head.weight"):
                tensors.append((Slot(name, dtype, tensor.shape), values.astype(DTYPES[dtype]).tobytes()))
    write(folder / SINGLE, tensors)
    torch_dtype = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype]
    config = read_json(folder / "config.json") | {"torch_dtype": torch_dtype, "tie_word_embeddings": tied}
    write_json(folder / "config.json", config)
    return folder


def as_qwen(folder: Path) -> Path:
    """The same as a Qwen2: queries, keys and values have biases."""
    numbers, tensors = np.random.default_rng(0), []
    with Checkpoint.of(folder) as weights:
        for name, tensor in weights.tensors.items():
            tensors.append((Slot(name, tensor.dtype, tensor.shape), weights.whole(tensor).tobytes()))
            if name.split(".")[-2] in ("q_proj", "k_proj", "v_proj"):
                bias = numbers.normal(0, 1, tensor.shape[0]).astype(DTYPES[tensor.dtype])
                slot = Slot(name.replace(".weight", ".bias"), tensor.dtype, bias.shape)
                tensors.append((slot, bias.tobytes()))
    write(folder / SINGLE, tensors)
    said = read_json(folder / "config.json")
    config = {key: value for key, value in said.items() if key not in ("attention_bias", "mlp_bias")}
    write_json(
        folder / "config.json", config | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
    )
    return folder


def hard(name: str, values: Floats) -> None:
    """Change a linear of layer 0 in place, each in another way."""
    changes: dict[str, Callable[[Floats], None]] = {
        "q_proj": _ties,
        "k_proj": _zeros,
        "v_proj": _spread,
        "o_proj": _ties,
        "gate_proj": _spread,
        "up_proj": _zeros,
        "down_proj": _outlier,
    }
    if name.startswith("model.layers.0."):
        changes.get(name.split(".")[-2], _nothing)(values)


def _ties(values: Floats) -> None:
    """Every value half-way between two codes, or on one, or just beside; scale and tensor scale exact."""
    steps = np.unique(np.abs(E2M1))
    between = (steps[:-1] + steps[1:]) / 2
    beside = np.concatenate([between * 0.992, between, between * 1.008, steps])
    signed = np.concatenate([beside, -beside])
    values[...] = np.resize(signed, values.shape) / 64
    values[:, ::16] = 6 / 64  # each block's largest
    values[:, 0] = 6 * 448 / 64 / 448
    values[0, 0] = 6 * 448 / 64


def _zeros(values: Floats) -> None:
    """Blocks of zeros, with both signs, among others."""
    values[::2, :16] = 0
    values[::3, 16:32] = -0.0
    values[5] = 0


def _spread(values: Floats) -> None:
    """Rows from 1 down to what no scale can express."""
    values *= np.float32(2) ** -np.arange(len(values), dtype=np.float32)[:, None] * 8
    values[-3:] = 1e-7


def _outlier(values: Floats) -> None:
    """One value a thousand times the others: their scales are at the type's lower end."""
    values[3, 7] = -900


def _nothing(values: Floats) -> None:
    """Norms stay as they are."""
