"""The Minecraft body's map: what the world around her is like from above; who may look at it, and at her."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser

from tests.minecraft import Game

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
FOREIGN = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
PICTURE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}  # which has no Origin
FRAME = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
MIDDLE = "() => [...document.getElementById('map').getContext('2d').getImageData(328, 328, 1, 1).data]"


@pytest.mark.browser
async def test_the_map_shows_what_is_around_her(game: Game, browser: Browser, tmp_path: Path) -> None:
    address = f"{game.address}/map"
    await game.calm()
    await game.give("oak_log", 3)
    async with httpx.AsyncClient(trust_env=False) as client:
        seen = (await client.get(f"{address}.json")).json()
    side = 2 * seen["reach"] + 1
    assert len(seen["rows"]) == side**2 and "grass_block" in seen["names"]
    under = seen["rows"][side**2 // 2]
    assert (seen["names"][under[0]], under[1]) == ("grass_block", -1), "she stands on it"
    assert seen["has"] == [["oak_log", 3]] and seen["health"] == 20
    page = await browser.new_page(viewport={"width": 1280, "height": 720})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    await page.goto(address)
    await page.locator("#has li", has_text="3 oak log").wait_for()
    red, green, blue, _ = await page.evaluate(MIDDLE)  # what is drawn before the list
    assert red > 200 and green > 150 and blue < 120, "her yellow dot"
    assert not [error for error in errors if "favicon" not in error and "404" not in error]
    await page.screenshot(path=tmp_path / "map.png")


async def test_no_page_of_others_reads_or_weighs_the_body(game: Game) -> None:
    """Each weighing collects its rubbish, which takes its time."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def asked(path: str, headers: dict[str, str]) -> int:
            return (await client.get(f"{game.address}{path}", headers=headers)).status_code

        for path in ("/", "/weighed", "/map", "/map.js", "/map.json"):
            assert [await asked(path, headers) for headers in FOREIGN] == [403] * 3, path
            assert await asked(path, {}) == 200, path
        for path, said in (("/", 403), ("/weighed", 403), ("/map", 200)):
            assert [await asked(path, headers) for headers in (PICTURE, FRAME)] == [said] * 2, path
        assert await asked("/", {"Sec-Fetch-Site": "none"}) == 200, "its address, typed into a browser"
    assert (await game.world.weighed())["memory"] > 0
