"""The audio socket: which page plays, what it is sent, and what its reports make of the latency."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import connect

from glue.stage.console import Console
from tests.console_show import RATE, opened, playing, told, tone, ws

pytestmark = pytest.mark.anyio


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with opened(tmp_path) as console:
        yield console


CLAIM = {"kind": "claim", "name": "x", "asked": False, "expects": 0.08}


async def test_sound_goes_to_the_page_that_asked_last(console: Console) -> None:
    audio = ws(console, "audio")
    async with playing(console) as mixer, connect(audio) as stage, connect(audio) as desk:
        await stage.send(json.dumps({**CLAIM, "name": "stage"}))
        await told(stage, kind="player", you=True)
        assert mixer.latency() == pytest.approx(0.08)
        await desk.send(json.dumps({**CLAIM, "name": "desk"}))  # could play; nobody asked it to
        await desk.send(json.dumps({**CLAIM, "name": "desk", "asked": True}))
        await told(desk, kind="player", you=True)
        assert (await told(stage, kind="player", you=False))["name"] == "desk"
        await mixer.track().write(tone(0.1))
        with anyio.fail_after(30):
            packet = await desk.recv()
        assert isinstance(packet, bytes) and len(packet) == 16 + 2 * 240 and packet[0] == 1
        await desk.send('{"kind": "release"}')
        await told(stage, kind="player", you=True)


async def test_latency_follows_the_reports(console: Console) -> None:
    async with playing(console) as mixer, connect(ws(console, "audio")) as page:
        await page.send(json.dumps(CLAIM))
        await told(page, kind="player", you=True)
        asked = anyio.current_time()
        await page.send('{"kind": "sync", "sent": 7}')
        now = (await told(page, kind="sync", sent=7))["now"]
        assert asked <= now <= anyio.current_time()
        for heard_at in (100.2, 100.2, float("nan"), 1e308, -5.0):
            await page.send(json.dumps({"kind": "position", "sample": 100 * RATE, "heard_at": heard_at}))
        await page.send('{"kind": "sync", "sent": 8}')
        await told(page, kind="sync", sent=8)
        assert mixer.latency() == pytest.approx(0.2, abs=1e-6)
