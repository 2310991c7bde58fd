"""What runs in containers is what is asked for now: bundle, port, persona; and waiting is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from rich.console import Console

from engines import compose
from engines.bundle import manifest, pipeline, words
from engines.bundle.config import Beside, Kind
from engines.compose import started
from engines.keeper import StartFailed
from engines.services import TAG, limit_gb, speaker
from tests.test_compose import Docker, docker_on_path, services, start
from tests.wires.nim_peer import Nim, serving

docker_here = docker_on_path
LLMS = ("trtllm", "opener")


def seal(folder: Path, what: str, *servers: str, version: str = "1.3") -> str:
    """A whole bundle, as far as its manifest goes; its seal."""
    folder.mkdir(exist_ok=True)
    steps = {"serve config": {"figures": {"version": version}}}
    body = {"bundle": "tiny-llama", "files": {}, "steps": steps, "what": what}
    (folder / "manifest.json").write_text(json.dumps({"seal": manifest.seal(body), **body}))
    (folder / "serve.json").write_text(json.dumps({name: {} for name in servers or ("main",)}))
    return manifest.seal(body)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARK_BUNDLE", str(tmp_path / "bundle"))
    monkeypatch.delenv("SPARK_PERSONA", raising=False)
    return tmp_path / "bundle"


def ups(docker: Docker) -> int:
    return len([call for call in docker.calls if call.startswith("up ")])


def test_one_that_runs_with_an_older_bundle_is_started_anew_once(docker_here: Docker, bundle: Path) -> None:
    old, new = seal(bundle, "old"), seal(bundle, "new")
    (docker_here.folder / "trtllm.label").write_text(f"{old}-main")
    docker_here.has({"trtllm": ["running/healthy"] * 4})
    said = start("trtllm")
    assert [line for line in said if "started anew" in line]
    assert "up --detach --no-deps trtllm" in docker_here.calls
    assert (docker_here.folder / "trtllm.label").read_text() == f"{new}-main"
    assert not [line for line in start("trtllm") if "anew" in line] and ups(docker_here) == 1


def test_another_persona_of_merged_weights_is_another_container(
    docker_here: Docker, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(bundle, "merged", "main", "evil")
    docker_here.has({"trtllm": ["running/healthy"] * 6})
    (docker_here.folder / "trtllm.label").write_text(f"{manifest.sealed(bundle)}-main")
    start("trtllm")
    assert ups(docker_here) == 0
    monkeypatch.setenv("SPARK_PERSONA", "evil")
    start("trtllm")
    start("trtllm")
    assert ups(docker_here) == 1


def test_one_whose_bundle_is_gone_is_left_alone(docker_here: Docker, bundle: Path) -> None:
    (docker_here.folder / "trtllm.label").write_text("seal-main")
    docker_here.has({"trtllm": ["running/healthy"]})
    start("trtllm")
    assert ups(docker_here) == 0


@pytest.mark.parametrize("state", ["absent/", "running/healthy"])
def test_a_bundle_of_another_version_than_its_image_is_refused_before_anything_is_started(
    docker_here: Docker, bundle: Path, state: str
) -> None:
    (docker_here.folder / "nvidia-smi").touch(mode=0o755)
    seal(bundle, "new", version="1.2")
    (docker_here.folder / "trtllm.label").write_text("what runs yet")
    docker_here.has({"trtllm": [state, *["running/healthy"] * 6]})
    cure = r"cure: \./build_engines\.sh bundle=tiny-llama serve\.version=1\.3, or a tag of 1\.2 in engines/"
    with pytest.raises(StartFailed, match=rf"trtllm: .*built for .* 1\.2, .* 1\.3\.0rc13; {cure}"):
        start("trtllm")
    assert not [call for call in docker_here.calls if call.startswith(("up", "pull"))]
    seal(bundle, "new", version="1.3")
    start("trtllm")
    assert ups(docker_here) == 1


def test_the_bundles_are_built_for_the_version_that_is_pinned() -> None:
    pinned = {name: TAG.search(services()[name]["image"]) for name in LLMS}
    configs = [words.read(name) for name in words.bundles()]
    built = {config.serve.version for config in configs if config.kind is Kind.trtllm}
    assert {tag and tag[2] for tag in pinned.values()} == built


def test_a_container_may_take_what_its_bundle_was_planned_with(
    docker_here: Docker, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docker_here.folder / "nvidia-smi").touch(mode=0o755)
    config = replace(words.read("tiny-llama"), beside=Beside(graphs=33.0))
    pipeline.build(config, bundle, Console(quiet=True))
    docker_here.has({"trtllm": ["absent/", "running/healthy"]})
    start("trtllm")
    told = json.loads((docker_here.folder / "told.json").read_text())
    assert told["SPARK_BUNDLE_MEMORY"] == "33g"  # 33 GB and 5 %, in 2^30 bytes
    assert "SPARK_OPENER_BUNDLE_MEMORY" not in told
    service = services()["trtllm"]
    assert service["mem_limit"].startswith("${SPARK_BUNDLE_MEMORY:-")
    assert limit_gb(service, {"SPARK_BUNDLE": str(bundle)}) == 33 * 2**30 / 1e9


def test_compose_takes_the_label_from_the_bundles_own_variable() -> None:
    for name in LLMS:
        mark = compose._mark(services()[name])
        assert mark and services()[name]["labels"]["spark.bundle"] == f"${{{mark[0]}:-}}"


@pytest.mark.parametrize("name", LLMS)
def test_a_server_listens_where_it_is_published_and_asked(name: str) -> None:
    service = services()[name]
    number = str(service["environment"]["SPARK_PORT"])
    assert service["ports"] == [f"127.0.0.1:{number}:{number}"]
    assert service["healthcheck"]["test"][-1] == f"http://127.0.0.1:{number}/health"


@pytest.mark.parametrize(
    ("servers", "persona", "spoken"),
    [
        (["main"], None, "main"),
        (["main"], "evil", "main"),
        (["evil"], None, "evil"),
        (["main", "evil"], None, "main"),
        (["main", "evil"], "evil", "evil"),
        (["main", "evil"], "", "main"),
    ],
)
def test_the_entrypoint_starts_the_persona_asked_for_on_its_services_port(
    tmp_path: Path, servers: list[str], persona: str | None, spoken: str
) -> None:
    program = "import os, sys; print(*sys.argv[1:], os.environ['WHO'])"
    commands: Mapping[str, object] = {
        who: {
            "command": [sys.executable, "-c", program, who, "--port", "8400"],
            "environment": {"WHO": who},
        }
        for who in servers
    }
    (tmp_path / "serve.json").write_text(json.dumps(commands))
    _, *words = services()["trtllm"]["entrypoint"]
    words[-1] = words[-1].replace("/bundle/", f"{tmp_path}/")
    environment = {"SPARK_PORT": "8355"} | ({"SPARK_PERSONA": persona} if persona is not None else {})
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [*spoken.split(), *"--port 8400 --host 0.0.0.0 --port 8355".split(), spoken]
    assert speaker(tmp_path, environment) == spoken


def test_who_waits_is_told_how_long_and_what_was_logged_last(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "QUIET_SECONDS", 0.0)
    docker_here.has({"milvus": ["absent/", *["running/starting"] * 4, "running/healthy"]})
    (docker_here.folder / "log.txt").write_text("loading\nlayer 7 of 9\n")
    said = start("milvus")
    assert "milvus: running, starting (0 s) (layer 7 of 9)" in said
    assert "milvus | loading" not in said


def test_a_speech_nim_is_ready_when_it_lists_a_model(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    async def run(nim: Nim, within: float) -> None:
        async with serving(nim) as address:
            tts = services()["tts"] | {"ports": [f"{address}:50051"]}
            monkeypatch.setattr(compose, "described", lambda names: {"tts": tts})
            await started(["tts"], said.append, within)

    docker_here.has({"tts": ["running/healthy"]})
    nim = Nim(loading=2)
    anyio.run(run, nim, 20.0)
    assert nim.configs == 3
    assert [line for line in said if "healthy, but speech at" in line and "has no voice" in line]
    with pytest.raises(StartFailed, match="tts: not ready within 0 s"):
        anyio.run(run, Nim(loading=10**9), 0.2)
