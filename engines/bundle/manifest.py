"""Step "manifest": every input and output with its hash, versions, figures; no paths."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engines.bundle.config import Config
from engines.bundle.hashes import Hashes
from engines.bundle.steps import Journal
from engines.model import Model

NAME = "manifest.json"
PACKAGES = ("numpy", "hydra-core", "xllamacpp", "gguf", "ml-dtypes")


def write(config: Config, work: Path) -> None:
    """Write the manifest of the bundle in `work`, whose steps are all done, with its own seal."""
    body = contents(config, work)
    sealed = {"seal": seal(body), **body}
    fresh = work / f".{NAME}.new"
    fresh.write_text(json.dumps(sealed, indent=2) + "\n")
    fresh.replace(work / NAME)


def contents(config: Config, work: Path) -> dict[str, Any]:
    """What the manifest says."""
    # The whole of the builder: every show reads manifests, and starts a tenth of a second sooner without it.
    from engines.bundle.plan import models, plan, server, total

    entries = Journal(work).entries
    files = {name: facts for entry in entries.values() for name, facts in entry.get("outputs", {}).items()}
    planned = plan(config)
    return {
        "bundle": config.name,
        "kind": config.kind.value,
        "steps": {
            name: {key: entry.get(key) for key in ("key", "inputs", "figures", "seconds")}
            for name, entry in entries.items()
        },
        "models": {model.name: {"licence": model.licence, "files": told(model)} for model in models(config)},
        "files": files,
        "figures": {
            "memory_serving": {item.what: round(item.size) for item in planned.serving},
            "memory_total": round(planned.memory),
            "memory_server": round(total(server(config))),
            "bytes": sum(facts["size"] for facts in files.values()),
        },
        "versions": {name: _version(name) for name in PACKAGES}
        | {"python": platform.python_version(), "machine": platform.machine()},
    }


def told(model: Model) -> dict[str, dict[str, Any]]:
    """Size and hash of a model's files, as a manifest has them."""
    return {file.name: {"size": file.size, "sha256": file.sha256} for file in model.files}


def seal(body: Mapping[str, Any]) -> str:
    """The hash of a manifest: a line that was edited by hand does not fit it any more."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> dict[str, Any] | None:
    """A bundle's manifest, or None where there is none or it is not as it was written."""
    try:
        sealed = json.loads((folder / NAME).read_text())
        told = sealed.pop("seal")
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    return sealed if isinstance(sealed, dict) and told == seal(sealed) else None


def sealed(folder: Path) -> str:
    """The seal of the bundle in `folder`, "" where there is none: it changes with every build."""
    said = read(folder)
    return "" if said is None else seal(said)


def served_by(said: Mapping[str, Any]) -> str:
    """The version of TensorRT-LLM that a manifest's serve config is for; "" for another server's bundle."""
    step = said.get("steps", {}).get("serve config", {})
    return str(step.get("figures", {}).get("version", ""))


def lacking(folder: Path) -> str:
    """What is wrong with a bundle at a glance, "" if nothing: no file is read but the manifest."""
    said = read(folder)
    if said is None:
        return f"{NAME} is missing, damaged, or was edited by hand"
    for name, facts in said["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["size"]:
            return f"{name} is missing or cut short"
    return ""


def fresh(folder: Path, known: Hashes) -> bool:
    """Whether the bundle is whole, by what is known of its files: only changed ones are read."""
    said = read(folder)
    if said is None:
        return False
    for name, facts in said["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["size"] or known.of(path) != facts["sha256"]:
            return False
    return True


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
