"""A Llama of seeded noise, small enough for every step of a build within a second, and its LoRAs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from engines.bundle import adapters
from engines.bundle.safetensors_read import SINGLE
from engines.bundle.safetensors_write import Slot, write, write_json

SPECIAL = ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")
CONFIG: Mapping[str, object] = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 256,
    "eos_token_id": 258,
    "head_dim": 32,
    "hidden_act": "silu",
    "hidden_size": 128,
    "initializer_range": 0.02,
    "intermediate_size": 256,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_cache": True,
    "vocab_size": 512,
}
TARGETS = tuple(adapters.PARENTS)
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def make(folder: Path, seed: int = 0) -> None:
    """Write the model: config, weights (bf16), tokenizer (a token a byte)."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    write(folder / SINGLE, [_noise(numbers, name, shape) for name, shape in _shapes(CONFIG)])
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "generation_config.json", {"bos_token_id": 256, "eos_token_id": 258})
    write_json(folder / "tokenizer.json", _tokenizer())
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIAL[0],
        "eos_token": SPECIAL[2],
        "chat_template": TEMPLATE,
    }
    write_json(folder / "tokenizer_config.json", settings)


def adapter(folder: Path, seed: int, rank: int = 8, config: Mapping[str, object] = CONFIG) -> None:
    """Write a LoRA for a base of this config, as PEFT saves it; another seed, another character."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(seed)
    tensors = []
    for layer in range(adapters.layers(config)):
        for name, parent in adapters.PARENTS.items():
            module = f"model.layers.{layer}.{parent}.{name}"
            outputs, inputs = adapters.shape(config, module)
            tensors.append(_noise(numbers, adapters.tensor_name(module, "A"), (rank, inputs)))
            tensors.append(_noise(numbers, adapters.tensor_name(module, "B"), (outputs, rank)))
    write(folder / adapters.WEIGHTS, tensors)
    settings = {
        "base_model_name_or_path": "tiny-llama",
        "bias": "none",
        "fan_in_fan_out": False,
        "lora_alpha": 2 * rank,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": rank,
        "target_modules": list(TARGETS),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }
    write_json(folder / adapters.CONFIG, settings)


def _shapes(config: Mapping[str, object]) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden = adapters.number(config, "hidden_size")
    vocabulary = adapters.number(config, "vocab_size")
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for layer in range(adapters.layers(config)):
        for name, parent in adapters.PARENTS.items():
            module = f"model.layers.{layer}.{parent}.{name}"
            yield f"{module}.weight", adapters.shape(config, module)
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{layer}.{name}.weight", (hidden,)
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (vocabulary, hidden)


def _noise(numbers: np.random.Generator, name: str, shape: tuple[int, ...]) -> tuple[Slot, bytes]:
    """A matrix that keeps its input's size; a norm near 1."""
    values = numbers.normal(0, shape[-1] ** -0.5, shape) if len(shape) > 1 else numbers.normal(1, 0.05, shape)
    return Slot(name, "BF16", shape), values.astype(ml_dtypes.bfloat16).tobytes()


def _tokenizer() -> dict[str, object]:
    """tokenizer.json: a token for each byte and no merges, then the special tokens."""
    vocabulary = {letter: number for number, letter in enumerate(letters())}
    added = [
        {"id": 256 + n, "content": text, "special": True, "single_word": False}
        | {"lstrip": False, "rstrip": False, "normalized": False}
        for n, text in enumerate(SPECIAL)
    ]
    bytewise = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    model = {"type": "BPE", "vocab": vocabulary, "merges": []}
    return {
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": bytewise,
        "decoder": bytewise,
        "model": model,
    }


def letters() -> list[str]:
    """The printable letter that stands for each byte in byte-level vocabularies (as GPT-2's)."""
    plain = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in plain)
    moved = {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [moved.get(byte, chr(byte)) for byte in range(256)]
