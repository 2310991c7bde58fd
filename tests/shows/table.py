"""The figures of the usual show that no rehearsal has: `python -m tests.shows.table [skips=10] [overrides]`.

Starting, skipping and ending, beside the goals. A skip is silent when her turn has ended (`pytest -s
tests/shows/test_page.py` measures how soon a page is after that); the model's server is idle when its slot
says so, which it can only say between two batches. The machine should have nothing else to do.
"""

import json
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from websockets.sync.connection import Connection

from engines.port import unused
from tests.shows.live import PORTS, Live, end, shown
from tests.shows.test_live import operator, say

KEY = "a key of this table"
IDLE_S = 5.0  # seconds over which an idle show's CPU is counted
REST_S = 3.0  # after a skip, which the next line is prepared for
PREFILL_S = 0.2  # a skip comes at any moment of this, once a line was chosen
ASKS = (
    "the moon",
    "trains",
    "pineapples",
    "old clocks",
    "rain",
    "castles",
    "cats",
    "the sea",
    "soup",
    "maps",
)


def main(words: list[str]) -> None:
    """Start it twice, skip, let it be, end it; print the table."""
    skips = next((int(word.removeprefix("skips=")) for word in words if word.startswith("skips=")), 10)
    overrides = [word for word in words if not word.startswith("skips=")]
    rows: list[tuple[str, list[float], str]] = []
    with TemporaryDirectory() as folder:
        for home in ("first", "second"):
            began = time.monotonic()
            ports = {key: unused() for key in PORTS}
            with shown(
                Path(folder, home), *overrides, ports=ports, environment={"SPARK_LLM_KEY": KEY}
            ) as live:
                live.until(live.url, within=120)
                if home == "first":
                    continue  # whatever it prepared for good is there now
                rows.append(("start to ready, s", [time.monotonic() - began], "15"))
                rows += skipped(live, skips)
                rows.append(("idle CPU, % of a core", [idle(live)], "15"))
                rows.append(("Ctrl-C to the last process gone, s", [end(live)], "3"))
    show(rows)


def skipped(live: Live, skips: int) -> list[tuple[str, list[float], str]]:
    """Skips while she speaks and the model writes, and while it reads a line."""
    silent: list[float] = []
    writing: list[float] = []
    reading: list[float] = []
    address = f"http://127.0.0.1:{live.ports['llm.engine.port']}"
    with (
        operator(live) as page,
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}) as llm,
    ):
        for number in range(skips):
            subject = ASKS[number % len(ASKS)]
            say(page, f"Spark, what do you think of {subject}, and of all the rest?", f"zoe {number}")
            told(page, "StageReached", stage="audible")
            ended, idle_ms = skip(page, llm, working(llm))
            time.sleep(REST_S)
            silent.append(ended)
            writing.append(idle_ms)
            say(
                page,
                f"Spark, and what would you do with {subject} on a long day off at home?",
                f"bo {number}",
            )
            told(page, "TurnStarted")
            task = working(llm)  # told between two batches: where in one the skip comes is left to chance
            time.sleep(random.uniform(0, PREFILL_S))
            reading.append(skip(page, llm, task)[1])
            time.sleep(REST_S)
    return [
        ("skip to the turn's end, ms", silent, "60"),
        ("skip to an idle model, while it writes, ms", writing, "200"),
        ("the same, while it reads a line, ms", reading, "200"),
    ]


def working(llm: httpx.Client) -> int:
    """What the model's server works at in her slot, as soon as there is something. Raises TimeoutError."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        slot = llm.get("/slots", timeout=30).json()[0]
        if slot["is_processing"]:
            return int(slot["id_task"])
    raise TimeoutError("the model's server has had nothing to do for half a minute")


def skip(page: Connection, llm: httpx.Client, task: int) -> tuple[float, float]:
    """Press the button; ms until her turn had ended, and until the server of the model had left `task`: it
    prepares for the next line then."""
    began = time.monotonic()
    page.send(json.dumps({"kind": "button", "text": "skip"}))
    while True:
        slot = llm.get("/slots", timeout=30).json()[0]
        if not slot["is_processing"] or slot["id_task"] != task:
            idle_ms = 1000 * (time.monotonic() - began)
            break
    pressed = told(page, "ButtonPressed")["at"]
    return 1000 * (told(page, "TurnEnded")["at"] - pressed), idle_ms


def told(page: Connection, event: str, **facts: str) -> dict[str, Any]:
    """The next event of that kind. Raises TimeoutError after half a minute of silence."""
    while True:
        said: dict[str, Any] = json.loads(page.recv(timeout=30))
        if said.get("event") == event and all(said.get(key) == value for key, value in facts.items()):
            return said


def idle(live: Live) -> float:
    """What all its processes take while nobody says anything, in percent of a core."""
    family = [psutil.Process(live.process.pid), *psutil.Process(live.process.pid).children(recursive=True)]

    def seconds() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in family)

    before = seconds()
    time.sleep(IDLE_S)
    return 100 * (seconds() - before) / IDLE_S


def show(rows: list[tuple[str, list[float], str]]) -> None:
    """The table."""
    table = Table("what", "n", "p50", "p95", "most", "at most")
    for what, values, goal in rows:
        figures = (*np.percentile(values, [50, 95]), max(values))
        table.add_row(what, str(len(values)), *(f"{figure:.3g}" for figure in figures), goal)
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
