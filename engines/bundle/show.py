"""A plan as people see it, and its refusal: too much memory, too little disk, with the override that fits."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from engines import cache, services
from engines.bundle import hub, sources
from engines.bundle.config import Config, Drafting, Kind
from engines.bundle.errors import BundleError
from engines.bundle.plan import Plan, fitting, models, plan, total
from engines.bundle.words import folder


def show(config: Config, console: Console) -> Plan:
    """Print what it takes; nothing is done."""
    made = plan(config)
    console.print(f"bundle {config.name}: {config.what}", highlight=False, soft_wrap=True)
    table = Table()
    table.add_column("what")
    table.add_column("size", justify="right")
    there = present(config)
    for heading, items in (
        ("to download", made.download),
        ("on the disk", made.disk),
        ("while serving", made.serving),
    ):
        table.add_row(f"[bold]{heading}[/]", f"[bold]{size(total(items))}[/]")
        for item in items:
            if item.size:
                table.add_row(f"  {item.what}", size(item.size))
        table.add_section()
    table.add_row("[bold]memory while building[/]", f"[bold]{size(made.building)}[/]")
    console.print(table)
    fetched = min(total(made.download), there)
    lines = (
        f"downloads: {size(total(made.download) - fetched)} to fetch, {size(fetched)} there",
        f"disk: {size(total(made.disk))} at the fullest, {size(there)} there, {size(free(config))} free",
        f"memory: about {size(made.memory)} while it runs, at most {config.limit:.0f} GB by `limit`;"
        f" {size(psutil.virtual_memory().total)} in this machine",
        f"time: about {duration(made.seconds)} from nothing, at {config.network:.0f} Mbit/s",
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    return made


def refuse(config: Config, made: Plan) -> None:
    """Raises BundleError when it does not fit, naming the override that does."""
    if made.memory > config.limit * 1e9:
        way = fitting(config, lambda other: other.memory <= config.limit * 1e9)
        raise BundleError(
            f"bundle {config.name} takes {size(made.memory)} of memory while it runs,"
            f" over {config.limit:.0f} GB;"
            f" cure: {way or 'a larger limit=, on a larger machine'}"
        )
    need, room = total(made.disk), free(config) + present(config)
    if need > room:
        way = fitting(config, lambda other: total(other.disk) <= room)
        raise BundleError(
            f"bundle {config.name} takes {size(need)} of disk, {size(room)} are free or its own;"
            " cure: free some, root=FOLDER and SPARK_MODELS=FOLDER on a larger disk"
            f"{f', or {way}' if way else ''}"
        )


def present(config: Config) -> float:
    """Bytes of this build that lie on the disk already."""
    names = [place for model in models(config) for file in model.files if (place := cache.place(model, file))]
    found = float(sum(path.stat().st_size for path in names if path.is_file()))
    folders = [folder(config).with_name(f".building-{config.name}")]
    if config.source and not sources.is_folder(config.source):
        folders.append(sources.checkpoint(config))
    if config.draft.kind is not Drafting.never and not sources.is_folder(config.draft.source):
        folders.append(hub.place(config.draft.source, config.draft.revision))
    return found + sum(_taken(each) for each in folders)


def _taken(where: Path) -> float:
    """Bytes on the disk below a folder; a file with a second name elsewhere (a link) counts there."""
    facts = [path.stat() for path in where.rglob("*") if path.is_file()]
    return float(sum(fact.st_size for fact in facts if fact.st_nlink == 1 or where.parent.name == "hub"))


def free(config: Config) -> float:
    """Room on the fuller of the two disks that a build writes to."""
    return float(min(shutil.disk_usage(_there(path)).free for path in (cache.root(), folder(config))))


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.is_dir())


def size(count: float) -> str:
    """Bytes for people, as disks are sold: GB of 10^9."""
    return (
        f"{count / 1e9:,.1f} GB"
        if count >= 1e10
        else f"{count / 1e9:.2f} GB"
        if count >= 1e9
        else f"{count / 1e6:,.1f} MB"
    )


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def use(config: Config) -> str:
    """How the finished bundle is put to use, in one line; its adapters are found by themselves."""
    where = folder(config)
    if config.kind is Kind.llamacpp:
        return f"python launch.py llm={config.name}{f' llm.engine.bundle={where}' if config.root else ''}"
    known = [found for each in services.described(()).values() if (found := services.bundle(each, {}))]
    meant = next((each for each in known if each.name == config.name), known[0])
    named = "" if meant.folder.resolve() == where.resolve() else f"{meant.variable}={where} "
    template = " llm.adapter.template=chatml" if config.dims.startswith("qwen") else ""
    alone = config.opener == "never" and meant is known[0]
    without = " llm.opener=never 'engines.services=[trtllm,tts]'" if alone else ""
    opener = f"; its opener: ./build_engines.sh bundle={config.opener}" if config.opener != "never" else ""
    return f"{named}python launch.py stack=spark{template}{without}{opener}"
