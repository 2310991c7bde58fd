"""`launch.py +show=check`: what this machine has of what the config needs, a line each; it starts nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from engines import contained
from engines.checkup import parts, wide
from engines.checkup.chat import chat
from engines.checkup.finding import Finding
from engines.checkup.machine import machine
from engines.options import OptionError

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def examine(cfg: DictConfig) -> Iterator[Finding]:
    """Everything, in the order of a start. Raises OptionError for an engine's option."""
    services = contained.services(cfg)
    seen = parts.look(services)
    yield from machine(services, parts.disk_gb(cfg), parts.memory_gb(seen))
    yield from parts.containers(seen, parts.told(cfg))
    yield from parts.engines(cfg)
    yield from wide.compiled(cfg)
    yield from parts.bundles(cfg)
    yield from parts.servers(cfg)
    yield from chat(cfg)


def tell(findings: Iterable[Finding], console: Console, path: str) -> int:
    """Print each line as it is found, write all as JSON to `path` if it is given; the exit status.

    Raises OptionError where it cannot be written."""
    told = []
    for each in findings:
        told.append(each)
        cure = f"; cure: {each.cure}" if each.cure else ""
        console.print(f"{each.verdict:4}", style=COLOURS[each.verdict], end=" ")
        console.print(f"{each.what}: {each.seen}{cure}", markup=False, highlight=False, soft_wrap=True)
    try:
        if path:
            Path(path).write_text(json.dumps([asdict(each) for each in told], indent=2) + "\n")
    except OSError as error:
        raise OptionError(f"check.json: {path} cannot be written ({error.strerror})") from error
    return 1 if any(each.verdict == "bad" for each in told) else 0
