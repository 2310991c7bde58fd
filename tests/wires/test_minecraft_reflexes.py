"""What her body does by itself in a real world, and that it goes on afterwards."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest

from tests.minecraft import Game, playing

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
STUCK = 5.0  # seconds


@pytest.fixture(scope="module")
async def game(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Game]:
    """A body that is soon tired of hanging on something, in a world."""
    async with playing(tmp_path_factory.mktemp("minecraft"), stuck=STUCK) as game:
        yield game


async def test_reflexes_fight_eat_and_leave_lava_without_being_told(game: Game) -> None:
    assert min([await game.world.scare() for _ in range(3)]) < 1500  # ms; the best: a machine may be busy
    since = len(game.table.said)
    await game.give("bread", 2)
    await game.world.do("food", count=6)
    await game.told("You ate a bread", since)
    await game.sees("ate", item="bread")
    await game.world.do("health", count=20)
    stood = (await game.calm())["position"]
    await game.world.do("block", name="lava", at=stood)
    await game.told("You got out of the fire", since)
    assert (await game.player())["health"] > 0
    await game.world.do("block", name="air", at=stood)  # where she begins again, should a fight be lost


async def test_she_attacks_when_she_is_told_to(game: Game) -> None:
    await game.calm()
    none = await game.table.act("attack", {}, 30)
    assert not none.success and "no monster near" in none.said
    await game.world.do("health", count=20)
    await game.give("iron_sword", 1)
    await game.world.do(
        "spawn", name="zombie", x=14, health=40
    )  # seconds away: her reflex is not to be first
    await game.looks("Danger: zombie")
    told = await game.table.act("attack", {}, 60)
    assert told.success and told.said.endswith("The zombie is dead."), told
    await game.sees("killed", mob="zombie")


async def test_who_was_told_to_attack_while_she_fights_has_done_it_when_it_is_dead(game: Game) -> None:
    await game.calm()
    await game.world.do("health", count=20)
    await game.world.do("spawn", name="zombie", x=3, health=40)  # four seconds of fighting
    async with asyncio.timeout(60):
        while (await game.world.standing())["reflex"] != "fight":  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.02)
    told = await game.table.act("attack", {}, 60)
    assert told.success and told.said.endswith("The zombie is dead."), told


async def test_she_comes_up_for_air(game: Game) -> None:
    stood = (await game.calm())["position"]
    column = [stood | {"y": stood["y"] + up} for up in range(5)]
    for place in reversed(column):  # she swims once her feet are wet
        await game.world.do("block", name="water", at=place)
    assert (await game.world.do("look", y=1.6))["name"] == "water"
    async with asyncio.timeout(60):
        while (await game.world.do("look", y=1.6))["name"] == "water":  # noqa: ASYNC110  # her head
            await asyncio.sleep(0.1)
    assert not await game.seen("hurt", by="drowning")
    for place in column:
        await game.world.do("block", name="air", at=place)


async def test_she_runs_from_a_creeper(game: Game) -> None:
    await game.world.do("health", count=20)
    since = len(game.table.said)
    stood = (await game.calm())["position"]
    await game.world.do("spawn", name="creeper", x=4)
    async with asyncio.timeout(60):
        while math.dist(stood.values(), (await game.player())["position"].values()) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert not await game.seen("attacked", mob="creeper")
    await game.world.do("clear")
    await game.told("You ran away from a creeper", since)


async def test_she_gets_out_of_a_fire(game: Game) -> None:
    await game.world.do("health", count=20)
    await game.calm()
    since = len(game.table.said)
    await game.world.do("block", name="fire")
    await game.told("You got out of the fire", since)
    assert (await game.player())["health"] > 0


async def test_who_hangs_on_something_gets_loose_after_a_while_and_walks_on(game: Game) -> None:
    """Held fast as by a corner that her way does not know."""
    await game.calm()
    since, began = len(game.table.said), asyncio.get_running_loop().time()
    await game.world.do("hold")
    await game.table.choose("explore", {})
    async with asyncio.timeout(60):
        while (await game.world.standing())["reflex"] != "unstuck":  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.1)
    assert asyncio.get_running_loop().time() - began > STUCK
    await game.world.do("hold", count=0)
    done = await game.told("Done: explore. You walked", since, 90)
    assert int(done.split()[4]) > 0


async def test_who_dies_says_so_ends_what_she_did_and_begins_again(game: Game) -> None:
    since = len(game.table.said)
    await game.table.choose("explore", {})
    await game.told("You have begun: explore", since)
    await game.world.do("health", count=0)
    await game.told("You died in the game, and begin again where you started", since)
    await game.told("You did not finish explore: you died", since)
    async with asyncio.timeout(60):
        while (await game.player())["health"] <= 0:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.1)
    assert (await game.table.act("look", {}, 30)).success
