"""Furnaces: what is smelted counts when she has it again, and what others put in is theirs."""

from __future__ import annotations

import pytest

from tests.minecraft import Game

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def test_she_smelts_and_a_furnace_keeps_what_lies_in_it(game: Game) -> None:
    for name, count in (("furnace", 1), ("iron_ore", 2), ("coal", 1)):
        await game.give(name, count)
    claim = await game.table.act("get", {"item": "iron_ingot"}, 60)
    assert claim.success and "You have 1 iron ingot" in claim.said, claim
    await game.sees("smelted", item="iron_ingot")
    held = (await game.player())["inventory"]
    assert (held["iron_ingot"], held["iron_ore"], held.get("coal", 0)) == (1, 1, 0)


async def test_who_lacks_a_furnace_or_what_it_takes_smelts_nothing(game: Game) -> None:
    for item, why in (("sand", "you have too little sand"), ("bread", "a furnace makes no bread")):
        claim = await game.table.act("smelt", {"item": item, "count": 2}, 60)
        assert not claim.success and why in claim.said.lower(), claim
    await game.give("sand", 1)
    claim = await game.table.act("smelt", {"item": "sand", "count": 1}, 60)
    assert not claim.success and "you have nothing to burn" in claim.said.lower(), claim


async def test_a_fight_in_the_middle_loses_nothing_of_it(game: Game) -> None:
    for name, count in (("sand", 6), ("coal", 2), ("iron_sword", 1)):
        await game.give(name, count)
    had = (await game.player())["inventory"]
    since = len(game.table.said)
    await game.world.do("health", count=20)
    await game.table.choose("smelt", {"item": "sand", "count": 6})
    await game.told("You have begun: smelt sand 6", since)
    await game.world.do("spawn", name="zombie", x=2.5)
    await game.told("zombie", since)
    assert "You got 6 glass" in await game.told("Done: smelt sand 6.", since, 90)
    has = (await game.player())["inventory"]
    assert (has["glass"], had["sand"] - has["sand"]) == (6, 6)
    assert had["coal"] - has["coal"] <= 1, "what did not burn is hers again"


async def test_what_lies_there_of_a_job_that_she_broke_off_is_still_hers(game: Game) -> None:
    for name, count in (("sand", 8), ("coal", 1)):
        await game.give(name, count)
    had = (await game.player())["inventory"]
    since = len(game.table.said)
    await game.table.choose("smelt", {"item": "sand", "count": 8})
    await game.told("You have begun: smelt sand 8", since)
    assert (await game.table.act("stop", {}, 30)).said == "You stopped."
    await game.told("You did not finish smelt sand 8", since)
    again = await game.table.act("smelt", {"item": "sand", "count": 1}, 60)
    assert again.success, again
    has = (await game.player())["inventory"]
    made, spent = has["glass"] - had.get("glass", 0), had["sand"] - has.get("sand", 0)
    assert made == spent >= 1, "nothing stayed in the furnace"


async def test_what_another_smelts_stays_theirs(game: Game, mika: Game) -> None:
    await game.world.do("move", who="Mika", x=1, y=1)
    for name, count in (("sand", 8), ("coal", 1)):
        await mika.give(name, count)
        await game.give(name, count)
    since = len(mika.table.said)
    await mika.table.choose("smelt", {"item": "sand", "count": 8})
    await mika.told("You have begun: smelt sand 8", since)
    refused = await game.table.act("smelt", {"item": "sand", "count": 2}, 60)
    assert not refused.success and "somebody else uses the furnace" in refused.said.lower(), refused
    assert "You got 8 glass" in await mika.told("Done: smelt sand 8.", since, 60)
