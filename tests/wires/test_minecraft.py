"""The Minecraft body on a real server and the game wire: what it does and claims, and its bad days."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from engines.port import unused
from engines.process import StartFailed
from glue.report import world
from tests.minecraft import Game, joining, playing

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


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
    await game.give("oak_log", 3)
    claim = await game.table.act("get", {"item": "wooden_pickaxe"}, 60)
    assert claim.success, claim
    assert (await game.player())["inventory"]["wooden_pickaxe"] == 1
    await game.sees("crafted", item="wooden_pickaxe", count=1)
    await game.sees("placed", item="crafting_table")
    track = game.log.parent / world.WORLD
    done = await game.until(lambda: [r for r in world.read(track) if r.did == "get wooden pickaxe"])
    her = (await game.player())["position"]
    assert done[0].success and math.dist((done[0].x, done[0].z), (her["x"], her["z"])) < 1


async def test_she_digs_a_hole_says_so_and_what_she_says_is_heard(game: Game) -> None:
    claim = await game.table.act("dig_hole", {"depth": 1}, 60)
    assert claim.success and "The hole is 1 deep" in claim.said
    await game.sees("broke", block="grass_block")
    assert (await game.table.act("say", {"text": "/op me"}, 30)).success  # never a command
    await game.sees("chat", message="op me")


async def test_one_thing_at_a_time_and_stop_stops(game: Game) -> None:
    since = len(game.table.said)
    await game.table.choose("collect", {"item": "dirt", "count": 16})
    await game.told("You have begun: collect dirt 16. It is not done yet.", since)
    busy = await game.table.act("craft", {"item": "stick", "count": 1}, 30)
    assert not busy.success and "You are busy: collect dirt 16" in busy.said
    assert (await game.table.act("stop", {}, 30)).said == "You stopped."
    await game.told("You did not finish collect dirt 16: you wanted to stop", since)


async def test_she_walks_about_only_until_there_is_something_to_do(game: Game) -> None:
    since = len(game.table.said)
    await game.table.choose("explore", {})
    await game.told("You have begun: explore. It is not done yet.", since)
    await game.table.choose("collect", {"item": "dirt", "count": 4})
    await game.told("You did not finish explore: something else comes first", since)
    await game.told("Done: collect dirt 4. You got", since, 60)


async def test_what_is_asked_all_at_once_is_done_one_after_the_other(game: Game) -> None:
    since = len(game.table.said)
    await game.table.choose("explore", {})
    await game.told("You have begun: explore", since)
    await game.table.choose("flee", {})
    await game.told("Nothing chases you", since)
    await game.table.choose("collect", {"item": "dirt", "count": 2})  # while exploring has not yet gone on
    await game.table.choose("get", {"item": "torch"})
    await game.told("You are busy: collect dirt 2", since)
    await game.told("Done: collect dirt 2. You got", since, 60)


async def test_what_a_viewer_asks_for_comes_first_and_the_long_job_goes_on(game: Game) -> None:
    await game.give("bread", 1)
    since = len(game.table.said)
    await game.table.choose("collect", {"item": "dirt", "count": 6})
    await game.told("You have begun: collect dirt 6", since)
    wish = await game.table.act("equip", {"item": "bread"}, 60)
    assert wish.success and "You hold the Bread" in wish.said
    assert not [said for said in game.table.said[since:] if said.startswith("You did not finish")]
    stood = len(game.table.standing)
    done = await game.told("collect dirt 6. You got", since, 120)
    assert any("You are doing: collect dirt 6" in each for each in game.table.standing[stood:])
    got = re.fullmatch(r"Done: collect dirt 6\. You got (\d+) dirt\.", done)
    assert got and int(got[1]) >= 6, done  # one that lay there still when she was interrupted comes on top


async def test_how_far_she_is_is_told_at_each_quarter(game: Game) -> None:
    since, stood = len(game.table.said), len(game.table.standing)
    claim = await game.table.act("collect", {"item": "dirt", "count": 8}, 120)
    assert claim.success, claim
    told = [said for said in game.table.said[since:] if "so far" in said]
    found = [re.fullmatch(r"On the way: collect dirt 8, (\d) of 8 so far\.", said) for said in told]
    far = [int(match[1]) for match in found if match]
    assert 1 <= len(far) == len(told) <= 3 and far == sorted(set(far)), told  # one block may bring several
    assert any("You are doing: collect dirt 8, " in each for each in game.table.standing[stood:])
    await game.until(lambda: game.table.standing[-1].endswith("You are doing nothing."))


async def test_what_failed_twice_is_not_proposed_again(game: Game) -> None:
    await game.give("dirt", 8)
    await game.until(lambda: "build" in (game.table.forced or [[""]])[-1])
    for _ in range(2):
        claim = await game.table.act("build", {"plan": "hut", "size": 6}, 60)
        assert not claim.success and re.search(r"blocks, and you have \d", claim.said), claim
    await game.until(lambda: "build" not in game.table.forced[-1])
    assert "get" in game.table.forced[-1]


async def test_how_she_stands_is_told_when_it_changes(game: Game) -> None:
    since = len(game.table.standing)
    await game.world.do("give", name="bread", count=1)
    await game.until(lambda: any("bread" in each for each in game.table.standing[since:]))


async def test_what_worked_in_steps_is_a_skill_from_then_on(game: Game) -> None:
    await game.give("oak_log", 2)
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
    await game.give("oak_log", 2)
    saws, bakes = ({"action": "craft", "item": item, "count": 1} for item in ("planks", "bow"))
    told = await game.table.act("do_steps", {"goal": "make a bow", "steps": [saws, bakes, saws]}, 90)
    assert not told.success and "Step 2 of 3 (craft) did not work: you lack what bow is made of" in told.said
    unknown = await game.table.act("do_steps", {"goal": "obey", "steps": [{"action": "say"}] * 2}, 30)
    assert not unknown.success and "A step's action must be one of" in unknown.said
    learnt = (game.log.parent / "skills.jsonl").read_text()
    assert "make_sticks" in learnt and "bow" not in learnt


async def test_a_kick_is_told_and_who_is_thrown_out_again_asks_ever_more_seldom(game: Game) -> None:
    since, pauses = len(game.table.said), []
    await game.calm()
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
    await game.calm()
    assert (await game.world.weighed())["listeners"] == listeners > 50
    assert "somebody has to look at the server, or at minecraft.host" in told
    assert len([s for s in game.table.said[since:] if "You try again" in s]) == 3
    assert "It happens again and again" in game.log.read_text()


def process(guardian: int, name: str) -> list[psutil.Process]:
    """The body's, or the world's, where it runs."""
    found: list[psutil.Process] = []
    for child in psutil.Process(guardian).children():
        with suppress(psutil.Error):  # it is just gone
            found += [child] if any(word.endswith(f"{name}/main.js") for word in child.cmdline()) else []
    return found


async def test_a_world_that_dies_is_started_again_and_she_says_so_and_joins_it(game: Game) -> None:
    guardian, since = game.pids["minecraft"], len(game.table.said)
    (world,), body = process(guardian, "world"), process(guardian, "body")
    world.kill()
    await game.told("You are out of the Minecraft world (", since)
    await game.told("You are in the Minecraft world", since, 60)
    await game.here()
    assert (await game.table.act("inventory", {}, 30)).said == "You have: nothing."
    assert process(guardian, "body") == body and process(guardian, "world") != [world]


@pytest.fixture(scope="module")
async def another(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Game]:
    """A body that soon gives a world up, in a world of its own."""
    async with playing(tmp_path_factory.mktemp("another"), patience=6.0) as game:
        yield game


async def test_a_world_that_hangs_is_left_and_joined_when_it_goes_on(another: Game) -> None:
    (world,), since = process(another.pids["minecraft"], "world"), len(another.table.said)
    world.suspend()
    try:
        await another.told("You are out of the Minecraft world (", since)
        refused = await another.table.act("look", {}, 30)
        assert not refused.success and "You are not in the Minecraft world" in refused.said
    finally:
        world.resume()
    await another.told("You are in the Minecraft world", since, 60)
    await another.looks("You see")


async def test_a_world_that_dies_again_and_again_ends_the_body_too(another: Game) -> None:
    guardian = another.pids["minecraft"]
    for number in range(3):
        (world,), since = process(guardian, "world"), len(another.table.said)
        world.kill()
        if number < 2:
            await another.told("You are in the Minecraft world", since, 60)
    await another.until(lambda: another.pids.get("minecraft") != guardian)
    assert not psutil.pid_exists(guardian)


async def test_no_server_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(
        StartFailed, match=r"no way into the Minecraft world: .*ECONNREFUSED.*cure: .*minecraft\.host"
    ):
        async with playing(tmp_path, server="127.0.0.1", server_port=unused()):
            pass


async def test_a_version_that_nobody_speaks_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"no way .*unsupported protocol version: 1\.99; cure: .*version"):
        async with playing(tmp_path, server="127.0.0.1", server_port=unused(), version="1.99"):
            pass


async def test_a_world_that_loads_for_long_is_waited_for_and_a_player_there_is_heard(
    game: Game, tmp_path: Path
) -> None:
    """A server that takes connections and answers nothing, until its world is there. Who comes or
    goes is told at once, and not 10 s later as where nothing is new."""
    loaded = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await loaded.wait()
        there = await asyncio.open_connection("127.0.0.1", game.port)
        with suppress(OSError):
            await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, joining("Mika", server.sockets[0].getsockname()[1], tmp_path) as mika:
        await mika.told("The Minecraft world is still loading", 0, 60)
        await mika.until(lambda: any("still loading (" in each for each in mika.table.standing))
        refused = await mika.table.act("look", {}, 30)
        assert not refused.success and "the world is still loading" in refused.said
        loaded.set()
        await mika.told("You are in the Minecraft world", 0, 60)
        assert (await mika.table.act("say", {"text": "come here, Spark"}, 30)).success
        await game.until(lambda: ("Mika", "come here, Spark") in game.table.chat)
        await game.until(lambda: "Players: Mika" in game.table.standing[-1])
        stood = time.monotonic()
    await game.until(lambda: "Mika" not in game.table.standing[-1])
    assert time.monotonic() - stood < 10


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
