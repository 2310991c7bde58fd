"""`python -m tests.wires.twitch_long minutes=10 rate=2000`: a long evening of chat with forced reconnects.

Prints what came, what was lost and what came twice; ends with 1 where anything was lost or doubled.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

from tests.waiting import eventually
from tests.wires.twitch_peer import Peer
from tests.wires.twitch_show import supervised, twitch


async def evening(minutes: float, rate: float, reconnects: int) -> bool:
    lines = int(minutes * rate)
    moves = {(n + 1) * lines // (reconnects + 1) for n in range(reconnects)}
    async with Peer().running() as peer, supervised(twitch(peer, connections=2)) as heard:
        await eventually(lambda: len(peer.inside) == 2)
        began = time.monotonic()
        async with asyncio.TaskGroup() as grace:
            for number in range(lines):
                if number in moves:
                    grace.create_task(peer.reconnect())
                peer.say(f"line {number}", f"viewer{number % 500}")
                await asyncio.sleep(max(0.0, began + (number + 1) * 60 / rate - time.monotonic()))
        took = time.monotonic() - began
        await eventually(lambda: len(heard.lines) >= lines)
    came = Counter(heard.texts)
    lost, twice = lines - len(came), sum(came.values()) - len(came)
    moved = f"{reconnects} forced reconnects, {peer.joins} joins"
    sys.stdout.write(f"{lines} lines in {took:.0f} s, {moved}: {lost} lost, {twice} twice\n")
    return not lost and not twice


if __name__ == "__main__":
    given = {key: float(value) for key, value in (word.split("=") for word in sys.argv[1:])}
    whole = evening(given.get("minutes", 10), given.get("rate", 2000), int(given.get("reconnects", 3)))
    sys.exit(not asyncio.run(whole))
