"""Minecraft as viewers see it: asked on a Twitch-like server, she acts in a real world and says what is true.

Real OBS follows, who gives is thanked meanwhile, and a report is left.
"""

from __future__ import annotations

import asyncio
import math
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from engines.minecraft.exam import World
from engines.port import unused
from glue.stage.obs_cues import State
from glue.stage.obs_link import Link
from tests.minecraft import joining, need_packages
from tests.obs_peer import obs, sounds
from tests.scripted_llm import WAIT, scripted
from tests.shows.live import ROOT, Live, launched
from tests.shows.test_chat_live import TOKEN, chat, thanked
from tests.shows.test_obs_live import SCENES, set_up
from tests.waiting import eventually
from tests.wires.twitch_peer import Peer

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.timeout(400)]
GAME = (
    "games.adapter.port",
    "minecraft.port",
    "minecraft.engine.port",
    "minecraft.engine.truth",
    "embeddings.engine.port",
)
PORTS = ("speech.engine.port", "avatar.engine.port", "console.port", *GAME)
SCRIPT: dict[str, dict[str, Any]] = {
    "hole would be nice": {"action": "dig_hole", "data": {"depth": 1}},
    "what do you have": WAIT,
}


async def test_chat_asks_she_acts_and_says_what_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_packages()
    ports = {key: unused() for key in PORTS}
    world = World(ports["minecraft.engine.truth"])
    monkeypatch.setenv("TWITCH_TOKEN", TOKEN)
    with ExitStack() as stack:
        url = stack.enter_context(scripted(SCRIPT))
        pulse = stack.enter_context(sounds(tmp_path))
        air = await asyncio.to_thread(stack.enter_context, obs(tmp_path, pulse))
        link = Link("127.0.0.1", air.port, air.password, 10.0)
        await asyncio.to_thread(link.open)
        stack.callback(link.close)
        await set_up(air)
        monkeypatch.setenv("OBS_PASSWORD", air.password)
        async with Peer().running() as peer:
            peer.events.token = TOKEN
            words = [*model(url), "chat=twitch", *chat(peer), "broadcast=obs", f"broadcast.port={air.port}"]
            words += ["broadcast.linger_s=60", "director.lonely=600"]
            words += ["minecraft.engine.idle=0", f"minecraft.engine.skills={tmp_path}"]
            with launched(tmp_path, "+show=minecraft", "speaker=[wav]", *words, ports=ports) as live:
                await until(live, live.url, 120)
                async with joining("Mika", ports["minecraft.port"], tmp_path):
                    await eventually(lambda: len(peer.inside) == 2 and peer.events.sessions, 90)
                    await _viewers(live, world, peer, link)
    await asyncio.to_thread(_report, tmp_path / "run")


def model(url: str) -> list[str]:
    """The config's words for a language model that is a script."""
    own = ["~llm.engine", f"llm.adapter.url={url}", "llm.adapter.extensions=none", "llm.adapter.adapters={}"]
    return [*own, "llm.adapter.models={default: script}", "games.adapter.rules.initiative=0.5"]


async def _viewers(live: Live, world: World, peer: Peer, link: Link) -> None:
    async with asyncio.timeout(60):
        while len((await world.told())["players"]) < 2:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.1)
    await until(live, lambda: [e for e in live.events("GameMessageClosed") if "dig_hole" in e["text"]])
    peer.say("Spark, now a hole would be nice!", "mika")
    await until(live, lambda: judged(live, "dig_hole", "model"))
    async with asyncio.timeout(60):
        while not await broke(world):  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.1)
    await until(live, lambda: scene(link) == SCENES[State.GAME])

    await world.do("move", who="Mika", x=7, y=4)
    await afar(live.ports["minecraft.engine.port"])
    await until(live, lambda: still(live))
    peer.say("Spark, come here!", "mika")
    await until(live, lambda: judged(live, "come", "words"))
    assert await apart(world) < 3.5

    peer.say("Spark, follow Mika!", "mika")  # two minutes, in which her hands are full
    await until(live, lambda: [e for e in live.events("GameMessageClosed") if "begun: follow" in e["text"]])
    peer.notice("sub", "bo")
    await until(live, lambda: thanked(live, "sub"))

    await world.do("give", name="bread", count=2)
    await until(live, lambda: [e for e in live.events("GameMessageClosed") if "2 bread" in e["text"]])
    await until(live, lambda: still(live))
    peer.say("Spark, what do you have?", "mika")
    ended = await until(live, lambda: answer(live, "what do you have"))
    assert ended["said"].startswith("I have") and "2 bread" in ended["said"]
    captions = await until(live, lambda: [line for line in live.said if line.startswith("Spark: I have")])
    assert "2 bread" in captions[0]  # the terminal shows them as they are heard
    await until(live, lambda: "I have" in caption(link))
    assert scene(link) == SCENES[State.GAME]
    told = [e["line"]["text"] for e in live.events("TurnStarted") if e["line"]["source"] == "game"]
    assert any("The hole is 1 deep" in text for text in told)
    assert not [text for text in told if text.startswith("You ")]


def scene(link: Link) -> str:
    """What OBS shows."""
    return str(link.ask("GetCurrentProgramScene")["currentProgramSceneName"])


def caption(link: Link) -> str:
    """What OBS writes beneath it."""
    return str(link.ask("GetInputSettings", inputName="Spark Caption")["inputSettings"].get("text", ""))


async def until(live: Live, found: Callable[[], Any], within: float = 60) -> Any:
    return await asyncio.to_thread(live.until, found, within)


def _report(run_dir: Path) -> None:
    subprocess.run([sys.executable, "-m", "glue.report", str(run_dir)], cwd=ROOT, check=True, timeout=60)
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "Where she went" in page and "What she did there" in page
    done = re.search(r"(\d) things done or tried, (\d) with success", page)
    assert done and int(done[1]) - 1 <= int(done[2]) >= 2, "she followed until the end"


def still(live: Live) -> bool:
    """Whether she has nothing to say."""
    return len(live.events("TurnEnded")) == len(live.events("TurnStarted"))


def judged(live: Live, action: str, by: str) -> list[dict[str, Any]]:
    """What the game said of her choice, when it was a good one."""
    ids = [e["id"] for e in live.events("ActionChosen") if e["name"] == action and e["by"] == by]
    return [e for e in live.events("ActionJudged") if e["id"] in ids and e["success"]]


def answer(live: Live, words: str) -> dict[str, Any] | None:
    """The end of the reply to a line with these words."""
    turns = {e["turn"] for e in live.events("TurnStarted") if words in e["line"]["text"]}
    return next((e for e in live.events("TurnEnded") if e["turn"] in turns), None)


async def broke(world: World) -> bool:
    """Whether the world saw her break something."""
    return any(e["who"] == "Spark" and e["what"] == "broke" for e in (await world.told())["events"])


async def afar(body: int) -> None:
    """Until she sees that Mika is not beside her any more."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            seen = (await client.get(f"http://127.0.0.1:{body}/map.json")).json()["things"]
            if any(kind == "player" and math.hypot(x, z) > 4 for kind, x, z in seen):
                return
            await asyncio.sleep(0.1)


async def apart(world: World) -> float:
    """Blocks between her and Mika, as the world has it."""
    players = (await world.told())["players"]
    her, him = (players[name]["position"] for name in ("Spark", "Mika"))
    return math.dist((her["x"], her["z"]), (him["x"], him["z"]))
