"""The doctor on this machine: GPU, Docker, keys, disk, memory, versions."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

import anyio
import psutil

from engines import cache, docker
from engines.checkup.finding import Finding, Verdict
from engines.keeper import StartFailed

WITHIN = 3.0  # seconds for a program
DISK_GB, MEMORY_GB = 5.0, 3.0  # of the small engines and the rest
SPEECH = frozenset({"asr", "tts"})  # NIMs, which want a key
PACKAGES = ("xllamacpp", "nvidia-riva-client", "grpcio", "protobuf", "onnxruntime", "hydra-core")


def machine(services: Collection[str], disk_gb: float, memory_gb: float) -> Iterator[Finding]:
    """What it has; a GPU, Docker and a key are bad to lack only where `services` need them.

    These take so many GB beside the small engines."""
    cores = f"{psutil.cpu_count()} cores"
    yield Finding("machine", "ok", f"{platform.machine()}, {cores}, Python {platform.python_version()}")
    yield Finding("versions", "ok", ", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    lacking: Verdict = "bad" if services else "warn"
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    yield _program("GPU", query, lacking, "the NVIDIA driver, or stack=local")
    yield _program("docker", docker.VERSION, lacking)
    yield _program("docker compose", docker.COMPOSE_VERSION, lacking)
    needed: Verdict = "bad" if SPEECH & set(services) else "warn"
    if os.environ.get("NGC_API_KEY"):
        yield Finding("NGC key", "ok", "set")
    else:
        yield Finding("NGC key", needed, "not set", "export NGC_API_KEY=..., made on ngc.nvidia.com")
    free = shutil.disk_usage(
        next(each for each in (cache.root(), *cache.root().parents) if each.is_dir())
    ).free
    wanted = DISK_GB + disk_gb
    yield _amount("disk", free / 1e9, wanted, "free some, or SPARK_MODELS=FOLDER on a larger one")
    free = psutil.virtual_memory().available
    smaller = "stack=local" if services else "llm=smollm2"
    yield _amount("memory", free / 1e9, MEMORY_GB + memory_gb, f"end what is not needed, or {smaller}")


def _program(what: str, argv: Sequence[str], lacking: Verdict, cure: str = "") -> Finding:
    """A program's first line; what Docker's says wrong has cures of its own."""
    if shutil.which(argv[0]) is None:
        return Finding(what, lacking, f"{argv[0]} is missing", cure or "install Docker Engine")
    try:
        said = anyio.run(docker.ask, list(argv), WITHIN).strip()
        if argv == docker.COMPOSE_VERSION:
            docker.old(said)
    except StartFailed as error:
        seen, _, known = str(error).partition("; cure: ")
        return Finding(what, lacking, seen, cure or known)
    return Finding(what, "ok", said.splitlines()[0] if said else "it says nothing")


def _amount(what: str, free: float, wanted: float, cure: str) -> Finding:
    if free >= wanted:
        return Finding(what, "ok", f"{free:.0f} GB free")
    return Finding(what, "warn", f"{free:.0f} GB free of the {wanted:.0f} wanted", cure)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
