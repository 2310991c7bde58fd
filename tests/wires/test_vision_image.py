"""The vision server as its image has it: a copy of its own files alone, told what the container is told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from engines import cache, contained
from engines.port import unused
from engines.vision.__main__ import _copies
from engines.vision.environment import environment
from engines.vision.options import Device
from tests.need import need, need_models
from tests.test_conf import composed
from tests.waiting import wait


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder that the image has as its working directory."""
    app = tmp_path / "app"
    shutil.copytree(contained.IMAGE / "server", app / "engines" / "vision" / "server")
    return app


def served(image: Path, module: str, *words: str, **more: Any) -> subprocess.Popen[str]:
    """A module of the image's, in the environment for the CPU; in a container it is its own group too."""
    made = environment(Device.cpu)
    need(made.made, "the vision environment", "./build_engines.sh vision detect=false caption=false")
    library = {"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR")), "TMPDIR": str(image.parent)}
    return subprocess.Popen(
        [str(made.python), "-m", f"engines.vision.{module}", *words],
        cwd=image,
        env=os.environ | library,
        text=True,
        start_new_session=True,
        **more,
    )


def told(image: Path, port: int, device: str) -> str:
    """What the container would be told, with this machine's folders, port and loopback."""
    need_models("nudenet", "ppocr")
    environ = contained.told(composed("stack=spark", f"vision.engine.device={device}"))
    here = environ["SPARK_VISION"].replace(contained.MODELS, str(cache.root()))
    return json.dumps(
        json.loads(here) | {"host": "127.0.0.1", "port": port, "workspace": str(image / "work")}
    )


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def test_the_server_as_the_image_has_it_gets_ready_and_its_health_check_says_when(image: Path) -> None:
    port = unused()
    assert served(image, "server.ready", str(port), stderr=subprocess.DEVNULL).wait(60) == 1
    process = served(image, "server", told(image, port, "cpu"))
    try:
        wait(lambda: listens(port))  # each question takes a Python of its own
        wait(lambda: served(image, "server.ready", str(port), stderr=subprocess.DEVNULL).wait(60) == 0)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        for copied in list(_copies(image)):
            shutil.rmtree(copied, ignore_errors=True)
    assert served(image, "server.ready", str(port), stderr=subprocess.DEVNULL).wait(60) == 1


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "vision: CUDAExecutionProvider is not in this environment"),
        ("", "it is not told what to serve"),
    ],
)
def test_the_server_as_the_image_has_it_refuses(image: Path, device: str, said: str) -> None:
    words = told(image, unused(), device) if device else ""
    process = served(image, "server", words, stderr=subprocess.PIPE)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 1 and said in errors and "cure: " in errors
