"""The keys of trtllm-serve's config that are known here, each with the versions that have it: strict.

TensorRT-LLM cannot be imported where bundles are planned and tested, and it refuses unknown keys only when
the 70B model is about to be loaded: so a wrong key stops the build. Source: its published API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engines.bundle.errors import BundleError
from engines.bundle.versions import VERSIONS, since


@dataclass(frozen=True, slots=True)
class Key:
    """A key: what its value must be, the first version that has it, the last one ("" for still there)."""

    kind: str
    first: str = VERSIONS[0]
    last: str = ""
    choices: tuple[str, ...] = ()


Table = Mapping[str, "Key | Table"]

KINDS: Mapping[str, Callable[[object], bool]] = {
    "text": lambda v: isinstance(v, str) and bool(v),
    "bool": lambda v: isinstance(v, bool),
    "count": lambda v: type(v) is int and v > 0,
    "share": lambda v: isinstance(v, int | float) and not isinstance(v, bool) and 0 < v <= 1,
    "counts": lambda v: isinstance(v, list) and bool(v) and all(type(n) is int and n > 0 for n in v),
    "texts": lambda v: isinstance(v, list) and all(isinstance(n, str) and n for n in v),
}
MODULES = ("attn_q", "attn_k", "attn_v", "attn_dense", "mlp_h_to_4h", "mlp_gate", "mlp_4h_to_h")

SCHEMA: Table = {
    "max_batch_size": Key("count"),
    "max_num_tokens": Key("count"),
    "max_seq_len": Key("count"),
    "enable_chunked_prefill": Key("bool"),
    "disable_overlap_scheduler": Key("bool"),
    "guided_decoding_backend": Key("text", choices=("xgrammar", "llguidance")),
    "return_perf_metrics": Key("bool"),
    "enable_iter_perf_stats": Key("bool"),
    "stream_interval": Key("count"),
    "enable_autotuner": Key("bool"),
    "lora_config": {
        "lora_dir": Key("texts"),
        "lora_target_modules": Key("texts", choices=MODULES),
        "max_lora_rank": Key("count"),
        "max_loras": Key("count"),
        "max_cpu_loras": Key("count"),
    },
    "kv_cache_config": {
        "dtype": Key("text", choices=("auto", "fp8")),
        "enable_block_reuse": Key("bool"),
        "max_tokens": Key("count"),
        "free_gpu_memory_fraction": Key("share"),
    },
    "cuda_graph_config": {
        "enable_padding": Key("bool"),
        "batch_sizes": Key("counts"),
        "max_batch_size": Key("count"),
    },
    "speculative_config": {
        "decoding_type": Key("text", choices=("Eagle", "Eagle3", "DraftTarget", "NGram")),
        "max_draft_len": Key("count"),
        "speculative_model_dir": Key("text", last="1.2"),
        "speculative_model": Key("text", first="1.3"),
    },
}


def check(values: Mapping[str, object], version: str, table: Table = SCHEMA, path: str = "") -> None:
    """Raises BundleError for a key that is unknown, or that this version lacks, or whose value is wrong."""
    for name, value in values.items():
        key, full = table.get(name), f"{path}{name}"
        if key is None:
            raise BundleError(
                f"serve: trtllm-serve has no key '{full}' that is known here; the keys are:"
                f" {', '.join(f'{path}{known}' for known in table)}"
            )
        if not isinstance(key, Key):
            if not isinstance(value, Mapping):
                raise BundleError(f"serve: {full} must be a table, not {value!r}")
            check(value, version, key, f"{full}.")
            continue
        if not since(version, key.first):
            raise BundleError(f"serve: {full} is there from TensorRT-LLM {key.first} on, not in {version}")
        if key.last and not since(key.last, version):
            raise BundleError(f"serve: {full} is gone after TensorRT-LLM {key.last}; this is {version}")
        _value(full, key, value)


def _value(full: str, key: Key, value: object) -> None:
    if not KINDS[key.kind](value):
        raise BundleError(f"serve: {full} must be a {key.kind}, not {value!r}")
    given = value if isinstance(value, list) else [value]
    if key.choices and not set(given) <= set(key.choices):
        raise BundleError(f"serve: {full} is one of {', '.join(key.choices)}, not {value!r}")
