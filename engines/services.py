"""What compose.yaml says of a service: where it listens, which bundle it serves, what it needs to start."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # comes with omegaconf

from engines import port
from engines.bundle import manifest
from engines.keeper import StartFailed

FILE = Path(__file__).with_name("compose.yaml")
MOUNT = ":/bundle:ro"  # where a bundle is mounted: ${VARIABLE:-default}:/bundle:ro
LIMIT = re.compile(r"(?:\$\{(\w+):-)?(\d+g)\}?")
GIB = 2**30
AIR = 1.05  # over what is planned: a process that is over its limit is killed
TAG = re.compile(r":v?((\d+\.\d+)[\w.]*)$")  # of an image: all of it, and what its config is gated by


@dataclass(frozen=True, slots=True)
class Bundle:
    """The bundle that a service serves: `variable` of the environment names another folder."""

    folder: Path
    variable: str
    name: str  # of the one that is meant where the variable is not set


def described(services: Sequence[str]) -> dict[str, Any]:
    """The services of compose.yaml. Raises StartFailed for one that it lacks."""
    there: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    for name in services:
        if name not in there:
            raise StartFailed(f"engines.services: no service '{name}'; the services are: {', '.join(there)}")
    return there


def ports(service: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Host and port of everything that a service publishes."""
    for published in service.get("ports", []):
        host, number, _ = published.split(":")
        yield host, int(number)


def bundle(service: Mapping[str, Any], environment: Mapping[str, str]) -> Bundle | None:
    """The bundle that a service serves, if it serves one."""
    for volume in service.get("volumes", []):
        if volume.endswith(MOUNT):
            words = volume.removesuffix(MOUNT).removeprefix("${").removesuffix("}")
            variable, default = words.split(":-")
            folder = FILE.parent / (environment.get(variable) or default)
            return Bundle(folder, variable, Path(default).name)
    return None


def misfit(service: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with a bundle that was built for another version of the server than the image holds, and
    the cure: a key that the server lacks would end it after minutes of loading."""
    serves, tag = bundle(service, environment), TAG.search(service["image"])
    said = manifest.read(serves.folder) if serves else None
    built = manifest.served_by(said) if said else ""
    if serves is None or said is None or tag is None or built in ("", tag[2]):
        return None
    seen = f"{serves.folder} was built for TensorRT-LLM {built}, and its image is {tag[1]}"
    cure = f"./build_engines.sh bundle={said['bundle']} serve.version={tag[2]}"
    return seen, f"{cure}, or a tag of {built} in engines/{FILE.name}"


def limit_gb(service: Mapping[str, Any], environment: Mapping[str, str]) -> float:
    """The memory that a service may take, GB."""
    found = LIMIT.fullmatch(service["mem_limit"])
    assert found, service["mem_limit"]
    return int(memory(service, environment).get(found[1], found[2]).removesuffix("g")) * GIB / 1e9


def memory(service: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """The variable that compose.yaml takes a bundle's memory limit from, and what that is planned with;
    nothing where there is none, or not whole: then the file's own limit holds."""
    serves, found = bundle(service, environment), LIMIT.fullmatch(service["mem_limit"])
    said = manifest.read(serves.folder) if serves else None
    planned = said.get("figures", {}).get("memory_server") if said else None
    return {found[1]: limited(planned)} if found and found[1] and planned else {}


def limited(planned: float) -> str:
    """Bytes that are planned as a limit of Docker's, whose g is 2^30 bytes, with some air."""
    return f"{math.ceil(AIR * planned / GIB)}g"


def address(service: Mapping[str, Any], inside: int) -> tuple[str, int]:
    """Host and port under which a service publishes a port of its container."""
    published = (each.split(":") for each in service["ports"])
    return next((host, int(number)) for host, number, there in published if int(there) == inside)


def speaker(folder: Path, environment: Mapping[str, str]) -> str:
    """Whose weights a bundle's server loads, where each persona has a checkpoint of its own: SPARK_PERSONA's,
    else the first one's; compose.yaml's entrypoint chooses likewise. "" where there is no bundle."""
    try:
        servers = list(json.loads((folder / "serve.json").read_text()))
    except (OSError, ValueError, TypeError):
        return ""
    wanted = environment.get("SPARK_PERSONA", "")
    return wanted if wanted in servers else next(iter(servers), "")


def check(there: Mapping[str, Any], missing: Sequence[str], environment: Mapping[str, str]) -> None:
    """What must be there before services are started. Raises StartFailed: one line with the cure."""
    for name in missing:
        service = there[name]
        if "NGC_API_KEY" in (service.get("environment") or {}) and not environment.get("NGC_API_KEY"):
            raise StartFailed(f"{name}: NGC_API_KEY is not set; cure: export one made on ngc.nvidia.com")
        if "deploy" in service and shutil.which("nvidia-smi") is None:
            raise StartFailed(
                f"{name}: no NVIDIA GPU here (nvidia-smi is missing); cure: stack=local, or the driver"
            )
        serves = bundle(service, environment)
        if serves and (lacking := manifest.lacking(serves.folder)):
            there_is = (serves.folder / "serve.json").is_file()
            wrong = f"{serves.folder}: {lacking}" if there_is else f"no engine bundle in {serves.folder}"
            cure = f"./build_engines.sh bundle={serves.name}, or {serves.variable}=FOLDER"
            raise StartFailed(f"{name}: {wrong}; cure: {cure}")
        fits(name, service, environment)
        for host, number in ports(service):
            if not port.free(host, number):
                taken = f"{name}: port {number} is taken{port.holder(number)}"
                raise StartFailed(f"{taken}; cure: stop that, or engines.start=false to use it")


def fits(name: str, service: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    """Raises StartFailed, one line with the cure, for a bundle of another version than the server's."""
    if wrong := misfit(service, environment):
        raise StartFailed(f"{name}: {wrong[0]}; cure: {wrong[1]}")
