"""Her eyes in a container: what it is told, and when it is made anew; tests/wires has its server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import anyio
import pytest

from engines import contained
from engines.cache import ModelError
from engines.checkup import parts
from engines.checkup.finding import Finding
from engines.compose import started
from engines.keeper import StartFailed
from engines.options import OptionError
from engines.specs import specs
from tests.need import need_models
from tests.test_compose import Docker, docker_on_path
from tests.test_conf import composed

docker_here = docker_on_path
SPARK = "stack=spark"
CHILD = "engines.services=[trtllm,opener,tts]"


@pytest.fixture(autouse=True)
def models() -> None:
    need_models("nudenet", "ppocr")


def start(docker: Docker, *overrides: str) -> list[str]:
    """Start the eyes that a config asks for."""
    (docker.folder / "nvidia-smi").touch(0o755)
    said: list[str] = []
    anyio.run(started, ["vision"], said.append, 5.0, contained.told(composed(SPARK, *overrides)))
    return said


def test_on_a_spark_her_eyes_are_a_container_and_a_child_process_without_it() -> None:
    spark = composed(SPARK)
    assert contained.services(spark) == ["trtllm", "opener", "tts", "vision"]
    assert "vision" not in [spec.name for spec in contained.children(spark, specs(spark))]
    child = composed(SPARK, CHILD)
    assert contained.services(child) == ["trtllm", "opener", "tts"] and contained.told(child) == {}
    assert "vision" in [spec.name for spec in contained.children(child, specs(child))]


@pytest.mark.parametrize("blind", ["vision=none", "engines.start=false"])
def test_who_has_no_eyes_or_starts_nothing_gets_no_container(blind: str) -> None:
    cfg = composed(SPARK, blind)
    assert "vision" not in contained.services(cfg) and not contained.told(cfg)


def test_it_is_told_all_of_its_options_and_where_the_models_are_inside() -> None:
    told = contained.told(
        composed(SPARK, "vision.engine.text_side=640", "vision.engine.words=[cat,'a \"b\"']")
    )
    asked = json.loads(told["SPARK_VISION"])
    assert asked["host"] == "0.0.0.0" and asked["device"] == "cuda" and asked["text_side"] == 640
    assert asked["words"] == ["cat", 'a "b"']
    assert asked["files"]["guard"] == "/models/nudenet/guard.onnx"
    for path in asked["files"].values():
        assert Path(path.replace(contained.MODELS, told["SPARK_MODELS"])).is_file()


def test_another_port_and_a_model_that_it_cannot_see_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"publishes 8026; cure: vision\.engine\.port=8026"):
        contained.told(composed(SPARK, "vision.engine.port=9026"))
    (tmp_path / "model.onnx").touch()
    with pytest.raises(ModelError, match=r"is not below .*; cure: put it there, or engines\.services"):
        contained.told(composed(SPARK, f"vision.engine.detect={tmp_path}"))


def test_what_is_missing_is_built_not_pulled_and_started_as_told(docker_here: Docker) -> None:
    docker_here.has({"vision": ["absent/", "running/starting", "running/healthy"]})
    said = start(docker_here)
    assert "building what is not here yet: vision" in said
    assert "build vision" in docker_here.calls and "up --detach --no-deps vision" in docker_here.calls
    assert not [call for call in docker_here.calls if call.startswith("pull")]
    told = json.loads((docker_here.folder / "told.json").read_text())
    assert told.items() >= contained.told(composed(SPARK)).items()


def test_one_that_runs_with_other_options_or_code_is_started_anew_once(
    docker_here: Docker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    docker_here.has({"vision": ["running/healthy"] * 20})
    (docker_here.folder / "vision.label").write_text(contained.told(composed(SPARK))["SPARK_VISION_SEAL"])
    assert start(docker_here) == ["vision: running, healthy"]
    assert [line for line in start(docker_here, "vision.engine.text_side=640") if "started anew" in line]
    assert not [line for line in start(docker_here, "vision.engine.text_side=640") if "started anew" in line]
    shutil.copytree(contained.IMAGE, tmp_path / "vision")
    (tmp_path / "vision" / "server" / "text.py").write_text("# another one\n")
    monkeypatch.setattr(contained, "IMAGE", tmp_path / "vision")
    assert [line for line in start(docker_here, "vision.engine.text_side=640") if "started anew" in line]


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        (
            'failed to solve: process "/bin/sh -c pip install" did not complete successfully',
            "child",
        ),
        ("nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04: not found", "engines/vision/Dockerfile"),
    ],
)
def test_an_image_that_cannot_be_built_is_one_line_with_a_cure(
    docker_here: Docker, said: str, cure: str
) -> None:
    docker_here.has({"vision": ["absent/"]})
    docker_here.trouble("build", said)
    with pytest.raises(StartFailed, match=f"cure: .*{cure}"):
        start(docker_here)


def test_eyes_that_got_the_cpu_instead_are_refused_in_their_own_words(docker_here: Docker) -> None:
    line = "vision: cuda was asked for and ONNX Runtime uses CPUExecutionProvider; cure: a GPU"
    docker_here.has({"vision": ["absent/", "running/starting", "exited/"]})
    (docker_here.folder / "log.txt").write_text(f"{line}\n")
    with pytest.raises(StartFailed, match=f"vision: exited, exit 137 .{line}"):
        start(docker_here)


def test_the_doctor_tells_of_the_container_and_not_of_a_free_port(docker_here: Docker) -> None:
    docker_here.has({"vision": ["running/healthy"]})
    cfg = composed(SPARK)
    seen = parts.look(["vision"])
    assert next(parts.containers(seen, parts.told(cfg))).seen.endswith("the show starts it anew")
    (docker_here.folder / "vision.label").write_text(contained.told(cfg)["SPARK_VISION_SEAL"])
    docker_here.has({"vision": ["running/healthy"]})
    told = list(parts.containers(parts.look(["vision"]), parts.told(cfg)))
    assert told == [Finding("vision", "ok", "running, healthy")]
    assert not [each for each in parts.engines(cfg) if each.what == "port 8026"]
    assert [each for each in parts.engines(composed(SPARK, CHILD)) if each.what == "port 8026"]


def test_the_image_is_pinned_and_its_lock_has_a_hash_for_each_package() -> None:
    text = (contained.IMAGE / "Dockerfile").read_text()
    assert [line for line in text.splitlines() if line.startswith("FROM ")] == [
        "FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04"
    ]
    lock = (contained.IMAGE / "requirements-cuda.txt").read_text()
    packages = [line for line in lock.splitlines() if line and line[0] not in "# "]
    assert packages and all("==" in line and line.endswith("\\") for line in packages)
    assert "://" not in lock
