"""The way to the first start: the bootstrap, the engines' command line, signals at every stage of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engines import bootstrap
from tests.conftest import free_port
from tests.need import need, need_models

ROOT = Path(__file__).parent.parent
UP = [sys.executable, "-m", "engines", "up"]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_bootstrap_and_what_it_imports_need_the_standard_library_alone() -> None:
    code = (
        "import engines.bootstrap, launch, sys; sys.exit(any(m in sys.modules for m in ('anyio', 'hydra')))"
    )
    assert run(sys.executable, "-S", "-c", code).returncode == 0


def test_a_second_start_runs_no_uv_and_no_pip(tmp_path: Path) -> None:
    """With nothing on PATH and no network there is nothing that it could run."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (environment / bootstrap.STAMP.name).write_text(bootstrap._lock())
    words = (sys.executable, "-m", "engines.bootstrap", "this")
    began = time.monotonic()
    done = run(*words, UV_PROJECT_ENVIRONMENT=str(environment), PATH=str(tmp_path), SPARK_ENTERED="")
    assert time.monotonic() - began < 2
    assert "The Zen of Python" in done.stdout and not done.stderr


@pytest.mark.parametrize(("version", "said"), [("(3, 10)", "3.10"), ("(3, 13)", "3.13")])
def test_a_wrong_python_is_one_line(tmp_path: Path, version: str, said: str) -> None:
    code = f"import sys; sys.version_info = {version}; from engines import bootstrap; bootstrap._python()"
    done = run(sys.executable, "-c", code, PATH=str(tmp_path))
    assert done.returncode == 1
    assert f"this is {said}; cure: install uv" in done.stderr and done.stderr.count("\n") == 1


def test_an_unknown_bundle_is_refused_with_the_choices() -> None:
    done = run(sys.executable, "-m", "engines.build", "bundle=llama-70b")
    assert done.returncode == 2
    assert done.stderr.startswith("no bundle 'llama-70b'; the bundles are: llama31-70b-nvfp4, ")


def test_a_plan_starts_nothing(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "engines.build", "plan", "bundle=smollm2", SPARK_MODELS=str(tmp_path))
    assert done.returncode == 0
    assert "98.4 MB" in done.stderr and "memory: about" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["speach"], "no engine 'speach'; the engines are: llm, speech, avatar"),
        (["speech", "speech.engine.port=many"], "port"),
        (["speech", "speech.engine.prot=1"], "prot"),
        (["llm=nothing"], "Available options"),
    ],
)
def test_a_wrong_word_starts_nothing(words: list[str], said: str) -> None:
    done = run(*UP, *words)
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr


def test_a_taken_port_is_told_by_the_command() -> None:
    need_models("piper-joe")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run(*UP, "speech", f"speech.engine.port={port}")
    assert done.returncode == 1
    assert (
        done.stderr.startswith(f"speech: port {port} is taken by ")
        and "cure: speech.engine.port=" in done.stderr
    )


@pytest.fixture
def speech() -> Iterator[tuple[list[str], int]]:
    need_models("piper-joe")
    port = free_port()
    yield [*UP, "speech", f"speech.engine.port={port}"], port
    assert not engines_at(port)


def engines_at(port: int) -> list[psutil.Process]:
    mark = f"port={port}"
    return [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]


def test_engines_come_up_and_go_with_ctrl_c(speech: tuple[list[str], int]) -> None:
    words, port = speech
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        assert up.stdout and up.stderr
        assert json.loads(up.stdout.readline()) == {"speech": f"127.0.0.1:{port}"}
        assert engines_at(port)
        began = time.monotonic()
        up.send_signal(signal.SIGINT)
        assert up.wait(3) == 0
        assert time.monotonic() - began < 2
        assert "Traceback" not in up.stderr.read()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("after", [0.15, 0.4, 0.8, 1.2])
def test_a_signal_at_any_stage_ends_all_quietly(
    speech: tuple[list[str], int], after: float, name: str
) -> None:
    words, port = speech
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as up:
        time.sleep(after)  # the stage is what is tried here
        up.send_signal(signal.Signals[name])
        _, said = up.communicate(timeout=3)
    assert "Traceback" not in said
    assert not engines_at(port)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bare_clone_in_an_empty_home(tmp_path: Path) -> None:
    """As a newcomer: no uv, no environment, no cache of packages; two at once, of which one makes them; then
    again, without asking anybody."""
    system = shutil.which("python3", path="/usr/bin:/bin")
    need(system, "the system's python3", "sudo apt install python3 python3-venv")
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(".*", "runs", "bundles", "__pycache__"))
    ours = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ours and not key.startswith(("UV_", "XDG_", "SPARK_"))
    }
    bare = kept | {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    words = [str(system), "-m", "engines.bootstrap", "engines.fetch", "--list"]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(words, cwd=clone, env=bare, stderr=subprocess.PIPE, text=True)

    def said(process: subprocess.Popen[str]) -> str:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert "smollm2" in errors
        return str(errors)

    both = [said(each) for each in (start(), start())]
    assert sum("first start: making" in each for each in both) == 1
    assert sum("waiting for it" in each for each in both) == 1
    assert "first start" not in said(start())
