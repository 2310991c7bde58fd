"""The Twitch-like server and clients that were written for Twitch: tmi.js from npm, twitchAPI from PyPI."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import eventually
from tests.wires.npm import NODE, modules
from tests.wires.twitch_peer import Peer

pytestmark = pytest.mark.anyio
PACKAGE = "tmi.js@1.8.5"
SPARK = {"id": "1001", "login": "spark", "name": "Spark"}


async def test_tmi_js_is_content(peer: Peer) -> None:
    script = str(Path(__file__).parent / "twitch_client.cjs")
    environment = os.environ | {"NODE_PATH": str(await asyncio.to_thread(modules, PACKAGE))}
    command = [*NODE, script, peer.irc.rsplit(":", 1)[1]]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=environment)
    try:
        await eventually(lambda: peer.inside, 60)
        id = peer.say("hi there; it's me", "mika")
        peer.say("Cheer100 wow", "bo", bits="100")
        peer.notice("sub", "bo", sub_plan="1000")
        peer.notice("resub", "cy", "love it", cumulative_months="7", sub_plan="1000", should_share_streak="0")
        peer.notice("submysterygift", "dee", mass_gift_count="5", sub_plan="1000", sender_count="5")
        peer.notice("raid", "eve", viewerCount="500", displayName="Eve")
        peer.delete(id)
        peer.ban("troll")
        await peer.reconnect()
        peer.say("bye")
        assert process.stdout is not None
        told = [json.loads(line) for line in (await asyncio.wait_for(process.stdout.read(), 60)).splitlines()]
        await asyncio.wait_for(process.wait(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert [event for event in told if event[0] != "join"] == [
        ["message", "Mika", id, "hi there; it's me"],
        ["cheer", "Bo", "100", "Cheer100 wow"],
        ["subscription", "Bo"],
        ["resub", "Cy", "7", "love it"],
        ["submysterygift", "Dee", 5],
        ["raided", "Eve", 500],
        ["messagedeleted", "mika", id],
        ["ban", "troll"],
        ["message", "Mika", told[-1][2], "bye"],
    ]


async def test_twitchapi_is_content(peer: Peer) -> None:
    command = [sys.executable, "-m", "tests.wires.twitch_client", peer.events.http, peer.events.socket]
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=root)
    try:
        await eventually(lambda: [len(s.kinds) for s in peer.events.sessions.values()] == [5], 60)
        await eventually(lambda: peer.events.written)
        mika = {"user_id": "1002", "user_login": "mika", "user_name": "Mika"}
        about = {f"broadcaster_user_{key}": value for key, value in SPARK.items()}
        await peer.events.tell("channel.follow", mika | about | {"followed_at": "2026-11-23T12:00:00Z"})
        await peer.events.reconnect()
        await peer.events.moved()
        await peer.events.tell("channel.subscribe", mika | about | {"tier": "1000", "is_gift": False})
        raider = {"from_broadcaster_user_login": "eve", "from_broadcaster_user_name": "Eve", "viewers": 500}
        await peer.events.tell("channel.raid", raider)
        cheer = {"bits": 100, "message": "Cheer100 wow", "is_anonymous": False}
        await peer.events.tell("channel.cheer", mika | about | cheer)
        drink = {"reward": {"id": "r1", "title": "Hydrate"}, "user_input": "drink!"}
        points = "channel.channel_points_custom_reward_redemption.add"
        await peer.events.tell(points, mika | about | drink)
        assert process.stdout is not None
        told = (await asyncio.wait_for(process.stdout.read(), 60)).decode().splitlines()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert [body["message"] for body in peer.events.written] == ["hello, chat"]
    assert told == [
        "sent True True",
        "channel.follow Mika",
        "channel.subscribe Mika",
        "channel.raid Eve 500",
        "channel.cheer Mika 100",
        f"{points} Mika drink!",
    ]
