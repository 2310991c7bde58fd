"""Minecraft as viewers see it: they ask, she acts in a real world, says what is true; a report is left."""

from __future__ import annotations

import asyncio
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.minecraft.exam import World
from tests.conftest import free_port
from tests.minecraft import joining, need_packages
from tests.scripted_llm import WAIT, scripted
from tests.shows.live import ROOT, Live, launched

pytestmark = [pytest.mark.slow, pytest.mark.anyio]
GAME = ("games.adapter.port", "minecraft.port", "minecraft.engine.port", "minecraft.engine.truth")
PORTS = ("speech.engine.port", "avatar.engine.port", "console.port", *GAME)
SCRIPT: dict[str, dict[str, Any]] = {
    "dig a hole": {"action": "dig_hole", "data": {"depth": 1}},
    "come here": {"action": "come", "data": {"player": "Mika"}},
    "what do you have": WAIT,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_chat_asks_she_acts_and_says_what_is_true(tmp_path: Path) -> None:
    need_packages()
    ports = {key: free_port() for key in PORTS}
    world = World(ports["minecraft.engine.truth"])
    with scripted(SCRIPT) as url:
        model = [
            "~llm.engine",
            f"llm.adapter.url={url}",
            "llm.adapter.extensions=none",
            "llm.adapter.adapters={}",
        ]
        model += [
            "llm.adapter.models={default: script}",
            "games.adapter.rules.initiative=0.5",
            "speaker=[wav]",
        ]
        quiet = ["director.lonely=600", "minecraft.engine.idle=0", f"minecraft.engine.skills={tmp_path}"]
        with launched(tmp_path, "+show=minecraft", *model, *quiet, ports=ports) as live:
            await until(live, live.url, 60)
            async with joining("Mika", ports["minecraft.port"], tmp_path):
                await _viewers(live, world)
    await asyncio.to_thread(_report, tmp_path / "run")


async def _viewers(live: Live, world: World) -> None:
    async with asyncio.timeout(30):
        while len((await world.told())["players"]) < 2:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.1)
    await until(live, lambda: [e for e in live.events("GameMessageClosed") if "dig_hole" in e["text"]])
    live.type("mika: Spark, dig a hole please!")
    await until(live, lambda: judged(live, "dig_hole"))
    assert any(event["what"] == "broke" for event in await seen(world, "Spark"))

    await world.do("move", who="Mika", x=5, y=4)
    await until(live, lambda: still(live))
    assert await apart(world) > 4
    live.type("mika: Spark, come here!")
    await until(live, lambda: judged(live, "come"))
    assert await apart(world) < 3.5

    await world.do("give", name="bread", count=2)
    await until(live, lambda: [e for e in live.events("GameMessageClosed") if "2 bread" in e["text"]])
    await until(live, lambda: still(live))
    live.type("mika: Spark, what do you have?")
    ended = await until(live, lambda: answer(live, "what do you have"))
    assert ended["said"].startswith("I have") and "2 bread" in ended["said"]
    captions = await until(live, lambda: [line for line in live.said if line.startswith("Spark: I have")])
    assert "2 bread" in captions[0]  # the terminal shows them as they are heard
    told = [e["line"]["text"] for e in live.events("TurnStarted") if e["line"]["source"] == "game"]
    assert any("The hole is 1 deep" in text for text in told)
    assert not [text for text in told if text.startswith("You ")]


async def until(live: Live, found: Callable[[], Any], within: float = 40) -> Any:
    return await asyncio.to_thread(live.until, found, within)


def _report(run_dir: Path) -> None:
    subprocess.run([sys.executable, "-m", "glue.report", str(run_dir)], cwd=ROOT, check=True, timeout=60)
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "Where she went" in page and "What she did there" in page
    done = re.search(r"(\d) things done or tried, (\d) with success", page)
    assert done and int(done[1]) == int(done[2]) >= 2


def still(live: Live) -> bool:
    """Whether she has nothing to say."""
    return len(live.events("TurnEnded")) == len(live.events("TurnStarted"))


def judged(live: Live, action: str) -> list[dict[str, Any]]:
    """What the game said of her choice, when it was a good one."""
    ids = [e["id"] for e in live.events("ActionChosen") if e["name"] == action and e["by"] == "model"]
    return [e for e in live.events("ActionJudged") if e["id"] in ids and e["success"]]


def answer(live: Live, words: str) -> dict[str, Any] | None:
    """The end of the reply to a line with these words."""
    turns = {e["turn"] for e in live.events("TurnStarted") if words in e["line"]["text"]}
    return next((e for e in live.events("TurnEnded") if e["turn"] in turns), None)


async def seen(world: World, who: str) -> list[dict[str, Any]]:
    return [event for event in (await world.told())["events"] if event["who"] == who]


async def apart(world: World) -> float:
    """Blocks between her and Mika, as the world has it."""
    players = (await world.told())["players"]
    her, him = (players[name]["position"] for name in ("Spark", "Mika"))
    return math.dist((her["x"], her["z"]), (him["x"], him["z"]))
