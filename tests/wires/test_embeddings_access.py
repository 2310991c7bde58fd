"""Who may use the embeddings server: programs of this machine, and no page in its browser."""

from __future__ import annotations

from pathlib import Path

import anyio
import httpx
import pytest

from engines.port import unused
from engines.process import running
from engines.specs import spec
from tests.need import need_models

ASKED = '{"model": "minilm", "input": ["a cat"]}'


@pytest.mark.anyio
async def test_a_page_of_others_is_turned_away_and_programs_are_served(tmp_path: Path) -> None:
    need_models("minilm")
    port, seen = unused(), list[int]()
    async with running([spec("embeddings", {"port": port})], tmp_path, within=60):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {}):
                sent = {"Content-Type": "text/plain", **headers}  # which a browser sends without asking first
                with anyio.fail_after(30):
                    answer = await client.post("/v1/embeddings", content=ASKED, headers=sent)
                seen.append(answer.status_code)
    assert seen == [403, 403, 200] and len(answer.json()["data"][0]["embedding"]) == 384
