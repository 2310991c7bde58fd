"""How many bytes of a model one token reads, from its files or from what its server tells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engines.bench.errors import BenchFailed

EMBEDDINGS = ("token_embd.weight", "model.embed_tokens.weight")
HEADS = ("output.weight", "lm_head.weight")
PACKED = 2  # weights in a byte of an NVFP4 file, whose tensors are uint8
SPLIT = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf")
# A mixture's tensors; how many experts it has and uses: ends of GGUF's names, then names in config.json.
EXPERTS = ("_exps.", ".experts.")
HAS = ("expert_count", "num_experts", "num_local_experts", "n_routed_experts")
USES = ("expert_used_count", "num_experts_per_tok", "experts_per_token")


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes that one token reads, parameters that it is multiplied with, and where that is from."""

    read: float
    parameters: float
    source: str


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of a file."""

    name: str
    size: float  # bytes
    values: float  # parameters


def of(path: Path) -> Weights:
    """A GGUF file (the first of several), or a folder of safetensors. Raises BenchFailed."""
    if path.is_dir():
        return _used(*_safetensors(path), path)
    if path.is_file():
        return _used(*_gguf(path), path)
    raise BenchFailed(f"weights={path}: there is no such file; cure: a GGUF file or a checkpoint's folder")


def _used(parts: Iterable[Part], counts: Mapping[str, float], path: Path) -> Weights:
    """A token reads one row of its embedding, unless it is the output layer, too; and a share of experts."""
    found = list(parts)
    tied = not any(part.name in HEADS for part in found)
    read = values = 0.0
    for part in found:
        if part.name in EMBEDDINGS and not tied:
            continue
        of_it = _share(counts, path) if any(mark in part.name for mark in EXPERTS) else 1.0
        read += of_it * part.size
        values += of_it * part.values
    if read <= 0:
        raise BenchFailed(f"weights={path}: it has no tensors")
    return Weights(read, values, path.name)


def _share(counts: Mapping[str, float], path: Path) -> float:
    """Of a mixture's experts that a token uses."""
    every = next((counts[name] for name in HAS if counts.get(name)), 0.0)
    used = next((counts[name] for name in USES if counts.get(name)), 0.0)
    if not 0 < used <= every:
        raise BenchFailed(f"weights={path}: a mixture of experts that does not say how many a token uses")
    return used / every


def _gguf(path: Path) -> tuple[list[Part], dict[str, float]]:
    from gguf import GGUFReader

    parts: list[Part] = []
    counts: dict[str, float] = {}
    for file in _files(path):
        try:
            reader = GGUFReader(file)
            parts += [
                Part(tensor.name, float(tensor.n_bytes), float(tensor.n_elements))
                for tensor in reader.tensors
            ]
            counts |= {
                name.rpartition(".")[2]: float(field.parts[field.data[0]][0])
                for name, field in reader.fields.items()
                if name.endswith(("." + HAS[0], "." + USES[0]))
            }
        except (ValueError, KeyError, IndexError, OSError, UnicodeDecodeError) as error:
            raise BenchFailed(f"weights={file}: no GGUF file ({error})") from error
    return parts, counts


def _files(path: Path) -> list[Path]:
    """A large model comes in several files, each of which says so in its name."""
    if not (split := SPLIT.fullmatch(path.name)):
        return [path]
    return [path.with_name(f"{split[1]}-{n:05}-of-{split[2]}.gguf") for n in range(1, int(split[2]) + 1)]


def _safetensors(folder: Path) -> tuple[list[Part], dict[str, float]]:
    from engines.bundle.errors import BundleError
    from engines.bundle.safetensors_read import Checkpoint, read_json

    try:
        tensors = Checkpoint.of(folder).tensors.values()
        config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    except BundleError as error:
        raise BenchFailed(f"weights={folder}: {error}") from error
    text = config.get("text_config")
    said = config | text if isinstance(text, dict) else config  # of a model that sees, too
    counts = {name: float(said[name]) for name in (*HAS, *USES) if type(said.get(name)) is int}  # type: ignore[arg-type]
    return [
        Part(each.name, float(each.size), _values(each.name, each.dtype, each.shape)) for each in tensors
    ], counts


def _values(name: str, dtype: str, shape: tuple[int, ...]) -> float:
    """Parameters in a tensor; scales are read with the weights, and are none of them."""
    if "scale" in name.rpartition(".")[2]:
        return 0.0
    return math.prod(shape) * (PACKED if dtype == "U8" else 1.0)
