"""What a bundle takes, before anything is done: downloads, disk, memory, time. Computed, not typed in.

Every figure in bytes, except where GB stands. Nothing here touches the network or writes a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from engines import cache
from engines.bundle import modelopt, native, repack, sources
from engines.bundle.config import Config, Drafting, Kind, Mode, Quantise
from engines.bundle.dims import DIMS, Dims
from engines.bundle.words import read
from engines.model import Model

GB = 1e9
STREAM_MEMORY = 8e9  # quantise=stream: its bound, whatever the model's size
STREAM_SPEED = 100e6  # bytes of bf16 a second, on two cores; more cores are faster
MODELOPT_SPEED = 400e6  # the same on a GPU, loading included: an estimate
MODELOPT_BYTES = 5.1e9  # its environment on a disk, torch with CUDA; less of it is downloaded
COPY_SPEED = 1e9  # hashing and copying
NATIVE_SECONDS = 500.0  # core-seconds of compiling llama.cpp's server
SMALLER = ("llama33-70b-nvfp4", "qwen25-32b-dual", "qwen-1.5b", "smollm2")  # what else fits, the best first
HELD = 1e9  # this program, and a block of whatever it copies; or torch


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a plan: what, how many bytes of it, and on a disk, which steps of the build need it there;
    `where` it lies, if not with its like."""

    what: str
    size: float
    steps: tuple[str, ...] = ()
    where: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build takes, what is there already counted too; `kept` is beside the downloads on the disk."""

    download: list[Item]
    kept: list[Item]
    building: float
    serving: list[Item] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def disk(self) -> list[Item]:
        """What lies on the disk at the fullest moment."""
        return [*self.download, *self.kept]

    @property
    def memory(self) -> float:
        """Bytes while serving."""
        return total(self.serving)


def total(items: list[Item]) -> float:
    """The sum of a plan's lines."""
    return sum(item.size for item in items)


def plan(config: Config) -> Plan:
    """The plan of a bundle. Raises BundleError when its opener is no bundle."""
    downloads = _downloads(config)
    return Plan(downloads, _kept(config), _building(config), _serving(config), _seconds(config, downloads))


def models(config: Config) -> list[Model]:
    """The models of the manifest, in order; the first of llama.cpp's is the language model."""
    return [cache.known(name) for name in config.models]


def dims(config: Config) -> Dims:
    """The architecture."""
    return DIMS[config.dims]


def merged(config: Config) -> int:
    """How many checkpoints of their own the merged personas need; both, where none is given yet."""
    return len(config.adapters.given) or 2 if config.adapters.mode is Mode.merged else 1


def _downloads(config: Config) -> list[Item]:
    found = [
        Item(f"{model.name} ({model.licence})", float(model.size), ("fetch",)) for model in models(config)
    ]
    if config.source and config.source != sources.RANDOM and not sources.is_folder(config.source):
        ready = config.quantise is Quantise.never
        size = dims(config).nvfp4 if ready else dims(config).bf16
        needed = ("fetch", "quantise", *(["adapters"] if config.adapters.given else []))
        found.append(Item(f"{config.source} ({'NVFP4' if ready else 'bf16'})", size, needed))
    if config.draft.kind is not Drafting.never and not sources.is_folder(config.draft.source):
        found.append(Item(config.draft.source, _draft(config), ("fetch",)))
    if config.quantise is Quantise.modelopt and not modelopt.ENVIRONMENT.made:
        where = modelopt.ENVIRONMENT.folder.parent
        found.append(Item("ModelOpt's environment", MODELOPT_BYTES, ("quantise",), where))
    if config.native:
        found.append(Item("llama.cpp's source", native.SOURCE_BYTES, ("native",)))
    return found


def _kept(config: Config) -> list[Item]:
    """What lies on the disk beside the downloads, at the fullest moment."""
    found = []
    if config.kind is Kind.trtllm:
        count, step = merged(config), ("quantise",)
        if config.quantise is not Quantise.never or config.adapters.mode is Mode.merged:
            found.append(
                Item(f"NVFP4 checkpoint{'s' if count > 1 else ''}", count * dims(config).nvfp4, step)
            )
        if config.adapters.mode is Mode.merged:
            found.append(Item("one merged persona in bf16, while it is quantised", dims(config).bf16, step))
    if config.adapters.mode is Mode.lora:
        found.append(Item(f"adapters, rank {config.adapters.max_rank}", _adapters(config), ("adapters",)))
    if config.native:
        found.append(Item("llama.cpp while it is compiled", native.TREE_BYTES, ("native",)))
    if repacks(config):
        found.append(Item("model-amx.gguf", repack.GREW * models(config)[0].size, ("repack",)))
    return found


def linked(config: Config) -> list[tuple[Path, Item]]:
    """What a bundle has as links, and from where: on another disk these are copies."""
    found = []
    if config.kind is Kind.llamacpp:
        found.append((cache.root(), Item("model.gguf", float(models(config)[0].size), ("fetch",))))
    elif config.quantise is Quantise.never:
        origin = sources.checkpoint(config)
        found.append((origin, Item("NVFP4 checkpoint", dims(config).nvfp4, ("quantise",))))
    if config.draft.kind is not Drafting.never:
        origin = sources.place(config.draft.source, config.draft.revision, 0)
        found.append((origin, Item("draft", _draft(config), ("fetch",))))
    return found


def server(config: Config) -> list[Item]:
    """What a server of the bundle takes; of merged personas each has one."""
    return [
        Item("weights", _weights(config)),
        Item(f"adapters, rank {config.adapters.max_rank}", _adapters(config)),
        Item(f"draft: {config.draft.kind.value}", _draft(config)),
        Item("KV cache", _kv(config)),
        Item("graphs and workspaces", config.beside.graphs * GB),
    ]


def _serving(config: Config) -> list[Item]:
    beside, many = config.beside, merged(config)
    times = f", {many} of them" if many > 1 else ""
    return [
        *(Item(f"{each.what}{times}", many * each.size) for each in server(config)),
        Item(f"opener: {config.opener}", _opener(config)),
        Item("ASR", beside.asr * GB),
        Item("TTS", beside.tts * GB),
        Item("vision", beside.vision * GB),
        Item("Milvus", beside.milvus * GB),
        Item("the rest", beside.rest * GB),
    ]


def repacks(config: Config) -> bool:
    """Whether the bundle has its weights in AMX's layout as well."""
    return config.native and repack.pays(native.cpu())


def _weights(config: Config) -> float:
    if config.kind is Kind.llamacpp:
        return models(config)[0].size * (repack.GREW if repacks(config) else 1.0)
    return dims(config).nvfp4


def _adapters(config: Config) -> float:
    if config.adapters.mode is not Mode.lora:
        return 0.0
    size = dims(config).lora(config.adapters.max_rank)
    if config.kind is Kind.llamacpp:
        return 2 * size * len(config.adapters.given)  # its files are f32
    return 2 * size  # a GPU's pool is for both


def _kv(config: Config) -> float:
    if config.kind is Kind.llamacpp:
        return dims(config).kv(config.slots * config.context, 2)
    return dims(config).kv(config.serve.kv_tokens, 1 if config.serve.kv_dtype == "fp8" else 2)


def _draft(config: Config) -> float:
    kind = config.draft.kind
    if kind is Drafting.never:
        return 0.0
    shape = DIMS[config.draft.dims]
    return shape.eagle3() if kind is Drafting.eagle3 else shape.nvfp4


def _opener(config: Config) -> float:
    """All that the opener's server takes."""
    return 0.0 if config.opener == "never" else total(_serving(read(config.opener)))


def _building(config: Config) -> float:
    if config.quantise is Quantise.modelopt:
        return HELD + 1.1 * dims(config).bf16
    if config.quantise is Quantise.stream:
        return min(STREAM_MEMORY, HELD + 2 * dims(config).bf16)
    return HELD


def _seconds(config: Config, downloads: list[Item]) -> float:
    fetching = total(downloads) / (config.network * 1e6 / 8)
    hashing = (total(downloads) + total(_kept(config))) / COPY_SPEED
    speed = {Quantise.stream: STREAM_SPEED, Quantise.modelopt: MODELOPT_SPEED}.get(config.quantise)
    quantising = merged(config) * dims(config).bf16 / speed if speed else 0.0
    return fetching + hashing + quantising + (NATIVE_SECONDS / config.threads if config.native else 0.0)


def fitting(config: Config, fits: Callable[[Config], bool]) -> str:
    """The override, or several, with which it fits; "" where none of ours does."""
    ways: list[tuple[str, Callable[[Config], Config]]] = [
        ("adapters=lora", lambda c: replace(c, adapters=replace(c.adapters, mode=Mode.lora))),
        ("quantise=stream", _streamed),
        ("native=false", lambda c: replace(c, native=False)),
        ("serve.kv_tokens=16384", _less_kv),
        ("draft.kind=never", lambda c: replace(c, draft=replace(c.draft, kind=Drafting.never))),
        ("opener=never", lambda c: replace(c, opener="never")),
    ]
    for word, change in ways:
        if change(config) != config and fits(change(config)):
            return word
    said = []
    for word, change in ways:
        if change(config) != config:
            config = change(config)
            said.append(word)
            if fits(config):
                return " ".join(said)
    smaller = (replace(read(name), root=config.root) for name in SMALLER)
    return next((f"bundle={other.name}" for other in smaller if fits(other)), "")


def _streamed(config: Config) -> Config:
    return replace(config, quantise=Quantise.stream) if config.quantise is Quantise.modelopt else config


def _less_kv(config: Config) -> Config:
    if config.kind is Kind.llamacpp or config.serve.kv_tokens <= 16384:
        return config
    return replace(config, serve=replace(config.serve, kv_tokens=16384))
