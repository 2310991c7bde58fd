"""A whole evening: launch.py, a Twitch-like server and real OBS, from the starting scene to the report.

She waits for Go; chat is read, thanked first, removed; she says goodbye; the token stays where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from glue.course import GOODBYE, GREETING
from glue.stage.obs_cues import State
from glue.stage.obs_link import Link
from tests.obs_peer import obs
from tests.obs_peer import until as comes
from tests.shows.live import Live, launched
from tests.shows.test_obs_live import SCENES, set_up
from tests.waiting import eventually
from tests.wires.twitch_peer import Peer

pytestmark = [pytest.mark.slow, pytest.mark.anyio, pytest.mark.timeout(300)]
TOKEN = "sesame4711sesame"
EARLY, LATE = "hello Spark, are you there?", "Spark, and me?"


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


def chat(peer: Peer) -> list[str]:
    """The config's words for its chat."""
    there = {"irc": peer.irc, "eventsub": peer.events.socket}
    there |= {"helix": f"{peer.events.http}/helix", "auth": f"{peer.events.http}/oauth2"}
    return ["chat.channel=spark", *(f"chat.twitch.{key}={value}" for key, value in there.items())]


@dataclass
class Evening:
    """A show that records, its chat, and a client of its OBS."""

    live: Live
    peer: Peer
    link: Link

    def scene(self) -> str:
        return str(self.link.ask("GetCurrentProgramScene")["currentProgramSceneName"])

    def records(self) -> bool:
        return bool(self.link.ask("GetRecordStatus")["outputActive"])

    async def until(self, found: Callable[[], Any], within: float = 60) -> Any:
        return await asyncio.to_thread(self.live.until, found, within)

    def audible(self, id: str) -> bool:
        """Whether the answer to a line of Twitch's is heard."""
        turns = {e["turn"] for e in self.live.events("TurnStarted") if e["line"]["id"] == f"twitch-{id}"}
        return any(e["turn"] in turns for e in self.live.events("StageReached") if e["stage"] == "audible")

    def still(self) -> bool:
        return len(self.live.events("TurnEnded")) == len(self.live.events("TurnStarted"))

    def typed(self, text: str) -> str:
        """The fate of a line of the terminal's, which has come."""
        (id,) = [e["line"]["id"] for e in self.live.events("LineArrived") if e["line"]["text"] == text]
        return self.live.fates().get(id, "")


async def test_an_evening_from_go_to_goodbye(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWITCH_TOKEN", TOKEN)
    with ExitStack() as stack:
        air = await asyncio.to_thread(stack.enter_context, obs(tmp_path))
        await set_up(air)
        link = Link("127.0.0.1", air.port, air.password, 10.0)
        await asyncio.to_thread(link.open)
        stack.callback(link.close)
        monkeypatch.setenv("OBS_PASSWORD", air.password)
        async with Peer().running() as peer:
            peer.events.token = TOKEN
            words = ["chat=[twitch,terminal]", *chat(peer), "speaker=[wav]", "broadcast=obs"]
            words += [f"broadcast.port={air.port}", "broadcast.start=[record]"]
            words += ["director.waits=true", "director.greets=auto"]
            # neither is what ends it, on any machine
            words += ["director.goodbye=100", "director.ending=100"]
            with launched(tmp_path, *words) as live:
                evening = Evening(live, peer, link)
                await _begins(evening)
                raiders = await _goes_on(evening)
                await _ends(evening)
    assert None not in [fate(live, id) for id in raiders]
    saved = [path for path in live.run_dir.rglob("*") if path.is_file() and path.suffix != ".wav"]
    assert saved and not [path for path in saved if TOKEN in path.read_text("utf-8", "replace")]
    assert TOKEN not in "".join(live.said)
    assert not any("Traceback" in line for line in live.said)


async def _begins(evening: Evening) -> None:
    live, until = evening.live, evening.until
    await until(evening.records, 120)
    assert evening.scene() == SCENES[State.STARTING]
    live.type(f"mika: {EARLY}")
    await until(lambda: live.events("LineArrived"))
    assert not live.events("TurnStarted")
    live.type("/go")
    await until(lambda: evening.scene() == SCENES[State.CHATTING])
    await until(lambda: evening.typed(EARLY) == "answered")


async def _goes_on(evening: Evening) -> list[str]:
    """The raiders' lines."""
    live, peer, until = evening.live, evening.peer, evening.until
    await eventually(lambda: len(peer.inside) == 2 and peer.events.sessions, 90)
    first = peer.say("Spark, tell us a long story about trains and thunderstorms, please?", "mika")
    await until(lambda: evening.audible(first))
    bad = peer.say("some very bad words for Spark", "troll")
    await until(lambda: [e for e in live.events("LineArrived") if e["line"]["id"] == f"twitch-{bad}"])
    peer.notice("sub", "bo")
    await until(lambda: thanks(live, "sub"))
    peer.delete(bad, "troll")  # while it waits for these thanks
    took = [await until(lambda: thanked(live, "sub"))]
    await until(lambda: fate(live, bad) and fate(live, first))
    assert (fate(live, first), fate(live, bad)) == ("answered", "removed")
    await until(evening.still)  # who is being thanked is not cut off for the next
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
    return ids


async def _ends(evening: Evening) -> None:
    live, until = evening.live, evening.until
    engines = live.pids()
    live.type("/end")
    live.type(f"bo: {LATE}")
    await until(lambda: evening.scene() == SCENES[State.ENDING], 100)
    assert evening.records(), "the ending scene is held"
    live.type("/end")
    assert await asyncio.to_thread(live.process.wait, 100) == 0
    await asyncio.to_thread(comes, lambda: not evening.records())
    assert engines and not any(map(psutil.pid_exists, engines.values()))
    said = [event["line"]["text"] for event in live.events("TurnStarted")]
    assert (said[0], said[-1], said.count(GREETING), said.count(GOODBYE)) == (GREETING, GOODBYE, 1, 1)
    goodbye = live.events("TurnEnded")[-1]
    assert goodbye["ending"] == "finished" and goodbye["heard"] == goodbye["said"]
    phases = {event["phase"]: event["at"] for event in live.events("PhaseBegun")}
    assert list(phases) == ["waiting", "live", "leaving", "ending"] and phases["ending"] >= goodbye["at"]
    assert (evening.typed(EARLY), evening.typed(LATE)) == ("answered", "unheard")
    for event, key in (("TurnStarted", "turn"), ("LineClosed", "line_id")):
        told = [each[key] for each in live.events(event)]
        assert len(told) == len(set(told)), f"{event} twice"
    assert (live.run_dir / "report.html").exists()
