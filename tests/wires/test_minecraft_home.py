"""What the Minecraft body builds, keeps in chests, sleeps in; edges: held against the server's own truth."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.minecraft import Game

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
NIGHT = 14_000  # ticks of a day


async def test_what_she_stores_lies_in_the_chest_and_what_she_takes_does_not(game: Game) -> None:
    await game.give("oak_log", 5)
    stored = await game.table.act("store", {"item": "log", "count": 3}, 60)
    assert stored.success and "You put 3 oak log into the chest. In it: 3 oak log" in stored.said, stored
    (chest,) = (await game.world.told())["chests"].values()
    assert chest == {"oak_log": 3} and (await game.player())["inventory"] == {"oak_log": 2}
    taken = await game.table.act("take", {"item": "oak log", "count": 2}, 60)
    assert taken.success and "You took 2 oak log out of the chest" in taken.said, taken
    (chest,) = (await game.world.told())["chests"].values()
    assert chest == {"oak_log": 1} and (await game.player())["inventory"] == {"oak_log": 4}
    for name, item, why in (
        ("take", "log", "took only 1 oak log out of the chest"),
        ("take", "diamond", "there is no diamond in the chest; in it: nothing"),
        ("store", "diamond", "you have no diamond"),
    ):
        claim = await game.table.act(name, {"item": item, "count": 2}, 60)
        assert not claim.success and why.lower() in claim.said.lower(), claim


async def test_she_sleeps_at_night_and_only_then(game: Game) -> None:
    day = await game.table.act("sleep", {}, 60)
    assert not day.success and "one sleeps at night" in day.said and not await game.seen("slept")
    await game.world.do("time", count=NIGHT)
    await game.looks("It is night")
    night = await game.table.act("sleep", {}, 60)
    assert night.success and "You slept until morning" in night.said, night
    await game.sees("slept")
    assert (await game.world.told())["time"] < NIGHT


@pytest.mark.parametrize(("plan", "size", "blocks"), [("wall", 3, 6), ("hut", 3, 23)])
async def test_what_she_built_stands_block_by_block(game: Game, plan: str, size: int, blocks: int) -> None:
    before = await placed(game)
    await game.give("cobblestone", blocks)
    claim = await game.table.act("build", {"plan": plan, "size": size}, 90)
    assert claim.success and f"You built the {plan}: {blocks} blocks" in claim.said, claim
    stands = await placed(game) - before
    assert len(stands) == blocks
    her = (await game.player())["position"]
    for x, y, z in stands:
        seen = await game.world.do("look", x=x + 0.5 - her["x"], y=y + 0.5 - her["y"], z=z + 0.5 - her["z"])
        assert seen["name"] == "cobblestone"


async def test_who_lacks_blocks_builds_nothing(game: Game) -> None:
    before = await placed(game)
    claim = await game.table.act("build", {"plan": "hut", "size": 5}, 60)
    assert not claim.success and re.search(r"it takes \d+ blocks, and you have \d", claim.said, re.I), claim
    assert await placed(game) == before


async def test_she_does_not_run_over_an_edge(game: Game) -> None:
    """A zombie hangs in the air, deep beside a platform high above the ground: she wants to get at it."""
    for x in range(-2, 3):
        for z in range(-2, 3):
            await game.world.do("block", name="stone", x=x, y=9, z=z)
    await game.world.do("health", count=20)
    await game.world.do("move", x=1, y=10.5)
    since, high = len(game.table.said), (await game.calm())["position"]["y"]
    await game.world.do("spawn", name="zombie", x=3.5, y=-4)
    await asyncio.sleep(2)  # as long as she would need to fall twice
    await game.world.do("clear")
    await game.told("zombie", since)
    await asyncio.sleep(1)  # as long as a fall takes: she has let go of her keys, half over the edge
    assert (await game.player())["position"]["y"] > high - 0.5
    assert not await game.seen("hurt", by="a fall")


async def placed(game: Game) -> set[tuple[int, int, int]]:
    """Where she put blocks, as the server saw it."""
    events = (await game.world.told())["events"]
    return {(event["x"], event["y"], event["z"]) for event in events if event["what"] == "placed"}
