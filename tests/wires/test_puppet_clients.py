"""The puppet's server and clients that were written for VTube Studio: pyvts, and vtubestudio from npm."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import pyvts

from tests.conftest import Start
from tests.wires.npm import NODE
from tests.wires.npm import modules as npm_modules
from tests.wires.puppet_client import page

pytestmark = pytest.mark.anyio
PACKAGE = "vtubestudio@3.11.0"
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's own tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def modules() -> Path:
    """A node_modules with the npm client."""
    return npm_modules(PACKAGE)


async def test_the_npm_client_is_content(start: Start, modules: Path) -> None:
    async with start(avatar={}) as engines:
        words = [*NODE, "--experimental-websocket", str(HERE / "vts_client.cjs"), engines.addresses["avatar"]]
        environment = os.environ | {"NODE_PATH": str(modules)}
        async with page(engines.addresses["avatar"]) as seen:
            done = await asyncio.to_thread(
                subprocess.run, words, capture_output=True, text=True, timeout=90, env=environment
            )
            assert done.returncode == 0, done.stderr
            await seen.until(lambda: seen.known["palette"] == "evil")
    got: dict[str, Any] = json.loads(done.stdout)
    assert got["state"]["currentSessionAuthenticated"] is True
    assert got["created"] == {"parameterName": "ForeignParam"} == got["deleted"]
    assert got["injected"] == {}
    assert [value["value"] for value in got["values"]] == [2, 0.5, 0, 0.82]
    assert got["found"] == {"found": True}
    assert len(got["hotkeys"]["availableHotkeys"]) == 11
    assert [e["name"] for e in got["expressions"]["expressions"] if e["active"]] == ["happy"]
    assert got["current"]["modelName"] == "Spark Evil"
    assert got["loaded"] == {"modelID": got["current"]["modelID"]}
    assert got["errors"] == [153, 500, 453, 950, 751]
    events = [kind for kind, _ in got["events"]]  # her face is lost a second later, whatever comes then
    assert events.index("face") < events.index("hotkey")
    assert [kind for kind in events if kind not in ("face", "test")] == ["hotkey", "model", "model"]


async def test_pyvts_is_content(start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One request at a time, and no events but the one at the end: it mistakes an event for an answer."""
    async with start(avatar={}) as engines:
        host, _, port = engines.addresses["avatar"].removeprefix("ws://").partition(":")
        me = {"plugin_name": "Py Plugin", "developer": "Somebody"}
        me |= {"authentication_token_path": str(tmp_path / "token.txt")}
        api = {"version": "1.0", "name": "VTubeStudioPublicAPI", "host": host, "port": int(port)}
        for _ in range(2):  # the second time with the token of the first
            studio = pyvts.vts(plugin_info=me, vts_api_info=api)
            await studio.connect()
            await studio.request_authenticate_token()
            assert await studio.request_authenticate() is True
            ask, build = studio.request, studio.vts_request
            made = await ask(build.requestCustomParameter("PyParam", min=-1, max=1, default_value=0))
            assert made["data"] == {"parameterName": "PyParam"}
            names, values = ["PyParam", "FaceAngleX", "MouthOpen"], [0.5, -12, 1]
            until = 0.0
            while time.monotonic() > until:  # what is not said again is let go after a second
                until = time.monotonic() + 0.9
                sent = await ask(build.requestSetMultiParameterValue(names, values, face_found=True))
                assert sent["messageType"] == "InjectParameterDataResponse"
                angle = (await ask(build.requestParameterValue("FaceAngleX")))["data"]["value"]
            assert angle == -12
            keys = (await ask(build.requestHotKeyList()))["data"]["availableHotkeys"]
            assert (await ask(build.requestTriggerHotKey(keys[0]["hotkeyID"])))["data"]
            moved = await ask(build.requestMoveModel(0.1, 0, rot=10, size=1))
            assert moved["messageType"] == "MoveModelResponse"
            listed = (await ask(build.requestTrackingParameterList()))["data"]
            assert [item["name"] for item in listed["customParameters"]] == ["PyParam"]
            assert (await ask(build.requestDeleteCustomParameter("PyParam")))["data"]
            assert (await ask(build.eventSubscriptionTest("hello")))["data"]["subscribedEventCount"] == 1
            event = json.loads(await asyncio.wait_for(studio.websocket.recv(), 30))
            assert event["data"]["yourTestMessage"] == "hello"
            await studio.close()
    capsys.readouterr()  # it prints
