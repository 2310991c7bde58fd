"""Converts a PEFT adapter to the file that llama.cpp loads.

llama.cpp stores a Llama's queries and keys with the two halves of each head interleaved (its rotary
embedding turns neighbours, PEFT's base turns halves), so the rows of their B are put in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

from engines.bundle import adapters
from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.safetensors_read import Checkpoint
from engines.bundle.safetensors_write import PART, full, settle

# By model_type: llama.cpp's name, and whether queries and keys are interleaved there.
KINDS = {
    "llama": ("llama", True),
    "mistral": ("llama", True),
    "qwen2": ("qwen2", False),
    "qwen3": ("qwen3", False),
}
NAMES = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


def convert(adapter: Path, base_config: Mapping[str, object], out: Path) -> None:
    """Write the adapter as a GGUF file, in f32. Raises BundleError; a file under its own name is whole."""
    kind, interleaved = _kind(base_config)
    facts = adapters.read(adapter, base_config)
    heads = {name: _heads(base_config, name) if interleaved else 0 for name in ("q_proj", "k_proj")}
    part = out.with_name(out.name + PART)
    try:
        writer = GGUFWriter(part, kind)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", facts.scale * facts.rank)  # llama.cpp divides by the rank
        with Checkpoint.of(adapter / adapters.WEIGHTS) as weights:
            for module in sorted(facts.modules, key=_order):
                for name, values in _module(weights, module, heads):
                    writer.add_tensor(name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        part.replace(out)
        settle(out.parent)
    except OSError as error:
        raise full(error, out.parent) from error


def _module(weights: Checkpoint, module: str, heads: Mapping[str, int]) -> list[tuple[str, Floats]]:
    """A module's two tensors under llama.cpp's names."""
    layer, last = module.split(".")[2], module.rpartition(".")[2]
    down, up = (widened(weights.whole(weights.tensors[adapters.tensor_name(module, side)])) for side in "AB")
    if count := heads.get(last):
        up = interleave(up, count)
    name = f"blk.{layer}.{NAMES[last]}.weight"
    return [(f"{name}.lora_a", down), (f"{name}.lora_b", up)]


def interleave(rows: Floats, heads: int) -> Floats:
    """Put row i of a head's second half after row i of its first: [heads * size, any]."""
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, rows.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows.shape)


def _kind(config: Mapping[str, object]) -> tuple[str, bool]:
    kind = config.get("model_type")
    if kind not in KINDS:
        raise BundleError(f"no conversion to llama.cpp for a {kind}; known are {', '.join(KINDS)}")
    return KINDS[str(kind)]


def _heads(config: Mapping[str, object], name: str) -> int:
    key = "num_key_value_heads" if name == "k_proj" and config.get("num_key_value_heads") else ""
    return adapters.number(config, key or "num_attention_heads")


def _order(module: str) -> tuple[int, str]:
    return int(module.split(".")[2]), module
