"""Our options as llama.cpp's parameters."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engines import cache
from engines.llm.options import Options, batch
from engines.llm_key import key

KEPT = 8  # prefilled prefixes, of some 30 MB each


def prefixes(options: Options, files: Iterable[Path]) -> Path | None:
    """The folder for slots that clients save (/slots/N?action=save), with old ones gone; None for none, and
    where it cannot be made.

    `files` are what a prefix depends on, the model among them: what was prefilled with an adapter is of no
    use to another one, nor to the same one trained further, and no server reads what another saved, nor what
    it saved itself with another number of slots (llama.cpp: "n_stream mismatch") or layout of the cache."""
    if options.prefix_folder == "none":
        return None
    path = Path(options.prefix_folder).expanduser() if options.prefix_folder else _usual()
    known = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    made = repr((options.slots, options.flash, known))
    own = path / hashlib.sha256(made.encode()).hexdigest()[:16]
    try:
        newest = sorted(path.rglob("*.kv"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in newest[KEPT:]:
            old.unlink(missing_ok=True)
        own.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # the models may lie where nothing else may be written
        why = f"{path} cannot be written ({error.strerror})"
        sys.stderr.write(f"prefixes are not kept: {why}; llm.engine.prefix_folder names another place\n")
        return None
    return own


def origin(options: Options) -> str:
    """The only origin whose pages may read its answers: its own, which has none."""
    return f"http://{options.host}:{options.port}"


def _usual() -> Path:
    return cache.root().parent / "prefixes"


def params(options: Options, path: Path) -> Any:
    """xllamacpp's CommonParams for a server of our kind."""
    from xllamacpp import CommonAdapterLoraInfo, CommonParams, llama_flash_attn_type, llama_load_mode

    p = CommonParams()
    p.model.path = str(path)
    p.model_alias = {options.model}
    p.hostnames = [options.host]
    p.port = options.port
    p.n_parallel = options.slots
    p.n_ctx = options.slots * options.context
    p.n_batch = p.n_ubatch = batch(options)
    p.cpuparams.n_threads = options.threads
    p.cpuparams_batch.n_threads = options.threads_batch
    p.n_threads_http = options.slots + 3  # a stream holds one; health and cancels must still be heard
    p.cache_ram_mib = 0  # prompts of the past are not kept beside the slots: 8 GB by default
    p.slot_prompt_similarity = 0.0  # requests name their slot; a guess would evict another's prefix
    p.n_ctx_checkpoints = 0
    p.flash_attn_type = getattr(
        llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{'ENABLED' if options.flash else 'DISABLED'}"
    )
    p.load_mode = getattr(llama_load_mode, f"LLAMA_LOAD_MODE_{'MMAP' if options.mmap else 'NONE'}")
    p.warmup = True
    adapters = [Path(adapter).expanduser() for adapter in options.adapters.values()]
    # scale 0: a request that names none is the base model's
    p.lora_adapters = [CommonAdapterLoraInfo(str(adapter), 0.0) for adapter in adapters]
    if folder := prefixes(options, [path, *adapters]):
        p.slot_save_path = f"{folder}/"
    p.ui = False
    # any page that a browser here has open reaches this port: none may read answers, or ask without the key
    p.cors_origins = origin(options)
    p.api_keys = [key()] if key() else []
    p.endpoint_slots = True
    p.verbosity = 1
    return p
