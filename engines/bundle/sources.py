"""Step "fetch": checkpoint and draft from the hub, a folder, or made on the spot; models of the manifest.

What is fetched lies in the model cache and stays there: the next build goes on with it, also after a kill.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from engines import cache, fetch
from engines.bars import Bars
from engines.bundle import hashes, hub, tiny
from engines.bundle.config import Config, Drafting, Kind
from engines.bundle.dims import DIMS
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.safetensors_read import Checkpoint
from engines.bundle.steps import link

RANDOM = "random"


def is_folder(source: str) -> bool:
    """Whether a source is a folder of this machine and not OWNER/NAME on the hub."""
    return source.startswith(("/", "./", "../", "~")) or (source.count("/") != 1 and source != RANDOM)


def place(source: str, revision: str, seed: int) -> Path:
    """Where a source lies, or will."""
    if is_folder(source):
        return Path(source).expanduser().resolve()
    return hub.place(RANDOM, str(seed)) if source == RANDOM else hub.place(source, revision)


def checkpoint(config: Config) -> Path:
    """The main model's checkpoint."""
    return place(config.source, config.revision, config.seed)


def inputs(config: Config, known: Hashes) -> Mapping[str, object]:
    """What this step depends on; of a folder, every file's hash."""
    draft = config.draft if config.draft.kind is not Drafting.never else None
    facts: dict[str, object] = {"models": list(config.models), "draft": None}
    if config.source:
        facts["source"] = _source(config.source, config.revision, config.seed, known)
    if draft:
        facts["draft"] = [draft.kind.value, _source(draft.source, draft.revision, 0, known)]
    return facts


def _source(source: str, revision: str, seed: int, known: Hashes) -> object:
    folder = place(source, revision, seed)
    if not is_folder(source):
        return [source, revision, seed]  # a mirror has the same
    if not folder.is_dir():
        raise BundleError(
            f"source={source}: there is no folder {folder}; cure: OWNER/NAME of the hub, or a folder"
        )
    return hashes.table(folder, hashes.files(folder), known)


def run(config: Config, work: Path, bars: Bars, known: Hashes) -> Mapping[str, object]:
    """Bring everything; link llama.cpp's model and the draft into the bundle."""
    figures: dict[str, object] = {}
    if config.models:
        fetch.fetch(config.models, bars.console)
    if config.kind is Kind.llamacpp:
        name = config.models[0]
        link(cache.locate(name, "model.gguf"), work / "model.gguf")
    if config.source:
        figures["source"] = need(config, bars, known)
    if config.draft.kind is not Drafting.never:
        draft = config.draft
        figures["draft"] = _bring(draft.source, draft.revision, 0, config.hub, bars, known)
        copy(place(draft.source, draft.revision, 0), work / "draft")
        weighed(work / "draft", draft.source)
    return figures


def weighed(folder: Path, source: str) -> None:
    """See that a checkpoint which is taken as it is has all its weights. Raises BundleError."""
    if not any(folder.glob("*.safetensors")):
        raise BundleError(f"{source} has no weights as safetensors; cure: another source, or convert them")
    Checkpoint.of(folder)


def need(config: Config, bars: Bars, known: Hashes) -> Mapping[str, object]:
    """See that the checkpoint is there (the cache may have been emptied); what it is. Raises BundleError."""
    facts = _bring(config.source, config.revision, config.seed, config.hub, bars, known)
    _fits(config, checkpoint(config))
    return facts


def _bring(
    source: str, revision: str, seed: int, address: str, bars: Bars, known: Hashes
) -> Mapping[str, object]:
    """What it is, exactly: the hub's commit, and each file's hash as the hub tells it.

    What lies in the cache is taken where its bytes are still those; a file is read once, and when it changed.
    """
    folder = place(source, revision, seed)
    if is_folder(source):
        return {"commit": "a folder of this machine"}  # its hashes are among the step's inputs
    with cache.alone(
        folder.with_name(f"{folder.name}.lock"),
        lambda: bars.say(f"{source}: another copy fetches it; waiting"),
    ):
        if there := hub.whole(folder, known.of, bars):
            return _said(there)
        folder.mkdir(parents=True, exist_ok=True)
        if source == RANDOM:
            tiny.make(folder, seed)
            files = tuple(
                hub.Remote(path.relative_to(folder).as_posix(), path.stat().st_size, cache.digest(path))
                for path in hashes.files(folder)
            )
            listing = hub.Listing(RANDOM, f"seed {seed}", files)
        else:
            client = hub.Hub(address)
            listing = client.listing(source, revision)
            client.fetch(listing, folder, bars, known)
        hub.keep(folder, listing)
        return _said(listing)


def _said(listing: hub.Listing) -> Mapping[str, object]:
    return {"commit": listing.commit, "files": {file.name: file.hash for file in listing.files}}


def _fits(config: Config, folder: Path) -> None:
    """The checkpoint is of the dimensions that the plan was made for. Raises BundleError."""
    differing = DIMS[config.dims].differing(base_config(folder))
    if differing:
        raise BundleError(
            f"{config.source} is no {config.dims}: {'; '.join(differing[:3])}; cure: another source, or dims="
        )


def base_config(folder: Path) -> dict[str, object]:
    """A checkpoint's config.json. Raises BundleError."""
    try:
        found = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{folder} has no readable config.json; cure: a folder in Hugging Face's layout"
        ) from error
    if not isinstance(found, dict):
        raise BundleError(f"{folder}/config.json is not a table; cure: fetch the checkpoint again")
    return found


def copy(source: Path, target: Path) -> None:
    """A folder's files under another name: linked, or copied where they cannot be."""
    shutil.rmtree(target, ignore_errors=True)
    for path in hashes.files(source):
        link(path, target / path.relative_to(source))
