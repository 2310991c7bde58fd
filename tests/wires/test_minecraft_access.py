"""Who may ask the Minecraft body how it stands: each weighing collects its rubbish, which takes its time."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from engines.minecraft.exam import World
from engines.port import unused
from tests.minecraft import playing

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]
FOREIGN = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
PICTURE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}  # which has no Origin
FRAME = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}


async def test_no_page_of_others_reads_or_weighs_the_body(tmp_path: Path) -> None:
    port = unused()
    async with playing(tmp_path, port=port), httpx.AsyncClient(trust_env=False) as client:

        async def asked(path: str, headers: dict[str, str]) -> int:
            return (await client.get(f"http://127.0.0.1:{port}{path}", headers=headers)).status_code

        for path in ("/", "/weighed", "/map", "/map.js", "/map.json"):
            assert [await asked(path, headers) for headers in FOREIGN] == [403] * 3, path
            assert await asked(path, {}) == 200, path
        for path, said in (("/", 403), ("/weighed", 403), ("/map", 200)):
            assert [await asked(path, headers) for headers in (PICTURE, FRAME)] == [said] * 2, path
        assert await asked("/", {"Sec-Fetch-Site": "none"}) == 200, "its address, typed into a browser"
        assert (await World(0, port).weighed())["memory"] > 0
