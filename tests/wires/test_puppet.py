"""The puppet's server: our adapter makes the page's face move; kill -9, restart, a second model."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from glue.errors import Refused
from glue.events import PartRecovered
from glue.stage.vts_token import TokenFile
from glue.stage.vtube_studio import VTubeStudio
from tests.conftest import Start
from tests.waiting import eventually
from tests.wires.avatar_show import showing
from tests.wires.puppet_client import page, plugin

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's own tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def test_the_adapter_moves_the_page(start: Start, tmp_path: Path) -> None:
    async with start(avatar={"state_folder": str(tmp_path)}) as engines:
        address = engines.addresses["avatar"]
        adapter = VTubeStudio(
            address, token_folder=str(tmp_path), model="spark evil", parameters=["SparkBreath"]
        )
        adapter.pose({"MouthOpen": 0.25, "FaceAngleX": -12.5, "SparkBreath": 0.75})
        async with page(address) as there, showing(adapter):
            await there.until(partial(there.shows, "SparkBreath", 0.75))
            assert (there.params["MouthOpen"], there.params["FaceAngleX"]) == (0.25, -12.5)
            assert (there.known["model"], there.known["palette"]) == ("Spark Evil", "evil")
            for step in range(30):  # the newest pose arrives, at the pace of a talking mouth
                adapter.pose({"MouthOpen": step / 30})
                await there.until(partial(there.shows, "MouthOpen", round(step / 30, 4)))
            await adapter.express("Happy", True)
            await there.until(lambda: there.known["expressions"] == {"happy": 0.3})
            await adapter.express("Happy", False)
            await there.until(lambda: there.known["expressions"] == {})
            with pytest.raises(Refused, match=r"it has: happy\.exp3\.json"):
                await adapter.express("bored", True)


async def test_what_is_not_said_again_is_let_go(start: Start) -> None:
    async with start(avatar={}) as engines, plugin(engines.addresses["avatar"]) as there:
        async with page(engines.addresses["avatar"]) as seen:
            events = ("TrackingStatusChangedEvent", "TestEvent")
            for name in events:
                await there.ask("EventSubscription", eventName=name, subscribe=True)
            async with there.holding(MouthOpen=1):
                await seen.until(lambda: seen.known.get("injected") is True)
            await seen.until(lambda: seen.known["injected"] is False)
            assert (await there.ask("ParameterValue", name="MouthOpen"))["value"] == 0
            faces: list[bool] = []
            while faces[-1:] != [False] or not any(e["messageType"] == "TestEvent" for e in there.events):
                there.events.append(await there.next())
                faces = [e["data"]["faceFound"] for e in there.events if "faceFound" in e["data"]]
            assert faces[0] is True


async def test_it_is_killed_in_the_middle_and_the_show_goes_on(start: Start, tmp_path: Path) -> None:
    async with start(avatar={"state_folder": str(tmp_path)}) as engines:
        address, first = engines.addresses["avatar"], engines.pids["avatar"]
        adapter = VTubeStudio(address, token_folder=str(tmp_path), parameters=["SparkBreath"], timeout_s=1.0)
        adapter.pose({"MouthOpen": 0.5, "SparkBreath": 0.5})
        async with showing(adapter) as told:
            await eventually(lambda: adapter.injected)
            kept = TokenFile(address, str(tmp_path))
            token = kept.read()
            os.kill(first, signal.SIGKILL)
            await eventually(lambda: engines.pids.get("avatar", first) != first)
            before = adapter.injected
            await eventually(lambda: adapter.injected > before)
            await eventually(lambda: any(isinstance(event, PartRecovered) for event in told))
            assert kept.read() == token != "", "the token survived the server's death"
            async with page(address) as there:
                await there.until(partial(there.shows, "SparkBreath", 0.5))
