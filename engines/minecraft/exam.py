"""The body's exam: from empty hands to a pickaxe in seeded worlds; claims are held against the world.

No language model sits it: the exam is about whether what she chooses is done, and truly said.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from engines.minecraft.claims import Ledger
from engines.minecraft.table import Claim, Table
from engines.options import OptionError
from engines.port import unused
from engines.process import running
from engines.specs import spec

EXAMS = {"wooden_pickaxe": ("wooden_pickaxe",), "stone_pickaxe": ("wooden_pickaxe", "stone_pickaxe")}
GOAL_SECONDS = 400.0
START_SECONDS = 90.0
SCARES = 3  # of a world: a zombie beside her
SCARE_SECONDS = 3.0
NAME = "Spark"
GOALS = {"success_share": 0.9, "claims_false": 0, "reflex_ms_p95": 150}
Say = Callable[[str], None]


@dataclass
class Step:
    """One goal in one world: what the body claimed, and what the server says."""

    seed: int
    goal: str
    claimed: bool
    true: bool
    seconds: float
    said: str


@dataclass
class Sitting:
    """What came of all worlds."""

    steps: list[Step] = field(default_factory=list)
    claims: int = 0
    false: list[str] = field(default_factory=list)
    reflex_ms: list[float] = field(default_factory=list)

    def report(self, exam: str) -> dict[str, Any]:
        """report.json."""
        worlds = {step.seed for step in self.steps}
        failed = {step.seed for step in self.steps if not step.true}
        done = [step.seconds for step in self.steps if step.true]
        return {
            "exam": exam,
            "seeds": len(worlds),
            "success_share": round(1 - len(failed) / len(worlds), 3) if worlds else 0.0,
            "claims": self.claims,
            "claims_false": len(self.false),
            "false": self.false,
            "reflex_ms": spread(self.reflex_ms),
            "goal_seconds": spread(done),
            "steps": [asdict(step) for step in self.steps],
            "goals": GOALS,
        }


def spread(values: list[float]) -> dict[str, float | int | None]:
    """Median, 95th percentile and number."""
    if not values:
        return {"p50": None, "p95": None, "n": 0}
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(p95, 1), "n": len(ordered)}


def check(config: Mapping[str, Any]) -> None:
    """Raises OptionError for what cannot be examined."""
    exam, seeds = config["exam"], config["seeds"]
    if exam not in EXAMS:
        raise OptionError(f"minecraft.exam: must be one of {', '.join(EXAMS)}, not {exam}")
    if not isinstance(seeds, int) or not 1 <= seeds <= 1000:
        raise OptionError(f"minecraft.seeds: must lie between 1 and 1000, not {seeds}")
    if config["host"]:
        raise OptionError("minecraft.exam: is sat in worlds of our own; cure: leave out minecraft.host")


async def sit(config: Mapping[str, Any], run_dir: Path, say: Say) -> float:
    """The exam by the config's minecraft section, checked; writes report.json. The share of worlds passed.

    Raises StartFailed where a world does not start."""
    exam, seeds = str(config["exam"]), int(config["seeds"])
    sitting = Sitting()
    for seed in range(1, seeds + 1):
        await _world(sitting, dict(config["engine"]), EXAMS[exam], seed, run_dir)
        mine = [step for step in sitting.steps if step.seed == seed]
        took = sum(step.seconds for step in mine)
        say(f"world {seed} of {seeds}: {'passed' if all(s.true for s in mine) else 'failed'}, {took:.0f} s")
    report = sitting.report(exam)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (run_dir / "report.json").write_text(text + "\n", encoding="utf-8")
    say(_told(report, run_dir))
    return float(report["success_share"])


def _told(report: Mapping[str, Any], run_dir: Path) -> str:
    passed, reflex = 100 * report["success_share"], report["reflex_ms"]
    figures = f"{report['claims']} claims, {report['claims_false']} false; reflexes p95 {reflex['p95']} ms"
    return f"{report['exam']}: {passed:.0f} % of {report['seeds']} worlds; {figures}; {run_dir}/report.json"


async def _world(
    sitting: Sitting, engine: dict[str, Any], goals: tuple[str, ...], seed: int, run_dir: Path
) -> None:
    """Sit it in one world."""
    ledger = Ledger()
    table = Table(ledger.claim)
    async with seated(table, engine | {"seed": seed}, run_dir) as world:
        for goal in goals:
            claim = await _claimed(table, goal)
            has = (await world.told())["players"][NAME]["inventory"].get(goal, 0) > 0
            sitting.steps.append(Step(seed, goal, claim.success, has, round(claim.seconds, 1), claim.said))
            sitting.claims += 1
            if claim.success and not has:
                sitting.false.append(f"world {seed}: {claim.said}")
        events = [e for e in (await world.told())["events"] if e["who"] == NAME]
        sitting.claims += ledger.count
        sitting.false += [f"world {seed}: {line}" for line in ledger.false(events)]
        sitting.reflex_ms += [await world.scare() for _ in range(SCARES)]


@asynccontextmanager
async def seated(table: Table, engine: dict[str, Any], run_dir: Path) -> AsyncIterator[World]:
    """Her in a world of our own, at this table, doing nothing unasked. Raises StartFailed."""
    async with table.open() as games:
        ports = {name: unused() for name in ("port", "truth", "server_port")}
        own = {"games": games, "server": "", "version": "", "username": NAME, "auth": "offline"}
        options = engine | own | ports | {"idle": 0.0}
        async with running([spec("minecraft", options)], run_dir, within=START_SECONDS):
            await table.registered(START_SECONDS)
            yield World(ports["truth"], ports["port"])


async def _claimed(table: Table, goal: str) -> Claim:
    try:
        return await table.act("get", {"item": goal}, GOAL_SECONDS)
    except TimeoutError:
        return Claim(False, f"no outcome within {GOAL_SECONDS:.0f} s", GOAL_SECONDS)


class World:
    """The world's own record, and a hand in it; how it stands with the body there."""

    def __init__(self, port: int, body: int = 0) -> None:
        self._address, self._body = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{body}"

    async def told(self) -> dict[str, Any]:
        """Players, events, the time there (ms)."""
        return await self._asked(f"{self._address}/truth")

    async def standing(self) -> dict[str, Any]:
        """The body's state: what it is doing, and which reflex acts ("" where none does)."""
        return await self._asked(self._body)

    async def weighed(self) -> dict[str, Any]:
        """The same, its rubbish collected: memory and heap (bytes), listeners, what it waits for."""
        return await self._asked(f"{self._body}/weighed")

    async def _asked(self, url: str) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            found: dict[str, Any] = (await client.get(url)).json()
        return found

    async def do(self, what: str, **more: object) -> dict[str, Any]:
        """Move something in the world."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            answer = await client.post(f"{self._address}/do", json={"what": what, "who": NAME, **more})
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def scare(self) -> float:
        """Milliseconds from a zombie's appearance to her first move or blow, on the server's clock."""
        await self.do("health", count=20)
        since = (await self.do("spawn", name="zombie", x=2.5))["at"]
        deadline = asyncio.get_running_loop().time() + SCARE_SECONDS
        took = 1000 * SCARE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            acts = [
                event["at"]
                for event in (await self.told())["events"]
                if event["at"] >= since and event["what"] in ("moved", "attacked")
            ]
            if acts:
                took = float(acts[0] - since)
                break
            await asyncio.sleep(0.02)
        await self.do("clear")
        await asyncio.sleep(1.0)  # until she has calmed down
        return took
