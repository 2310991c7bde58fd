"""compose.yaml keeps to its limits; the starter starts what is missing, and says what stands in its way."""

import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
import yaml  # type: ignore[import-untyped]  # comes with omegaconf

from engines import compose, docker, port
from engines.bundle import manifest, words
from engines.bundle.config import Kind
from engines.bundle.plan import plan, server, total
from engines.compose import started
from engines.keeper import StartFailed
from engines.services import AIR, FILE, check, limit_gb, limited

BUNDLES = [words.read(name) for name in words.bundles() if name != "tiny-llama"]
LIMIT_GB = min(config.limit for config in BUNDLES)
REST_GB = max(config.beside.rest for config in BUNDLES)
BESIDE = {"asr": "ASR", "tts": "TTS", "vision": "vision", "milvus": "Milvus"}  # in a plan
THERE = {"milvus": ["running/healthy"]}
WHOLE = {"bundle": "tiny-llama", "files": {}}  # a manifest


def described() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = described()["services"]
    return found


def planned(name: str) -> float:
    """What plan() has for a service, bytes: the most of all bundles that it may serve, or be beside."""
    served = [config for config in BUNDLES if config.kind is Kind.trtllm]
    openers = {config.opener for config in served}
    if name in BESIDE:
        return max(item.size for each in served for item in plan(each).serving if item.what == BESIDE[name])
    small = name == "opener"
    return max(total(server(config)) for config in served if (config.name in openers) is small)


def test_memory_limits_fit_beside_the_rest() -> None:
    limits = {name: limit_gb(service, {}) for name, service in services().items()}
    assert sum(limits.values()) + REST_GB <= LIMIT_GB, limits
    assert sum(limits.values()) >= sum(map(planned, limits)) / 1e9


@pytest.mark.parametrize("name", services())
def test_each_limit_is_what_plan_computes(name: str) -> None:
    limit = services()[name]["mem_limit"]
    assert limit.rpartition(":-")[2].removesuffix("}") == limited(planned(name))
    assert planned(name) / 1e9 <= limit_gb(services()[name], {}) <= AIR * planned(name) / 1e9 + 1.08


@pytest.mark.parametrize("name", services())
def test_each_service_is_pinned_watched_and_on_loopback_only(name: str) -> None:
    service = services()[name]
    assert re.search(r":v?\d+\.\d+\.\d+\w*$", service["image"])
    assert service["ports"] and all(str(each).startswith("127.0.0.1:") for each in service["ports"])
    assert service.get("network_mode") != "host"
    assert service["healthcheck"]["start_period"] and service["healthcheck"]["test"][0] == "CMD"


def test_no_port_is_published_twice_and_every_volume_is_declared() -> None:
    published = [port.split(":")[1] for service in services().values() for port in service["ports"]]
    assert len(published) == len(set(published))
    named = {v.split(":")[0] for s in services().values() for v in s["volumes"] if v[0] not in "$./"}
    assert named == set(described()["volumes"])


class Docker:
    """A folder on PATH with a `docker`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "docker"
        source = Path(__file__).with_name("fake_docker.py").read_text()
        program.write_text(f"#!{sys.executable} -SE\n{source}")
        program.chmod(0o755)

    def has(self, states: dict[str, list[str]]) -> None:
        (self.folder / "states.json").write_text(json.dumps(states))

    def trouble(self, command: str, text: str) -> None:
        (self.folder / command).write_text(text)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls.txt").read_text().splitlines()


@pytest.fixture(name="docker_here")
def docker_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(compose, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(port, "free", lambda host, number: True)
    return Docker(tmp_path)


def start(*names: str, within: float = 20.0) -> list[str]:
    said: list[str] = []
    anyio.run(started, names, said.append, within)
    return said


def test_what_runs_is_left_alone(docker_here: Docker) -> None:
    docker_here.has(THERE)
    assert start("milvus") == ["milvus: running, healthy"]
    assert not [call for call in docker_here.calls if call.startswith(("up", "pull"))]


def test_what_is_missing_is_pulled_started_and_awaited(docker_here: Docker) -> None:
    docker_here.has({"milvus": ["absent/", "running/starting", "running/healthy"]})
    said = start("milvus")
    assert said[0] == "milvus: absent"
    assert [line.split(" (")[0] for line in said[2:]] == [
        "milvus: running, starting",
        "milvus: running, healthy",
    ]
    assert "pull --policy missing milvus" in docker_here.calls
    assert "up --detach --no-deps milvus" in docker_here.calls


def test_one_that_starts_already_is_awaited_and_not_started_again(docker_here: Docker) -> None:
    docker_here.has({"milvus": ["running/starting", "running/starting", "running/healthy"]})
    start("milvus")
    assert not [call for call in docker_here.calls if call.startswith("up")]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["absent/", "running/starting", "exited/"], "exited, exit 137"),
        (["absent/", "running/starting"], "not ready within"),
        (["absent/", "running/unhealthy"], "unhealthy"),
        (["garbage/"], "not JSON"),
    ],
)
def test_one_that_never_gets_ready_is_told_with_a_cure(
    docker_here: Docker, states: list[str], said: str
) -> None:
    docker_here.has({"milvus": states})
    with pytest.raises(StartFailed, match=f"{said}.*cure: "):
        start("milvus", within=0.5)


def test_the_end_of_its_log_is_shown_without_a_secret(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGC_API_KEY", "very-secret")
    docker_here.has({"milvus": ["absent/", "running/starting"]})
    (docker_here.folder / "log.txt").write_text("loading\nkey very-secret refused\n\n")
    said: list[str] = []
    with pytest.raises(StartFailed, match=r"not ready within .*key \$NGC_API_KEY refused") as caught:
        anyio.run(started, ["milvus"], said.append, 0.3)
    assert said[-2:] == ["milvus | loading", "milvus | key $NGC_API_KEY refused"]
    assert "\n" not in str(caught.value) and "very-secret" not in "".join([str(caught.value), *said])


def test_a_log_that_cannot_be_read_hides_nothing(docker_here: Docker) -> None:
    docker_here.has({"milvus": ["absent/", "exited/"]})
    docker_here.trouble("logs", "no such luck")
    with pytest.raises(StartFailed, match=r"milvus: exited, exit 137.*no such luck"):
        start("milvus")


def test_a_paused_one_is_not_waited_for(docker_here: Docker) -> None:
    docker_here.has({"milvus": ["paused/"]})
    with pytest.raises(StartFailed, match=r"milvus: paused.*cure: docker compose .* unpause milvus"):
        start("milvus")


@pytest.mark.parametrize("command", ["version", "info", "pull", "up"])
def test_what_docker_refuses_is_one_line_with_a_cure(docker_here: Docker, command: str) -> None:
    docker_here.has({"milvus": ["absent/"]})
    docker_here.trouble(command, "first line\nno such luck")
    with pytest.raises(StartFailed, match="no such luck; cure: ") as caught:
        start("milvus")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "said", "cure"),
    [
        (
            "info",
            "Cannot connect to the Docker daemon at unix:///docker.sock. Is the docker daemon running?",
            "systemctl start docker",
        ),
        ("info", "permission denied while trying to connect to the Docker daemon socket", "usermod -aG"),
        (
            "version",
            "unknown flag: --short\n\nUsage:  docker [OPTIONS]\n\nRun 'docker --help' for more information",
            "docker-compose-plugin",
        ),
        ("pull", "Error response from daemon: unauthorized: <html>", "docker login nvcr.io"),
        (
            "pull",
            "Error: manifest for nvcr.io/nim/nvidia/x:9 not found: manifest unknown",
            "another image tag",
        ),
        ("pull", "write /var/lib/docker/tmp/1: no space left on device", "docker system prune"),
        ("pull", "dial tcp: lookup nvcr.io: no such host", "reaches the network"),
        ("up", "could not select device driver nvidia with capabilities: [[gpu]]", "container toolkit"),
        ("up", "Bind for 127.0.0.1:50051 failed: port is already allocated", "engines.start=false"),
    ],
)
def test_dockers_own_words_have_their_cure(docker_here: Docker, command: str, said: str, cure: str) -> None:
    docker_here.has({"milvus": ["absent/"]})
    docker_here.trouble(command, said)
    with pytest.raises(StartFailed, match=f"cure: .*{cure}") as caught:
        start("milvus")
    assert said.splitlines()[0] in str(caught.value)


@pytest.mark.parametrize("version", ["2.23.3", "v2.3", "1.29.2", "", "dev"])
def test_an_old_compose_is_told(version: str) -> None:
    with pytest.raises(StartFailed, match=r"older than 2\.24; cure: "):
        docker.old(version)
    docker.old("2.24.0-desktop.1")
    docker.old("v5.0.1")


def test_a_daemon_that_hangs_is_given_up_and_leaves_no_process(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_here.has(THERE)
    docker_here.trouble("info", "hangs")
    with pytest.raises(StartFailed, match=r"docker info.*no answer within 0 s; cure: "):
        anyio.run(docker.ask, ["docker", "info"], 0.4)
    asleep = [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "61.5"]]
    _, left = psutil.wait_procs(asleep, timeout=30)
    states = {each.status() for each in left if each.is_running()}
    assert states <= {psutil.STATUS_ZOMBIE}, "dead, though init may not have reaped it yet"


def test_a_long_pull_is_told_as_it_gets_on(docker_here: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "QUIET_SECONDS", 0.0)
    docker_here.has({"milvus": ["absent/", "running/healthy"]})
    (docker_here.folder / "slow").touch()
    assert "... layer 2 Downloading" in start("milvus")


def test_a_port_that_somebody_has_is_named_before_anything_is_pulled(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        there = {"milvus": services()["milvus"] | {"ports": [f"127.0.0.1:{number}:19530"]}}
        with pytest.raises(StartFailed, match=rf"milvus: port {number} is taken by .*engines\.start=false"):
            check(there, ["milvus"], os.environ)


def test_without_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match="docker is missing; cure: "):
        start("milvus")


def test_a_service_that_is_not_there() -> None:
    with pytest.raises(StartFailed, match="no service 'mivlus'; the services are: trtllm"):
        start("mivlus")


def test_a_missing_key_a_missing_gpu_a_missing_bundle_and_a_taken_port(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker_here.has({})
    monkeypatch.delenv("NGC_API_KEY", raising=False)
    with pytest.raises(StartFailed, match="NGC_API_KEY is not set; cure: "):
        start("tts")
    monkeypatch.setenv("NGC_API_KEY", "very-secret")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match="no NVIDIA GPU here") as caught:
        check(services(), ["tts"], os.environ)
    assert "very-secret" not in str(caught.value)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    empty = {"SPARK_BUNDLE": str(tmp_path)}
    with pytest.raises(
        StartFailed, match=r"no engine bundle in .*build_engines\.sh bundle=llama31-70b-nvfp4"
    ):
        check(services(), ["trtllm"], empty)
    (tmp_path / "serve.json").write_text("{}")
    with pytest.raises(StartFailed, match=r"manifest\.json is missing, damaged.*build_engines\.sh bundle="):
        check(services(), ["trtllm"], empty)
    monkeypatch.setattr(port, "free", lambda host, number: False)
    (tmp_path / "manifest.json").write_text(json.dumps({"seal": manifest.seal(WHOLE), **WHOLE}))
    with pytest.raises(StartFailed, match=r"port 8355 is taken.*engines\.start=false"):
        check(services(), ["trtllm"], empty)
