"""A plan as people see it, and its refusal: too much memory, too little disk, with the override that fits."""

from __future__ import annotations

import psutil
from rich.console import Console
from rich.table import Table

from engines import services
from engines.bars import Bars
from engines.bundle import modelopt
from engines.bundle.config import Config, Kind, Mode, Quantise
from engines.bundle.disk import disks, downloads, todo
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.plan import Plan, fitting, plan, total
from engines.bundle.words import folder


def show(config: Config, console: Console) -> Plan:
    """Print what it takes; nothing is done."""
    made = plan(config)
    console.print(f"bundle {config.name}: {config.what}", highlight=False, soft_wrap=True)
    table = Table()
    table.add_column("what")
    table.add_column("size", justify="right")
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
    with Bars(console) as bars:
        known = Hashes(bars)
        names = todo(config, known)
    known.save()
    fetched, places = downloads(config, made, names), disks(config, made, names)
    lines = (
        f"downloads: {size(fetched.need - fetched.there)} to fetch, {size(fetched.there)} there or done with",
        *(
            f"disk{f' of {each.where}' if len(places) > 1 else ''}: {size(each.need)} at the fullest,"
            f" {size(each.there)} there or done with, {size(each.free)} free"
            for each in places
        ),
        f"memory: about {size(made.memory)} while it runs, at most {config.limit:.0f} GB by `limit`;"
        f" {size(psutil.virtual_memory().total)} in this machine",
        f"time: about {duration(made.seconds)} from nothing, at {config.network:.0f} Mbit/s",
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    return made


def refuse(config: Config, made: Plan) -> None:
    """Raises BundleError when it does not fit, naming the override that does."""
    limit = config.limit * 1e9
    for taken, when in ((made.memory, "while it runs"), (made.building, "while it is built")):
        if taken > limit:
            way = fitting(config, lambda other: max(plan(other).memory, plan(other).building) <= limit)
            raise BundleError(
                f"bundle {config.name} takes {size(taken)} of memory {when}, over {config.limit:.0f} GB;"
                f" cure: {way or 'a larger limit=, on a larger machine'}"
            )
    if short := next((each for each in disks(config, made) if each.short), None):
        way = fitting(config, lambda other: not any(each.short for each in disks(other, plan(other))))
        raise BundleError(
            f"bundle {config.name} takes {size(short.need)} of the disk of {short.where},"
            f" {size(short.free + short.there)} are free or its own;"
            f" cure: free some, {_elsewhere(config)} on a larger disk"
            f"{f', or {way}' if way else ''}"
        )


def _elsewhere(config: Config) -> str:
    """What puts the bundles, the downloads and an environment on other disks."""
    made = [f"{modelopt.ENVIRONMENT.variable}=FOLDER"] if config.quantise is Quantise.modelopt else []
    return " and ".join(["root=FOLDER", "SPARK_MODELS=FOLDER", *made])


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
    given = list(config.adapters.given) if config.adapters.mode is Mode.merged else []
    persona = f" 'persona=[{given[0]}]'" if given and given != ["main"] else ""
    other = f"; one persona at a time: SPARK_PERSONA={given[1]} and persona=[{given[1]}]" if given[1:] else ""
    opener = f"; its opener: ./build_engines.sh bundle={config.opener}" if config.opener != "never" else ""
    return f"{named}python launch.py stack=spark{template}{persona}{without}{other}{opener}"
