"""An engine is killed while she speaks: it comes back, the reply has its fate, the next one is heard."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.shows.live import Live, launched
from tests.shows.test_live import heard_after, operator, say, settled

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]
FRESH = 0.5  # seconds: what is told late may be over
TOPICS = itertools.cycle(("thunderstorms", "pizza", "the ocean", "trains", "old clocks", "the moon", "cats"))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with launched(tmp_path_factory.mktemp("show")) as live:
        live.until(live.url)
        yield live


def killed_in_mid_sentence(live: Live, engine: str) -> tuple[str, float]:
    """Ask, and kill the engine when a word was heard and a clause is not whole. The turn, and when it was."""
    pid = live.pids()[engine]
    with operator(live) as page:
        say(page, f"Spark, what do you think of the {engine}, and of everything else?", "zoe")
        while True:
            match json.loads(page.recv(timeout=60)):
                case {"event": "CaptionShown", "text": text, "spoken": spoken} as caption:
                    now = time.monotonic()  # the clock of the show's events
                    heard = caption["index"] or " " in text[:spoken]
                    if heard and spoken < len(text) and now - caption["at"] < FRESH:
                        os.kill(pid, signal.SIGKILL)
                        return caption["turn"], now
                case {"event": "TurnEnded", "turn": turn}:  # its clauses were too short
                    # always of something else: a tiny model falls into saying the same for ever
                    say(page, f"Spark, please tell us everything about {next(TOPICS)}", f"zoe {turn}")


def killed(live: Live, engine: str) -> None:
    """It is back within 10 s, the reply has its fate, and 10 s after it the next one is heard. Where the
    show's start took longer than 7 s, within half as much again: what is done again, was all done then."""
    started = live.until(lambda: live.events("StageTaken"))[0]["at"] - live.began
    within = max(10.0, 1.5 * started)

    def back() -> list[float]:
        down, up = (
            [event["at"] for event in live.events(name) if event["part"] == engine and event["at"] > at]
            for name in ("PartDegraded", "PartRecovered")
        )
        return up if down and len(up) == len(down) else []  # of the avatar both its engine and its adapter

    live.until(lambda: settled(live))
    turn, at = killed_in_mid_sentence(live, engine)
    live.type(f"yan: Spark, are you still there without your {engine}?")
    recovered = max(live.until(back, within=90))
    print(f"{engine}: back after {recovered - at:.1f} s of {within:.1f}")  # noqa: T201 - a figure to report
    assert recovered - at < within
    (ended,) = live.until(lambda: [event for event in live.events("TurnEnded") if event["turn"] == turn])
    assert ended["at"] > at and ended["heard"]
    assert engine != "avatar" or ended["ending"] == "finished", "her voice needs no avatar"
    closed = live.until(lambda: [event for event in live.events("LineClosed") if event["turn"] == turn])
    assert "answered" in [event["fate"] for event in closed]
    assert live.until(lambda: heard_after(live, ended["at"]), within=90)[0]["at"] - ended["at"] < within
    live.type("/skip")
    live.until(lambda: settled(live))


@pytest.mark.parametrize("engine", ["speech", "llm", "avatar"])
def test_an_engine_killed_in_mid_sentence(live: Live, engine: str) -> None:
    killed(live, engine)
