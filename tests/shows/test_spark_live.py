"""`launch.py stack=spark`, whole: bundles made on the spot, peers and her eyes in place of containers."""

from __future__ import annotations

import json
import os
import signal
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import psutil
import pytest
from rich.console import Console

from engines import port, services
from engines.bundle import pipeline, tiny, words
from engines.bundle.config import Adapters
from engines.port import unused
from engines.vision.environment import environment
from engines.vision.options import Device
from tests.need import need, need_models
from tests.shows.live import ROOT, Live, end, shown
from tests.test_compose import Docker
from tests.wires.test_vision import screen

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]
SERVICES = ("trtllm", "opener", "tts", "vision")
PICTURE = "screen.png"
PROMPTS = {"main": "You are Spark", "evil": "You are Evil, the evil twin"}
LOUD = 1000  # of 32768


def number(name: str) -> int:
    """Where the wire of a service is published."""
    return next(port for _, port in services.ports(services.described([name])[name]))


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Two bundles with both personas each, as the two commands before the show make them."""
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    for seed, who in enumerate(("main", "evil")):
        tiny.adapter(tmp_path / who, seed=seed)
    given = Adapters(main=str(tmp_path / "main"), evil=str(tmp_path / "evil"))
    config = replace(words.read("tiny-llama"), adapters=given)
    found = {name: tmp_path / name for name in ("trtllm", "opener")}
    for folder in found.values():
        pipeline.build(config, folder, Console(quiet=True))
    monkeypatch.delenv("SPARK_MODELS")
    return found


@pytest.fixture
def docker(tmp_path: Path, bundles: dict[str, Path]) -> Iterator[Docker]:
    """A machine with Docker and a GPU, as far as anybody asks; what `up` starts is ended here."""
    need(environment(Device.cpu).made, "the vision environment", "./build_engines.sh vision")
    need_models("nudenet", "ppocr")
    for name in SERVICES:
        need(port.free("127.0.0.1", number(name)), f"port {number(name)}", "stop what has it")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvidia-smi").touch(mode=0o755)
    found = Docker(tmp_path / "bin")
    found.has({name: ["absent/", "running/starting"] for name in SERVICES})
    mounts = {
        name: [f"/bundle/adapters/{who}:{folder / 'adapters' / who}" for who in ("main", "evil")]
        for name, folder in bundles.items()
    }
    module = {"trtllm": "trtllm_peer", "opener": "trtllm_peer", "tts": "nim_peer"}
    peers = {}
    for name in module:
        argv = ["-m", f"tests.wires.{module[name]}", str(number(name)), *mounts.get(name, [])]
        peers[name] = {"argv": [sys.executable, *argv], "port": number(name)}
    peers["vision"] = {"argv": [sys.executable, "-m", "engines.vision"], "port": number("vision")}
    (found.folder / "peers.json").write_text(json.dumps(peers))
    try:
        yield found
    finally:
        left = running(found)
        for process in left:
            process.terminate()  # the eyes' own end what they started
        for process in psutil.wait_procs(left, timeout=10)[1]:
            process.kill()


def running(docker: Docker) -> list[psutil.Process]:
    """The peers that live."""
    pids = [int(path.read_text()) for path in docker.folder.glob("*.pid")]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def asked(name: str) -> list[dict[str, Any]]:
    """What a model's peer was asked, in order."""
    found: list[dict[str, Any]] = httpx.get(f"http://127.0.0.1:{number(name)}/asked", trust_env=False).json()
    return found


def progress(live: Live, name: str) -> list[str]:
    return [line.removeprefix(f"{name}: ") for line in live.said if line.startswith(f"{name}: ")]


@contextmanager
def on_a_spark(tmp_path: Path, docker: Docker, bundles: dict[str, Path], *overrides: str) -> Iterator[Live]:
    """The show, with eyes on a picture, on a machine where the scripted Docker is the first one found."""
    ports = {key: unused() for key in ("avatar.engine.port", "console.port")}
    there = {
        "PATH": f"{docker.folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NGC_API_KEY": "not-a-real-key",
        "SPARK_BUNDLE": str(bundles["trtllm"]),
        "SPARK_OPENER_BUNDLE": str(bundles["opener"]),
    }
    words = ("stack=spark", "persona=[main,evil]", "speaker=[wav]", "llm.opener=always")
    patient = ("llm.opening.within=30", "llm.opening.patience=30")  # so that a busy machine changes nothing
    quiet = ("director.lonely=1000", "cast.main.max_tokens=20", "eyes.apart_s=1")
    with shown(tmp_path, *words, *patient, *quiet, *overrides, ports=ports, environment=there) as live:
        live.until(live.url)
        yield live


def eyes(tmp_path: Path) -> str:
    """What she looks at."""
    return f"eyes.source={tmp_path / PICTURE}"


def draw(path: Path, text: str) -> None:
    """The screen that she looks at."""
    new = path.with_name(f"new-{path.name}")
    cv2.imwrite(str(new), screen(text))
    new.replace(path)


def answered(live: Live, line: str) -> dict[str, Any]:
    """Say it; how the reply to it ended."""

    def ends() -> list[dict[str, Any]]:
        turns = [e["turn"] for e in live.events("TurnStarted") if e["line"]["text"] == line]
        return [e for e in live.events("TurnEnded") if e["turn"] in turns]

    live.type(f"mika: {line}")
    ended: dict[str, Any] = live.until(ends)[0]
    return ended


def test_a_sparks_show_starts_its_containers_and_is_heard(
    tmp_path: Path, docker: Docker, bundles: dict[str, Path]
) -> None:
    draw(tmp_path / PICTURE, "")
    with on_a_spark(tmp_path / "started", docker, bundles, eyes(tmp_path)) as live:
        assert "pulling what is not here yet: trtllm, opener, tts" in live.said
        assert "building what is not here yet: vision" in live.said
        for name in SERVICES:
            told = progress(live, name)
            assert told[0] == "absent" and told[-1].startswith("running, healthy ("), told
        assert any("healthy, but speech at" in line for line in progress(live, "tts"))
        for name in bundles:
            warmed = [each for each in asked(name) if each["tokens"] == 1]
            assert {each["adapter"] for each in warmed} == {f"/bundle/adapters/{who}" for who in PROMPTS}, (
                name
            )
            for who, said in PROMPTS.items():
                heads = [each["prompt"] for each in warmed if each["adapter"].endswith(who)]
                assert all(said in head for head in heads), name
        before = {name: len(asked(name)) for name in bundles}
        ended = answered(live, "what is your favourite train?")
        opened = live.events("ReplyOpened")[0]["text"]
        spoken = {name: asked(name)[before[name] :] for name in bundles}
        draw(tmp_path / PICTURE, "GAME OVER")
        live.until(lambda: [each for each in live.events("Seen") if "GAME OVER" in each["texts"]])
        pids = [each.pid for each in running(docker)]
        end(live)
    assert live.process.returncode in (0, 130, -signal.SIGINT)
    assert ended["ending"] == "finished" and ended["heard"].split()[:4] == opened.split()[:4]
    for name, requests in spoken.items():
        first = next(each for each in requests if each["tokens"] > 1)
        assert "mika" in first["prompt"] and first["adapter"] == "/bundle/adapters/main", name
    (continued,) = [each for each in spoken["trtllm"] if each["tokens"] > 1]
    assert continued["prompt"].endswith(opened), "the large model goes on with the small one's words"
    with wave.open(str(live.run_dir / "audio.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        assert np.count_nonzero(np.abs(sound) > LOUD) > file.getframerate() / 2
    assert [each.pid for each in running(docker)] == pids, "containers outlive a show: loading takes minutes"
    assert not [call for call in docker.calls if call.split()[0] in ("down", "stop", "kill")]
    a_second_show_uses_them(tmp_path, docker, bundles, pids)


def a_second_show_uses_them(
    tmp_path: Path, docker: Docker, bundles: dict[str, Path], pids: list[int]
) -> None:
    """What runs already, whoever started it, is enough with engines.start=false; Docker is asked nothing."""
    calls, before = list(docker.calls), len(asked("trtllm"))
    with on_a_spark(tmp_path / "used", docker, bundles, eyes(tmp_path), "engines.start=false") as live:
        live.until(lambda: live.events("Seen"))
        ended = answered(live, "what is on your screen?")
        assert not live.pids(), "nothing was started"
        end(live)
    assert ended["ending"] == "finished" and ended["heard"]
    prompts = [each["prompt"] for each in asked("trtllm")[before:] if each["tokens"] > 1]
    assert any("on your screen?" in prompt and "GAME OVER" in prompt for prompt in prompts)
    assert docker.calls == calls and [each.pid for each in running(docker)] == pids
