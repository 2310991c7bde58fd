"""Whether the body grows when it plays for hours: `python -m engines.minecraft.soak minutes=120`.

It does one thing after another in a world of ours, without a pause, beside foes, kicks, deaths and hunger;
now and then it is weighed with its rubbish collected. In a show she does about three things a minute:
`actions=360` are those of two hours, at the body's own pace. Ends with 1 where it has grown.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

from engines.cache import ModelError
from engines.minecraft.exam import NAME, World, seated
from engines.minecraft.node import install
from engines.minecraft.table import Table
from engines.options import check_least, read
from engines.process import StartFailed

WITHIN = 120.0  # seconds for one thing
WARM = 0.25  # of the samples: chunks, caches and compiled code come first
GROWTH_MB = 20.0  # of the heap, from the first to the last third of what follows
MEMORY_MB = 40.0  # of the whole process: buffers outside the heap, and what the collector has not given back
KICK_EVERY, SCARE_EVERY, DIE_EVERY = 40, 15, 70  # things done
DO: tuple[tuple[str, dict[str, object]], ...] = (
    ("collect", {"item": "dirt", "count": 3}),
    ("dig_hole", {"depth": 2}),
    ("look", {}),
    ("build", {"plan": "wall", "size": 3}),
    ("craft", {"item": "planks", "count": 4}),
    ("store", {"item": "dirt", "count": 2}),
    ("take", {"item": "dirt", "count": 2}),
    ("say", {"text": "still here"}),
    ("equip", {"item": "dirt"}),
    ("explore", {}),
    ("flee", {}),
    ("come", {"player": "nobody"}),
    ("go_to", {"where": "tree"}),
    ("place", {"item": "dirt"}),
    ("eat", {}),
)


@dataclass(frozen=True)
class Options:
    """How long, and where it is written down."""

    minutes: float = 120.0
    actions: int = 0  # 0: as many as fit into the minutes; otherwise it ends after so many
    every: float = 60.0  # seconds between two weighings
    seed: int = 1
    folder: str = "runs/minecraft-soak"

    def __post_init__(self) -> None:
        check_least(self, 0.1, "minutes", "every")
        check_least(self, 0, "actions")


@dataclass(frozen=True)
class Sample:
    """The body at one time. Megabytes."""

    minute: float
    actions: int
    memory: float
    heap: float
    listeners: int
    waits: dict[str, int]


@dataclass
class Soak:
    """What came of it."""

    samples: list[Sample] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def report(self) -> dict[str, object]:
        """report.json, with what has grown."""
        return {
            "grown": grown(self.samples),
            "done": self.done,
            "failed": self.failed,
            "samples": [asdict(sample) for sample in self.samples],
        }


def grown(samples: Sequence[Sample]) -> list[str]:
    """What is more in the last third than in the first, a line each; before, a quarter is left out."""
    warm = samples[int(WARM * len(samples)) :]
    third = len(warm) // 3
    if not third:
        return ["it was too short to say"]
    first, last = warm[:third], warm[-third:]
    found = []
    for name, most in (("heap", GROWTH_MB), ("memory", MEMORY_MB)):
        before, after = (
            statistics.median(getattr(sample, name) for sample in part) for part in (first, last)
        )
        if after - before > most:
            found.append(f"{name}: from {before:.0f} to {after:.0f} MB")
    listeners = [max(sample.listeners for sample in part) for part in (first, last)]
    if listeners[1] > listeners[0]:
        found.append(f"listeners: from {listeners[0]} to {listeners[1]}")
    return found


async def soak(options: Options, folder: Path) -> Soak:
    """Let it play. Raises StartFailed."""
    found, table = Soak(), Table()
    ends = time.monotonic() + 60 * options.minutes
    async with seated(table, {"seed": options.seed, "skills": str(folder)}, folder) as world:
        began, due = time.monotonic(), 0.0
        for number, (name, data) in enumerate(cycle(DO)):
            if (now := time.monotonic()) >= due:
                due = now + options.every
                found.samples.append(await _weighed(world, (now - began) / 60, number))
                _say(found.samples[-1])
            if now >= ends or (options.actions and number >= options.actions):
                break
            await _trouble(world, number)
            await _do(found, table, name, data)
        found.samples.append(await _weighed(world, (time.monotonic() - began) / 60, number))
        _say(found.samples[-1])
    return found


async def _do(found: Soak, table: Table, name: str, data: dict[str, object]) -> None:
    table.said.clear()
    table.standing.clear()
    try:
        claim = await table.act(name, data, WITHIN)
        (found.done if claim.success else found.failed)[name] += 1
    except TimeoutError:
        found.failed[f"{name}: no outcome"] += 1


async def _trouble(world: World, number: int) -> None:
    """Foes, hunger, kicks, deaths; and what she needs for her work."""
    while NAME not in (await world.told())["players"]:  # noqa: ASYNC110  # she comes back after a kick
        await asyncio.sleep(0.2)
    if number % len(DO) == 0:
        await world.do("health", count=20)
        for item, count in (("oak_log", 1), ("bread", 1)):
            await world.do("give", name=item, count=count)
        await world.do("food", count=10)
    if number % SCARE_EVERY == SCARE_EVERY - 1:
        await world.scare()
    if number % DIE_EVERY == DIE_EVERY - 1:
        await world.do("health", count=0)
        while (await world.told())["players"].get(NAME, {}).get("health", 0) <= 0:  # noqa: ASYNC110
            await asyncio.sleep(0.2)  # until she lives again
    if number % KICK_EVERY == KICK_EVERY - 1:
        await world.do("kick", text="Server restarts")
        await asyncio.sleep(1)


async def _weighed(world: World, minute: float, number: int) -> Sample:
    while not (state := await world.weighed())["world"]:  # noqa: ASYNC110  # out of it she hardly listens
        await asyncio.sleep(0.2)
    megabytes = {name: round(state[name] / 1e6, 1) for name in ("memory", "heap")}
    return Sample(round(minute, 2), number, **megabytes, listeners=state["listeners"], waits=state["waits"])


def _say(sample: Sample) -> None:
    memory = f"{sample.memory:7.1f} MB, heap {sample.heap:6.1f} MB"
    told = f"{sample.minute:6.1f} min {sample.actions:6} things {memory}, {sample.listeners} listeners"
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()  # whoever waits for hours looks at a file


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Play, weigh, report."""
    options = read(Options)
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        install(_tell)
        found = asyncio.run(soak(options, folder))
    except (ModelError, StartFailed) as error:
        sys.exit(f"minecraft: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    report = found.report()
    (folder / "soak.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(
        f"{sum(found.done.values())} done, {sum(found.failed.values())} not; {folder}/soak.json\n"
    )
    if report["grown"]:
        sys.exit(f"it has grown: {'; '.join(grown(found.samples))}")
    sys.stdout.write("it has not grown\n")


if __name__ == "__main__":
    main()
