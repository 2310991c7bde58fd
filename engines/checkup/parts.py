"""The doctor on the config's parts: models, bundles, ports, containers, and each server's wire."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio
from omegaconf import DictConfig, OmegaConf

from engines import adopt, compose, contained, port, services
from engines.bundle import manifest, words
from engines.bundle.disk import disks
from engines.bundle.plan import plan
from engines.cache import ModelError, known, locate
from engines.checkup import wires
from engines.checkup.finding import Finding
from engines.checkup.wires import Nobody, Wrong
from engines.compose import Seen
from engines.keeper import StartFailed
from engines.specs import specs
from engines.vision.environment import environment
from engines.vision.options import Device

LOOK_SECONDS = 5.0


def engines(cfg: DictConfig) -> Iterator[Finding]:
    """What our own engines need. Raises OptionError."""
    found = specs(cfg) if cfg.engines.start else []
    here = contained.children(cfg, found)
    for spec in found:
        for model in spec.models:
            try:
                for file in known(model).files:
                    locate(model, file.name)
                yield Finding(f"model {model}", "ok", "in the cache")
            except ModelError as error:
                yield Finding(f"model {model}", "warn", str(error), "none: the next start fetches it")
        if spec not in here:
            continue
        if spec.name == contained.NAME:
            yield _eyes(Device[str(cfg.vision.engine.device)])
        if port.free(spec.host, spec.port):
            yield Finding(f"port {spec.port}", "ok", f"free for {spec.name}")
        else:
            other = f"{spec.port_key}={port.instead(spec.host, spec.port)}"
            yield Finding(
                f"port {spec.port}", "bad", f"{spec.name}'s is taken{port.holder(spec.port)}", other
            )


def _eyes(device: Device) -> Finding:
    """The environment of eyes that are a child process; in a container it comes with the image."""
    made, what = environment(device), "vision's environment"
    if device is Device.cuda and shutil.which("nvidia-smi") is None:
        return Finding(what, "bad", "no NVIDIA GPU for device=cuda", "vision=local or none, or the driver")
    if made.made:
        return Finding(what, "ok", str(made.folder))
    cure = f"none: the next start makes it, as ./build_engines.sh vision device={device.name} does"
    return Finding(what, "warn", "not made yet", cure)


def bundles(cfg: DictConfig) -> Iterator[Finding]:
    """The engine bundles that the config would load, and what each character speaks with."""
    for folder, needed in adopt.folders(cfg).items():
        cure = f"./build_engines.sh bundle={folder.name}"
        wrong = manifest.lacking(folder) if folder.is_dir() else "there is none"
        if not wrong:
            check = f"./build_engines.sh verify bundle={folder.name} reads every byte"
            yield Finding(f"bundle {folder.name}", "ok", f"whole by its files' sizes ({check})")
        elif needed or folder.is_dir():
            yield Finding(f"bundle {folder.name}", "bad" if needed else "warn", f"{folder}: {wrong}", cure)
    adapters = OmegaConf.select(cfg, "llm.adapter.adapters") or {}
    for who in cfg.cast:
        if who in adapters:
            yield Finding(f"persona {who}", "ok", f"LoRA {adapters[who]}")
        else:
            cure = f"./build_engines.sh bundle=NAME adapters.{who}=FOLDER, if one was trained"
            yield Finding(f"persona {who}", "ok", "a prompt alone, no LoRA", cure)


def look(names: Sequence[str]) -> dict[str, Seen]:
    """The containers of the services of compose.yaml that the config starts."""
    try:
        return anyio.run(compose.look, names, LOOK_SECONDS) if names else {}
    except StartFailed:
        return {name: Seen() for name in names}  # what is wrong with Docker stands in a line of its own


def memory_gb(seen: Mapping[str, Seen]) -> float:
    """What the containers that do not run yet may take."""
    there = services.described(())
    names = [name for name, each in seen.items() if name in there and not each.ready]
    return sum(services.limit_gb(there[name], os.environ) for name in names)


def disk_gb(cfg: DictConfig) -> float:
    """What the bundles that have to be built yet still write, as they are planned."""
    size = 0.0
    for folder, needed in adopt.folders(cfg).items():
        if needed and not folder.is_dir() and folder.name in words.bundles():
            config = replace(words.read(folder.name), root=str(folder.parent))
            size += sum(each.need - each.there for each in disks(config, plan(config)))
    return size / 1e9


def told(cfg: DictConfig) -> dict[str, str]:
    """What the eyes' container would be told; nothing while a model is missing. Raises OptionError."""
    try:
        return contained.told(cfg)
    except ModelError:
        return {}  # a model's own line tells it


def containers(seen: Mapping[str, Seen], told: Mapping[str, str]) -> Iterator[Finding]:
    """The services that the config starts: they run, or their ports are free."""
    there = services.described(())
    for name, each in seen.items():
        if name not in there:
            yield Finding(name, "bad", "no such service", f"engines.services: some of {', '.join(there)}")
            continue
        image = there[name]["image"]
        if each.state == "running" and not compose.outdated(there[name], each, told):
            logs = f"docker compose -f engines/compose.yaml logs {name}"
            yield Finding(name, "bad" if each.failed else "ok", each.words, logs if each.failed else "")
            continue
        if wrong := services.misfit(there[name], os.environ):
            yield Finding(f"{name}'s bundle", "bad", *wrong)
        if each.state == "running":
            yield Finding(
                name, "warn", f"{each.words}, with another bundle or options; the show starts it anew"
            )
            continue
        ours = "builds and starts" if "build" in there[name] else "starts"
        yield Finding(name, "ok", f"{each.state}; the show {ours} {image}")
        for host, number in services.ports(there[name]):
            if not port.free(host, number):
                taken = f"{name}'s is taken{port.holder(number)}"
                yield Finding(f"port {number}", "bad", taken, "stop that, or engines.start=false to use it")


def servers(cfg: DictConfig) -> Iterator[Finding]:
    """Each configured server's own wire. One that the show does not start must be there."""
    starts = _starts(cfg) if cfg.engines.start else {}
    for wire, (group, word, _) in wires.WIRES.items():
        for name, section in cfg[group].items():
            unused = name == "small" and str(cfg.llm.get("opener")) == "never"
            if isinstance(section, DictConfig) and word in section and not unused:
                said = OmegaConf.to_container(section, resolve=True)
                assert isinstance(said, dict)
                by = starts.get(wires.port(str(said[word])), "")
                key = f"{group}.{name}" if wire == group else f"{group}.{name}.{word}"
                yield _wire(key, wire, str(said[word]), said, by)
    if cfg.broadcast:
        address = f"ws://{cfg.broadcast.host}:{cfg.broadcast.port}"
        yield _wire("broadcast", "broadcast", address, {**cfg.broadcast, "address": address}, "")


def _starts(cfg: DictConfig) -> dict[int | None, str]:
    """Who of ours will have which port: "engine" or a service's name."""
    there = services.described(())
    ours: dict[int | None, str] = {spec.port: "engine" for spec in contained.children(cfg, specs(cfg))}
    for name in contained.services(cfg):
        if name in there:
            ours |= {number: name for _, number in services.ports(there[name])}
    return ours


def _wire(key: str, wire: str, address: str, section: Mapping[Any, Any], by: str) -> Finding:
    """`by` starts it, if anybody does. A container may be loading its model yet, and then breaks off."""
    elsewhere = f"start it, or {key} for another server"
    try:
        return Finding(key, "ok", f"{address}: {wires.ask(wire, section)}")
    except Nobody as error:
        if by:
            return Finding(key, "ok", f"{address}: nobody there yet; the show starts it")
        return Finding(key, "bad", f"{address}: nobody there ({error})", elsewhere)
    except Wrong as error:
        if by not in ("", "engine"):
            cure = f"docker compose -f engines/compose.yaml logs {by}"
            return Finding(key, "warn", f"{address}: not ready ({error})", cure)
        return Finding(key, "bad", f"{address}: {error}", elsewhere)
