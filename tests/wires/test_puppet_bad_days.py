"""The puppet's server and people who behave badly; how it starts and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engines.avatar.discovery import broadcast
from engines.avatar.options import Options
from engines.avatar.probe import ready
from engines.avatar.web import FILES
from engines.options import OptionError, parse
from engines.port import unused
from engines.process import NotReady
from tests.conftest import Start
from tests.puppet import request
from tests.wires.puppet_client import page, plugin

pytestmark = pytest.mark.anyio
MOUTH = {"faceFound": True, "parameterValues": [{"id": "MouthOpen", "value": 0.5}]}


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's own tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def test_hostile_frames_hurt_nobody(start: Start) -> None:
    async with start(avatar={"max_frame": 4096}) as engines:
        address = engines.addresses["avatar"]
        async with plugin(address) as good:
            for frame in ("not JSON", b"\x00\xff\x13", "[" * 4000, "", '{"apiName": 3}'):
                async with connect(address, proxy=None) as bad:
                    await bad.send(frame)
                    answer = json.loads(await bad.recv())
                    assert answer["messageType"] == "APIError"
                    await bad.send(request("APIState", {}))
                    assert json.loads(await bad.recv())["data"]["active"] is True
            for giant in ("x" * 5000, b"x" * 5000):
                async with connect(address, proxy=None) as bad:
                    await bad.send(giant)
                    with pytest.raises(ConnectionClosed) as closed:
                        await bad.recv()
                    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
            async with connect(f"{address}/feed", proxy=None) as bad:
                await bad.send("x" * 5000)
            assert await good.ask("InjectParameterData", **MOUTH) == {}


async def test_who_is_let_in(puppet: str) -> None:
    address, port = puppet, int(puppet.rpartition(":")[2])
    for origin in ("http://evil.example", "https://127.0.0.1.evil.example", "null", "http://127.0.0.1.x"):
        for path in ("", "/feed"):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(address + path, origin=origin, proxy=None)  # type: ignore[arg-type]  # a NewType of str
    for origin in ("http://127.0.0.1:8020", "http://localhost:8020", "http://[::1]:8020"):
        async with connect(f"{address}/any/path", origin=origin, proxy=None) as fine:  # type: ignore[arg-type]  # a NewType of str
            await fine.send(request("APIState", {}))
            assert json.loads(await fine.recv())["data"]["active"] is True
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        assert (await http.get("/", headers={"Host": f"evil.example:{port}"})).status_code == 403
        assert (await http.head("/health", headers={"Host": "localhost"})).status_code == 200
        answer = await http.get("/health")
        assert "frame-ancestors http://127.0.0.1:*" in answer.headers["content-security-policy"]
        assert "x-frame-options" not in answer.headers
        for path in ("/nothing", "/../options.py", "/%2e%2e/options.py", "/page/..%2foptions.py"):
            assert (await http.get(path)).status_code == 404


async def test_the_page_is_served_at_the_root_and_under_page(puppet: str) -> None:
    base = puppet.replace("ws://", "http://")
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        answers = [await http.get(path) for path in ("/", "/page/", "/page/index.html")]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert answers[0].headers["content-type"].startswith("text/html")
        assert answers[0].headers["cache-control"] == "no-cache"
        kinds = {".js": "javascript", ".css": "text/css", ".html": "text/html"}
        for file in FILES.iterdir():
            for path in (f"/{file.name}", f"/page/{file.name}"):
                answer = await http.get(path)
                assert answer.status_code == 200
                assert kinds.get(file.suffix, "") in answer.headers["content-type"]


async def test_a_page_that_never_reads_costs_nothing(start: Start) -> None:
    """Its socket fills, then it is told nothing more: the others have every frame, the server stays small."""
    async with start(avatar={}) as engines:
        address = engines.addresses["avatar"]
        process = psutil.Process(engines.pids["avatar"])
        port = int(address.rpartition(":")[2])
        with socket.socket() as asleep:
            asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            asleep.connect(("127.0.0.1", port))
            key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
            upgrade = f"Host: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{key}"
            asleep.sendall(f"GET /feed HTTP/1.1\r\n{upgrade}\r\n\r\n".encode())
            async with plugin(address) as good, page(address) as awake:
                before = process.memory_info().rss
                for step in range(1, 1500):
                    await good.inject(**{f"FaceAngle{axis}": step / 100 for axis in "XYZ"})
                async with good.holding(FaceAngleX=14.99):
                    await awake.until(lambda: awake.params["FaceAngleX"] == 14.99)
                assert process.memory_info().rss - before < 4 << 20


async def test_a_plugin_that_never_reads_stops_itself_alone(start: Start) -> None:
    async with start(avatar={}) as engines:
        address = engines.addresses["avatar"]
        async with plugin(address) as good, connect(address, proxy=None, max_queue=1) as greedy:
            sent, flood = 0, request("APIState", {"x": "y" * 10_000})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    while True:
                        await greedy.send(flood)
                        sent += 1
            assert await good.ask("InjectParameterData", **MOUTH) == {}
            assert psutil.Process(engines.pids["avatar"]).memory_info().rss < 200 << 20
            greedy.transport.abort()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_at_once_with_everything_open(
    start: Start, name: signal.Signals, tmp_path: Path
) -> None:
    port = unused()
    words = (sys.executable, "-m", "engines.avatar", f"port={port}", f"state_folder={tmp_path}")
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE)
    await _until_ready(Options(port=port))
    address = f"ws://127.0.0.1:{port}"
    async with plugin(address) as one, page(address):
        await one.ask("InjectParameterData", **MOUTH)
        os.kill(process.pid, name)
        _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    # and none that uvicorn waited for who is there in vain
    assert said.decode().splitlines() == [f"avatar: Spark is on http://127.0.0.1:{port}/"]


async def _until_ready(options: Options) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                return await ready(options)
            except NotReady:
                await asyncio.sleep(0.05)


async def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = [sys.executable, "-m", "engines.avatar", f"port={port}"]
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"port {port} is taken by ") and "; cure: port=" in done.stderr
        assert done.stderr.count("\n") == 1
        async with asyncio.timeout(30):  # it does not wait for who takes connections and says nothing
            with pytest.raises(NotReady, match=f"avatar at ws://127.0.0.1:{port}"):
                await ready(Options(port=port))


async def test_it_tells_the_network_where_it_is() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(30)
        async with anyio.create_task_group() as tg:
            tg.start_soon(broadcast, 4321, listener.getsockname())
            said = json.loads(await asyncio.to_thread(listener.recv, 4096))
            tg.cancel_scope.cancel()
    assert said["messageType"] == "VTubeStudioAPIStateBroadcast"
    assert (said["data"]["active"], said["data"]["port"]) == (True, 4321)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("model=Sparky", "no 'Sparky'; the models are: Spark, Spark Evil"),
        ("host=0.0.0.0", "not this machine"),
        ("discovery=sometimes", "option 'discovery'"),
        ("max_frame=1", "must be 1024 or more"),
        ("prot=1", "no option 'prot'; the options are: host, port, model"),
    ],
)
async def test_a_wrong_option_is_refused(word: str, why: str) -> None:
    with pytest.raises(OptionError, match=re.escape(why)):
        parse(Options, [word])


async def test_a_wrong_option_is_one_clear_line() -> None:
    words = [sys.executable, "-m", "engines.avatar", "prot=1"]
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no option 'prot'" in done.stderr and len(done.stderr.splitlines()) == 1
