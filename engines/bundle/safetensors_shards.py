"""Writes a checkpoint shard by shard; a run that was killed goes on at the shard it was writing.

A journal in the folder holds what the shards are made of (`key`) and the hash of each one that is whole.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import INDEX, SINGLE, Checkpoint, read_json
from engines.bundle.safetensors_write import PART, Draft, Slot, full, write_json
from engines.cache import digest

JOURNAL = ".journal.json"
SHARD_BYTES = 5_000_000_000
SPARE = 100_000_000  # bytes of disk beyond the shards
COPIED = (".json", ".txt", ".model", ".jinja", ".md", "")  # of files beside the weights, by their endings
LEFT = re.compile(r"^(\.|original|consolidated|.*\.index\.json$|hf_quant_config\.json$)")


@dataclass(frozen=True, slots=True)
class Piece:
    """One tensor of the source and what it becomes; its slots stay in one shard."""

    source: str
    slots: tuple[Slot, ...]

    @property
    def size(self) -> int:
        """Bytes to write."""
        return sum(slot.size for slot in self.slots)


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that puts layer 10 after layer 9."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))


def planned(pieces: Iterable[Piece], limit: int) -> dict[str, list[Piece]]:
    """Shards by file name. The same pieces give the same shards, however their source was cut."""
    shards: list[list[Piece]] = [[]]
    room = limit
    for piece in sorted(pieces, key=lambda piece: natural(piece.source)):
        if shards[-1] and piece.size > room:
            shards.append([])
            room = limit
        shards[-1].append(piece)
        room -= piece.size
    if len(shards) == 1:
        return {SINGLE: shards[0]}
    count = len(shards)
    return {f"model-{n:05d}-of-{count:05d}.safetensors": shard for n, shard in enumerate(shards, 1)}


def write(
    target: Path,
    shards: Mapping[str, Sequence[Piece]],
    key: str,
    fill: Callable[[Piece, Draft], None],
    passed: Callable[[Piece], None],
) -> None:
    """Write the shards that are not there yet, then the index. `passed` is told of pieces that are there.

    `key` names the source and the way it is changed. Raises BundleError; what is whole by then is kept."""
    journal = target / JOURNAL
    done = _resumed(target, shards, key)
    _room(target, [piece for name, shard in shards.items() if name not in done for piece in shard])
    for name, shard in shards.items():
        if name in done:
            for piece in shard:
                passed(piece)
            continue
        draft = Draft(target / name, [slot for piece in shard for slot in piece.slots])
        try:
            for piece in shard:
                fill(piece, draft)
            done[name] = draft.finish()
        finally:
            draft.close()
        write_json(journal, {"key": key, "done": done})
    _index(target, shards)


def _resumed(target: Path, shards: Iterable[str], key: str) -> dict[str, str]:
    """The shards that are whole, with their hashes. What belongs to another source is removed."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        noted = _noted(target, key)
        done = {}
        for path in sorted(target.glob("model*.safetensors*")):
            if path.name in shards and path.name in noted and noted[path.name] == digest(path):
                done[path.name] = str(noted[path.name])
            elif path.name.endswith((".safetensors", PART, INDEX)):
                path.unlink()
        return done
    except OSError as error:
        raise full(error, target) from error


def _noted(target: Path, key: str) -> dict[object, object]:
    """The journal's hashes by file; none where it is of another source, damaged, or not there."""
    try:
        found = read_json(target / JOURNAL)
    except BundleError:
        return {}
    done = found.get("done") if found.get("key") == key else None
    return done if isinstance(done, dict) else {}


def _room(target: Path, pieces: Iterable[Piece]) -> None:
    need = sum(piece.size for piece in pieces)
    free = shutil.disk_usage(target).free
    if need and free < need + SPARE:
        raise BundleError(
            f"no room in {target}: {(need + SPARE) / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free;"
            " cure: free some, or build on another disk"
        )


def _index(target: Path, shards: Mapping[str, Sequence[Piece]]) -> None:
    if len(shards) == 1:
        return
    placed = {slot.name: name for name, shard in shards.items() for piece in shard for slot in piece.slots}
    size = sum(piece.size for shard in shards.values() for piece in shard)
    ordered = {name: placed[name] for name in sorted(placed)}
    write_json(target / INDEX, {"metadata": {"total_size": size}, "weight_map": ordered})


def copy_rest(source: Path, target: Path) -> None:
    """Copy configuration, tokenizer and licence: everything small beside the weights. Raises BundleError."""
    try:
        for path in sorted(source.iterdir()):
            if path.is_file() and path.suffix in COPIED and not LEFT.match(path.name):
                shutil.copyfile(path, target / path.name)
    except OSError as error:
        raise full(error, target) from error


def fingerprint(checkpoint: Checkpoint) -> str:
    """What tells one source from another without reading all of it: names, places, and times of change."""
    digest = hashlib.sha256()
    for name in sorted(checkpoint.tensors):
        tensor = checkpoint.tensors[name]
        changed = tensor.file.stat().st_mtime_ns
        digest.update(
            f"{name} {tensor.dtype} {tensor.shape} {tensor.file.name} {tensor.at} {changed}\n".encode()
        )
    return digest.hexdigest()
