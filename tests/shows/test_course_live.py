"""A whole evening: launch.py and real OBS, from the starting scene to the ending scene and the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio
import psutil
import pytest

from glue.course import GOODBYE, GREETING
from glue.stage.obs_cues import State
from glue.stage.obs_link import Link
from tests.obs_peer import obs, until
from tests.shows.live import Live, launched
from tests.shows.test_obs_live import SCENES, environment, set_up

pytestmark = pytest.mark.slow


@dataclass
class Evening:
    """A show that records, and a client of its OBS."""

    live: Live
    link: Link

    def scene(self) -> str:
        return str(self.link.ask("GetCurrentProgramScene")["currentProgramSceneName"])

    def records(self) -> bool:
        return bool(self.link.ask("GetRecordStatus")["outputActive"])


@pytest.fixture
def evening(tmp_path: Path) -> Iterator[Evening]:
    with ExitStack() as stack:
        peer = stack.enter_context(obs(tmp_path))
        anyio.run(set_up, peer)
        link = Link("127.0.0.1", peer.port, peer.password, 10.0)
        link.open()
        stack.callback(link.close)
        stack.enter_context(environment("OBS_PASSWORD", peer.password))
        words = ["broadcast=obs", f"broadcast.port={peer.port}", "broadcast.start=[record]", "speaker=[wav]"]
        words += ["director.waits=true", "director.greets=auto", "cast.main.max_tokens=15"]
        words += ["director.goodbye=100", "director.ending=100"]  # neither is what ends it, on any machine
        yield Evening(stack.enter_context(launched(tmp_path, *words)), link)


def test_from_go_to_goodbye(evening: Evening) -> None:
    live = evening.live
    live.until(live.url)
    live.until(evening.records)
    assert evening.scene() == SCENES[State.STARTING]
    live.type("mika: hello Spark, are you there?")
    live.until(lambda: live.events("LineArrived"))
    assert not live.events("TurnStarted")
    live.type("/go")
    live.until(lambda: evening.scene() == SCENES[State.CHATTING])
    live.until(live.fates)
    engines = live.pids()
    live.type("/end")
    live.type("bo: Spark, and me?")
    live.until(lambda: evening.scene() == SCENES[State.ENDING], within=100)
    assert evening.records(), "the ending scene is held"
    live.type("/end")
    assert live.process.wait(100) == 0
    until(lambda: not evening.records())
    assert engines and not any(map(psutil.pid_exists, engines.values()))
    said = [event["line"]["text"] for event in live.events("TurnStarted")]
    assert (said[0], said[-1], said.count(GREETING), said.count(GOODBYE)) == (GREETING, GOODBYE, 1, 1)
    goodbye = live.events("TurnEnded")[-1]
    assert goodbye["ending"] == "finished" and goodbye["heard"] == goodbye["said"]
    phases = {event["phase"]: event["at"] for event in live.events("PhaseBegun")}
    assert list(phases) == ["waiting", "live", "leaving", "ending"] and phases["ending"] >= goodbye["at"]
    assert sorted(live.fates().values()) == ["answered", "unheard"]
    assert (live.run_dir / "report.html").exists()
    assert not any("Traceback" in line for line in live.said)
