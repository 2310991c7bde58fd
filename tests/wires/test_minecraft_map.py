"""The Minecraft body's map: what the world around her is like from above, and who may look."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from engines.port import unused
from tests.chromium import chromium
from tests.minecraft import playing

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(240)]


async def test_the_map_shows_what_is_around_her(tmp_path: Path) -> None:
    port = unused()
    address = f"http://127.0.0.1:{port}/map"
    async with playing(tmp_path, port=port) as game, chromium() as browser, httpx.AsyncClient() as client:
        await game.world.do("give", name="oak_log", count=3)
        await game.until(lambda: game.table.standing and "3 oak log" in game.table.standing[-1])
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
        middle = (
            "() => [...document.getElementById('map').getContext('2d').getImageData(328, 328, 1, 1).data]"
        )
        red, green, blue, _ = await page.evaluate(middle)
        assert red > 200 and green > 150 and blue < 120, "her yellow dot"
        assert not [error for error in errors if "favicon" not in error and "404" not in error]
        await page.screenshot(path=tmp_path / "map.png")
        for path in ("", ".js", ".json"):
            answer = await client.get(f"{address}{path}", headers={"Host": "evil.example"})
            assert answer.status_code == 403
