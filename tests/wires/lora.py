"""LoRA adapters in llama.cpp's file format, made of seeded noise: small, and with an effect on the text."""

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFWriter

RANK = 8
STRENGTH = 0.4  # of the update, beside a weight's own size
INTO = ("attn_v", "attn_output")


def write(path: Path, model: Path, seed: int) -> Path:
    """An adapter of `model` (a GGUF file of a Llama); another seed, another character."""
    numbers = np.random.default_rng(seed)
    writer = GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(RANK))
    for tensor in GGUFReader(model).tensors:
        if tensor.name.split(".")[-2] in INTO:
            inside, outside = (int(size) for size in tensor.shape)
            down = numbers.normal(0, inside**-0.5, (RANK, inside))
            up = numbers.normal(0, STRENGTH * RANK**-0.5, (outside, RANK))
            writer.add_tensor(f"{tensor.name}.lora_a", down.astype(np.float32))
            writer.add_tensor(f"{tensor.name}.lora_b", up.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
