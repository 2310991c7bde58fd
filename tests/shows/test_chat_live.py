"""A show on a Twitch-like server, as its user starts it: read, thanked first, removed; the token stays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.shows.live import Live, launched
from tests.waiting import eventually
from tests.wires.twitch_peer import Peer

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.timeout(300)]
TOKEN = "sesame4711sesame"


def fate(live: Live, id: str) -> str | None:
    return live.fates().get(f"twitch-{id}")


def thanks(live: Live, deed: str) -> str:
    """The turn that thanks for it, when it has begun: the next one that she took, whoever waited. (How soon
    she leaves off for it is the director's business, and tested in virtual time.)"""
    came = False
    for event in live.journal():
        came |= event["event"] == "LineArrived" and event["line"]["deed"] == deed
        if came and event["event"] == "TurnStarted":
            assert event["line"]["deed"] == deed, event
            return str(event["turn"])
    return ""


def thanked(live: Live, deed: str) -> float:
    """Seconds from its coming until thanks for it are heard, when they are."""
    turn = thanks(live, deed)
    heard = (e for e in live.events("StageReached") if (e["turn"], e["stage"]) == (turn, "audible"))
    came = (e for e in live.events("LineArrived") if e["line"]["deed"] == deed)
    return next((float(audible["at"] - next(came)["at"]) for audible in heard), 0.0)


async def test_a_show_on_twitch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWITCH_TOKEN", TOKEN)
    async with Peer().running() as peer:
        peer.events.token = TOKEN
        there = {"irc": peer.irc, "eventsub": peer.events.socket}
        there |= {"helix": f"{peer.events.http}/helix", "auth": f"{peer.events.http}/oauth2"}
        words = [f"chat.twitch.{key}={value}" for key, value in there.items()]
        with launched(tmp_path, "chat=twitch", "chat.channel=spark", "speaker=[wav]", *words) as live:
            raiders = await _evening(peer, live)
        assert None not in [fate(live, id) for id in raiders]
        saved = [path for path in (tmp_path / "run").rglob("*") if path.is_file() and path.suffix != ".wav"]
        assert saved and not [path for path in saved if TOKEN in path.read_text("utf-8", "replace")]
        assert TOKEN not in "".join(live.said)


async def _evening(peer: Peer, live: Live) -> list[str]:
    """The raiders' lines."""

    def until(found: Any, within: float = 60) -> Any:
        return asyncio.to_thread(live.until, found, within)

    await eventually(lambda: len(peer.inside) == 2 and peer.events.sessions, 90)
    first = peer.say("Spark, tell us a long story about trains and thunderstorms, please?", "mika")
    await until(lambda: [e for e in live.events("StageReached") if e["stage"] == "audible"])
    bad = peer.say("some very bad words for Spark", "troll")
    await until(lambda: [e for e in live.events("LineArrived") if e["line"]["id"] == f"twitch-{bad}"])
    peer.notice("sub", "bo")
    await until(lambda: thanks(live, "sub"))
    peer.delete(bad, "troll")  # while it waits for these thanks
    took = [await until(lambda: thanked(live, "sub"))]
    await until(lambda: fate(live, bad) and fate(live, first))
    assert (fate(live, first), fate(live, bad)) == ("answered", "removed")
    # who is being thanked is not cut off for the next
    await until(lambda: len(live.events("TurnEnded")) == len(live.events("TurnStarted")))
    peer.notice("raid", "captain", viewerCount="500")
    ids = [peer.say(f"raid line {n} hello Spark", f"raider{n}") for n in range(250)]
    await peer.reconnect()
    ids += [peer.say(f"raid line {n} hello Spark", f"raider{n}") for n in range(250, 500)]
    took.append(await until(lambda: thanked(live, "raid")))
    print("thanked a subscriber after {:.1f} s, a raid after {:.1f}".format(*took))  # noqa: T201 - to report
    await until(
        lambda: {f"twitch-{id}" for id in ids} <= {e["line"]["id"] for e in live.events("LineArrived")}
    )
    assert live.events("PartDegraded") == []
    for event, key in (("TurnStarted", "turn"), ("LineClosed", "line_id")):
        told = [each[key] for each in live.events(event)]
        assert len(told) == len(set(told)), f"{event} twice"
    return ids
