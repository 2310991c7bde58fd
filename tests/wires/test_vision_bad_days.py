"""The vision engine's bad days: it ends, or fails to start, and nothing of it is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from engines.vision.__main__ import _copies
from engines.vision.environment import environment
from engines.vision.options import Device
from tests.small_vision import world
from tests.waiting import gone, wait
from tests.wires.vision_server import Running, engine


def member(running: Running, name: str) -> psutil.Process | None:
    """The first of its processes whose command line has `name`."""
    for process in running.family():
        try:
            if any(name in word for word in process.cmdline()):
                return process
        except psutil.NoSuchProcess:
            pass
    return None


def left(folder: Path) -> list[Path]:
    """What the engine and tritonserver keep for themselves while they run."""
    return [*([folder] if folder.exists() else []), *_copies(folder)]


def own(server: psutil.Process) -> Path:
    """The folder that a server has for its files."""
    return Path(server.environ()["TMPDIR"])


def test_it_ends_and_leaves_nothing(tmp_path: Path) -> None:
    with engine(tmp_path, models=["guard"]) as running:
        running.wait_ready()
        family = running.family()
        folder = own(family[1])
        assert len(family) >= 3 and len(left(folder)) >= 2
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0  # the guardian waits for nothing of it
        wait(lambda: gone(family))
    assert not left(folder)


@pytest.mark.parametrize("who", ["tritonserver/bin", "engines.vision.server"])
def test_killed_it_says_so_and_leaves_no_orphan(tmp_path: Path, who: str) -> None:
    """PyTriton that fails at its start leaves a tritonserver behind that ignores SIGTERM."""
    with engine(tmp_path, models=["guard"]) as running:
        wait(lambda: "Started GRPCInferenceService" in running.log)
        family = running.family()
        folder = own(family[1])
        killed = member(running, who) if who.startswith("triton") else family[1]
        assert killed is not None
        killed.send_signal(signal.SIGKILL)
        assert running.process.wait(30) == 1
        wait(lambda: gone(family))
        assert "vision: the server ended" in running.log
    assert not left(folder)


def test_a_guardian_that_is_killed_takes_the_server_with_it(tmp_path: Path) -> None:
    with engine(tmp_path, models=["guard"]) as running:
        wait(lambda: member(running, "tritonserver/bin") is not None)
        family = running.family()
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(30)
        wait(lambda: gone(family))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"detect": "nowhere"}, "nowhere/model.onnx is missing; cure: ./build_engines.sh vision"),
        ({"caption": "nowhere"}, "lacks vision_encoder.onnx"),
        ({"device": "cuda"}, "is not made; cure: ./build_engines.sh vision device=cuda"),
    ],
)
def test_a_start_that_cannot_be_is_one_line(tmp_path: Path, options: dict[str, str], said: str) -> None:
    missing = {"SPARK_VISION_CUDA_ENV": str(tmp_path / "none")}
    with engine(tmp_path, missing, **({"models": ["guard"]} | options)) as running:
        assert running.process.wait(60) == 1
        assert said in running.log and "Traceback" not in running.log


def test_a_gpu_that_is_asked_for_and_not_there_is_refused(tmp_path: Path) -> None:
    """An environment whose ONNX Runtime has no CUDA, as on a machine without a GPU."""
    here, there = environment(Device.cpu), environment(Device.cuda)
    env = tmp_path / "env"
    env.mkdir()
    (env / "bin").symlink_to(here.folder / "bin")
    for name in ("lib", "pyvenv.cfg"):
        (env / name).symlink_to(here.folder / name)
    (env / "made-from").write_text(there._wanted(), encoding="ascii")
    with engine(tmp_path, {"SPARK_VISION_CUDA_ENV": str(env)}, device="cuda", models=["guard"]) as running:
        assert running.process.wait(60) == 1
        assert "CUDAExecutionProvider is not in this environment" in running.log
        assert "vision.engine.device=cpu" in running.log


def test_a_damaged_model_stops_the_start(tmp_path: Path) -> None:
    """One file of those that tests/test_vision.py damages, one after the other."""
    world(tmp_path / "detect")
    (tmp_path / "detect" / "text.onnx").write_bytes(b"\x00" * 100)
    detect = str(tmp_path / "detect")
    with engine(tmp_path, models=["guard"], detect=detect, words=["cat"]) as running:
        assert running.process.wait(60) == 1
        assert "text.onnx cannot be loaded" in running.log and "Traceback" not in running.log
        assert "cure: ./build_engines.sh vision" in running.log
