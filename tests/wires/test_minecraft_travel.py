"""Where her body goes in a real world: to people, to things, to coordinates."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any

import pytest

from tests.minecraft import Game

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def where(game: Game, who: str) -> dict[str, float]:
    found: dict[str, Any] = (await game.world.told())["players"][who]
    return dict(found["position"])


async def apart(game: Game) -> float:
    """Blocks between her and Mika."""
    her, him = await where(game, "Spark"), await where(game, "Mika")
    return math.dist((her["x"], her["z"]), (him["x"], him["z"]))


async def away(game: Game, x: float) -> None:
    """Mika stands so far from her, farther than before or nearer, and she knows it."""
    her, him = await where(game, "Spark"), await where(game, "Mika")
    await game.world.do("move", who="Mika", x=her["x"] + x - him["x"], z=her["z"] - him["z"], y=4)
    async with asyncio.timeout(60):
        while True:
            seen = re.search(r"Mika (\d+)", (await game.table.act("look", {}, 30)).said)
            if seen and abs(int(seen[1]) - abs(x)) < 2:
                return
            await asyncio.sleep(0.05)


async def test_she_looks_at_who_speaks(game: Game, mika: Game) -> None:
    """The server's angle: 256 are a turn, 0 is +z, and it grows towards -x."""
    for x in (3, -3):
        her, him = await where(game, "Spark"), await where(game, "Mika")
        await game.world.do("move", who="Mika", x=her["x"] + x - him["x"], z=her["z"] - him["z"], y=2)
        async with asyncio.timeout(60):
            while await turned(game) > 0.5:  # what he says first may be here before she sees him there
                assert (await mika.table.act("say", {"text": "over here!"}, 30)).success
                await asyncio.sleep(0.5)


async def turned(game: Game) -> float:
    """Radians between where she looks and Mika."""
    her, him = await where(game, "Spark"), await where(game, "Mika")
    looks = float((await game.player())["yaw"]) / 256 * math.tau
    there = math.atan2(-(him["x"] - her["x"]), him["z"] - her["z"])
    return abs((looks - there + math.pi) % math.tau - math.pi)


async def test_she_comes_and_follows_until_she_is_stopped(game: Game, mika: Game) -> None:
    await away(game, 5)
    told = await game.table.act("come", {"player": "mika"}, 60)
    assert told.success and "You stand beside Mika" in told.said and await apart(game) < 3.5
    since = len(game.table.said)
    await game.table.choose("follow", {"player": "Mika"})
    await game.told("You have begun: follow Mika", since)
    for x in (7, -7):
        await game.world.do("move", who="Mika", x=x, y=4)
        async with asyncio.timeout(60):
            while await apart(game) > 4.5:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.1)
    assert (await game.table.act("stop", {}, 30)).said == "You stopped."
    await game.told("You did not finish follow Mika: you wanted to stop", since)


async def test_she_goes_to_what_she_sees_and_to_coordinates(game: Game) -> None:
    tree = await game.table.act("go_to", {"where": "tree"}, 120)
    assert tree.success and tree.said.endswith("log."), tree
    here = await where(game, "Spark")
    x, z = round(here["x"]) + 6, round(here["z"]) - 5
    told = await game.table.act("go_to", {"where": f"{x} {z}"}, 120)
    there = await where(game, "Spark")
    assert told.success and math.dist((x, z), (there["x"], there["z"])) <= 4, told
    for nowhere, why in (("unicorn", "You see no unicorn"), ("99999999 0", "The world ends before that")):
        claim = await game.table.act("go_to", {"where": nowhere}, 60)
        assert not claim.success and why in claim.said


async def test_who_is_away_is_not_come_to(game: Game) -> None:
    claim = await game.table.act("follow", {"player": "Nobody"}, 30)
    assert not claim.success and "You see no Nobody" in claim.said


async def test_who_leaves_while_she_comes_is_not_said_to_stand_beside_her(game: Game, mika: Game) -> None:
    east = (await where(game, "Spark"))["x"] > 8.5
    await away(game, 12 if east else -12)  # he comes back elsewhere
    since, left = len(game.table.said), len(mika.table.said)
    await game.world.do("hold")  # she would be there in three seconds
    await game.table.choose("come", {"player": "mika"})
    await game.told("You have begun: come mika", since)
    await game.world.do("kick", who="Mika", text="Bye")
    await mika.told("You are out of the Minecraft world", left)
    await game.world.do("hold", count=0)
    await game.told("Mika is", since, 90)
    assert not [said for said in game.table.said[since:] if "stand beside" in said]
    await mika.told("You are in the Minecraft world", left)
