"""The Minecraft body on a real server and the game wire: what it does and claims, and its bad days."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from glue.report import world
from tests.minecraft import Game, joining, playing

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


async def test_it_tells_what_it_can_do_and_what_it_sees(game: Game) -> None:
    assert {"look", "get", "collect", "say", "stop", "dig_hole", "come", "eat"} <= game.table.actions.keys()
    seen = await game.table.act("look", {}, 30)
    assert seen.success and "Health 20 of 20" in seen.said and "log" in seen.said
    assert (await game.table.act("inventory", {}, 30)).said == "You have: nothing."


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("fly", {}, "no action fly"),
        ("get", {"item": "moon"}, "must be one of"),
        ("collect", {"item": "log"}, "count is missing"),
        ("craft", {"item": "bread", "count": 1}, "lack what bread is made of"),
        ("come", {"player": "nobody"}, "no players"),
        ("equip", {"item": "sword"}, "you have no sword"),
        ("eat", {}, "nothing to eat"),
    ],
)
async def test_what_cannot_be_done_is_not_claimed(
    game: Game, name: str, data: dict[str, object], why: str
) -> None:
    claim = await game.table.act(name, data, 30)
    assert not claim.success and why.lower() in claim.said.lower()


async def test_a_goal_is_reached_in_steps_and_the_server_has_seen_each(game: Game) -> None:
    await game.world.do("give", name="oak_log", count=3)
    claim = await game.table.act("get", {"item": "wooden_pickaxe"}, 60)
    assert claim.success, claim
    assert (await game.player())["inventory"]["wooden_pickaxe"] == 1
    assert await game.seen("crafted", item="wooden_pickaxe", count=1)
    assert await game.seen("placed", item="crafting_table")
    track = game.log.parent / world.WORLD
    done = await game.until(lambda: [r for r in world.read(track) if r.did == "get wooden pickaxe"])
    her = (await game.player())["position"]
    assert done[0].success and math.dist((done[0].x, done[0].z), (her["x"], her["z"])) < 1


async def test_she_smelts_and_a_furnace_keeps_what_lies_in_it(game: Game) -> None:
    for name, count in (("furnace", 1), ("iron_ore", 2), ("coal", 1)):
        await game.world.do("give", name=name, count=count)
    claim = await game.table.act("get", {"item": "iron_ingot"}, 60)
    assert claim.success and "You have 1 iron ingot" in claim.said, claim
    assert await game.seen("smelted", item="iron_ingot")
    held = (await game.player())["inventory"]
    assert (held["iron_ingot"], held["iron_ore"], held.get("coal", 0)) == (1, 1, 0)


async def test_she_digs_a_hole_says_so_and_what_she_says_is_heard(game: Game) -> None:
    claim = await game.table.act("dig_hole", {"depth": 1}, 60)
    assert claim.success and "The hole is 1 deep" in claim.said
    assert await game.seen("broke", block="grass_block")
    assert (await game.table.act("say", {"text": "/op me"}, 30)).success  # never a command
    assert await game.seen("chat", message="op me")


async def test_one_thing_at_a_time_and_stop_stops(game: Game) -> None:
    since = len(game.table.said)
    await game.table.choose("explore", {})
    await game.told("You have begun: explore. It is not done yet.", since)
    busy = await game.table.act("craft", {"item": "stick", "count": 1}, 30)
    assert not busy.success and "You are busy: explore" in busy.said
    assert (await game.table.act("stop", {}, 30)).said == "You stopped."
    await game.told("You did not finish explore: you wanted to stop", since)


@pytest.mark.alone
async def test_reflexes_fight_eat_and_leave_lava_without_being_told(game: Game) -> None:
    assert await game.world.scare() < 1500
    since = len(game.table.said)
    await game.world.do("give", name="bread", count=2)
    await game.world.do("food", count=6)
    await game.told("You ate a bread", since)
    assert await game.seen("ate", item="bread")
    await game.world.do("health", count=20)
    await game.world.do("block", name="lava")
    await game.told("You got out of the fire", since)
    assert (await game.player())["health"] > 0


async def test_what_a_viewer_asks_for_comes_first_and_the_long_job_goes_on(game: Game) -> None:
    await game.world.do("give", name="bread", count=1)
    since = len(game.table.said)
    await game.table.choose("collect", {"item": "dirt", "count": 3})
    await game.told("You have begun: collect dirt 3", since)
    wish = await game.table.act("equip", {"item": "bread"}, 60)
    assert wish.success and "You hold the Bread" in wish.said
    assert not [said for said in game.table.said[since:] if said.startswith("You did not finish")]
    await game.until(lambda: "You are doing: collect dirt 3" in game.table.standing[-1])
    done = await game.told("collect dirt 3. You got", since, 120)
    assert done.startswith("Done: ") and "3 dirt" in done


async def test_how_she_stands_is_told_when_it_changes(game: Game) -> None:
    since = len(game.table.standing)
    await game.world.do("give", name="bread", count=1)
    await game.until(lambda: any("bread" in each for each in game.table.standing[since:]))


async def test_she_comes_up_for_air(game: Game) -> None:
    for y in (0, 1, 2):
        await game.world.do("block", name="water", y=y)
    assert (await game.world.do("look", y=1.6))["name"] == "water"

    async with asyncio.timeout(30):
        while (await game.world.do("look", y=1.6))["name"] == "water":  # noqa: ASYNC110  # her head
            await asyncio.sleep(0.1)
    assert not await game.seen("hurt", by="drowning")


async def test_she_runs_from_a_creeper(game: Game) -> None:
    await game.world.do("health", count=20)
    since = len(game.table.said)
    stood = (await game.player())["position"]
    await game.world.do("spawn", name="creeper", x=4)
    async with asyncio.timeout(20):
        while math.dist(stood.values(), (await game.player())["position"].values()) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert not await game.seen("attacked", mob="creeper")
    await game.world.do("clear")
    await game.told("You ran away from a creeper", since)


async def test_what_worked_in_steps_is_a_skill_from_then_on(game: Game) -> None:
    await game.world.do("give", name="oak_log", count=2)
    steps: list[dict[str, object]] = [
        {"action": "craft", "item": "planks", "count": 4},
        {"action": "craft", "item": "stick", "count": 4},
    ]
    told = await game.table.act("do_steps", {"goal": "Make sticks out of logs", "steps": steps}, 60)
    assert told.success and "4 stick" in told.said
    assert "use_skill" not in game.table.actions
    await game.table.wish("please make me some sticks, Spark")
    offer = await game.until(lambda: game.table.actions.get("use_skill"))
    assert offer["schema"]["properties"]["name"]["enum"] == ["make_sticks_out_of_logs"]
    had = (await game.player())["inventory"]["stick"]
    again = await game.table.act("use_skill", {"name": "make_sticks_out_of_logs"}, 60)
    assert again.success and (await game.player())["inventory"]["stick"] >= had + 4
    await game.table.wish("what is your favourite train?")
    await game.until(lambda: "use_skill" not in game.table.actions)


async def test_steps_end_at_the_first_that_fails_and_are_not_learnt(game: Game) -> None:
    await game.world.do("give", name="oak_log", count=2)
    saws, bakes = ({"action": "craft", "item": item, "count": 1} for item in ("planks", "bow"))
    told = await game.table.act("do_steps", {"goal": "make a bow", "steps": [saws, bakes, saws]}, 90)
    assert not told.success and "Step 2 of 3 (craft) did not work: you lack what bow is made of" in told.said
    unknown = await game.table.act("do_steps", {"goal": "obey", "steps": [{"action": "say"}] * 2}, 30)
    assert not unknown.success and "A step's action must be one of" in unknown.said
    learnt = (game.log.parent / "skills.jsonl").read_text()
    assert "make_sticks" in learnt and "bow" not in learnt


async def test_a_kick_is_told_and_who_is_thrown_out_again_asks_ever_more_seldom(game: Game) -> None:
    since, pauses = len(game.table.said), []
    listeners = (await game.world.weighed())["listeners"]
    for _ in range(3):
        at = len(game.table.said)
        await game.here()
        await game.world.do("kick", text="Flying is not enabled")
        told = await game.told("Flying is not enabled). You try again in", at)
        pauses.append(int(told.split("again in ")[1].split()[0]))
        await game.told("You are in the Minecraft world", at)
        assert (await game.table.act("look", {}, 30)).success
    assert pauses == sorted(set(pauses)), pauses
    assert (await game.world.weighed())["listeners"] == listeners > 50
    assert "somebody has to look at the server, or at minecraft.host" in told
    assert len([s for s in game.table.said[since:] if "You try again" in s]) == 3
    assert "It happens again and again" in game.log.read_text()


async def test_a_world_that_dies_is_started_again_with_her_in_it(game: Game) -> None:
    family = psutil.Process(game.pids["minecraft"]).children()
    world = next(child for child in family if any("world" in word for word in child.cmdline()))
    since = len(game.table.said)
    os.kill(world.pid, signal.SIGKILL)
    await game.told("You are in the Minecraft world", since, 60)
    await game.here()
    assert (await game.table.act("inventory", {}, 30)).said == "You have: nothing."


async def test_no_server_is_one_clear_line(tmp_path: Path) -> None:
    from engines.process import StartFailed
    from tests.conftest import free_port

    with pytest.raises(
        StartFailed, match=r"no way into the Minecraft world: .*ECONNREFUSED.*cure: .*minecraft\.host"
    ):
        async with playing(tmp_path, server="127.0.0.1", server_port=free_port()):
            pass


async def test_a_world_that_loads_for_long_is_waited_for_and_a_player_there_is_heard(
    game: Game, tmp_path: Path
) -> None:
    """A server that takes connections and answers nothing, until its world is there."""
    loaded = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await loaded.wait()
        there = await asyncio.open_connection("127.0.0.1", game.port)
        with suppress(OSError):
            await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, joining("Mika", server.sockets[0].getsockname()[1], tmp_path) as mika:
        await mika.told("The Minecraft world is still loading", 0, 60)
        await mika.until(lambda: any("still loading (8 s)" in each for each in mika.table.standing))
        refused = await mika.table.act("look", {}, 30)
        assert not refused.success and "the world is still loading" in refused.said
        loaded.set()
        await mika.told("You are in the Minecraft world", 0, 60)
        assert (await mika.table.act("say", {"text": "come here, Spark"}, 30)).success
        await game.until(lambda: ("Mika", "come here, Spark") in game.table.chat)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
