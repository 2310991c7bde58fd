"""The tiny Llama as a GGUF file, so that the real llama.cpp can load it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

from engines.bundle import adapters, tiny
from engines.bundle.lora_gguf import NAMES
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.safetensors_read import read_json
from tests.checkpoints import arrays

OTHERS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
TOP = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def write(folder: Path, out: Path, kind: str = "llama") -> Path:
    """Convert a checkpoint of tiny.make, in f32."""
    config = read_json(folder / "config.json")
    size = {key: adapters.number(config, key) for key, value in config.items() if type(value) is int}
    writer = gguf.GGUFWriter(out, kind)
    writer.add_block_count(size["num_hidden_layers"])
    writer.add_context_length(size["max_position_embeddings"])
    writer.add_embedding_length(size["hidden_size"])
    writer.add_feed_forward_length(size["intermediate_size"])
    writer.add_head_count(size["num_attention_heads"])
    writer.add_head_count_kv(size["num_key_value_heads"])
    writer.add_rope_dimension_count(size["head_dim"])
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    _vocabulary(writer, size["vocab_size"])
    for name, values in _tensors(folder, size, turned=kind == "llama"):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _tensors(folder: Path, size: dict[str, int], turned: bool) -> Iterator[tuple[str, Floats]]:
    heads = {"q_proj": size["num_attention_heads"], "k_proj": size["num_key_value_heads"]}
    for name, raw in arrays(folder).items():
        values = widened(raw)
        if name in TOP:
            yield TOP[name], values
            continue
        _, _, layer, *_, module, end = name.split(".")
        if turned and module in heads:
            values = values[_neighbours(len(values), heads[module])]
        yield f"blk.{layer}.{(NAMES | OTHERS)[module]}.{end}", np.ascontiguousarray(values)


def _neighbours(rows: int, heads: int) -> list[int]:
    """Which row of the checkpoint comes where in llama.cpp: of a head's halves, one row each in turn."""
    size = rows // heads
    return [
        head * size + half * (size // 2) + n
        for head in range(heads)
        for n in range(size // 2)
        for half in (0, 1)
    ]


def _vocabulary(writer: gguf.GGUFWriter, count: int) -> None:
    tokens = [*tiny.letters(), *tiny.SPECIAL]
    unused = [f"<|unused{n}|>" for n in range(count - len(tokens))]
    kinds = (
        [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.UNUSED] * len(unused)
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*tokens, *unused])
    writer.add_token_types(kinds)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(256)
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
