"""The step "native" from its source package to a server that answers, cut in the middle of compiling."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engines.llm.options import SERVER
from tests.need import need_program
from tests.toy_native import package

ROOT = Path(__file__).parent.parent


def compiling(folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.toy_native", str(folder)]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.fixture(autouse=True)
def tools() -> None:
    for name, cure in (("c++", "g++"), ("cmake", "cmake"), ("ninja", "ninja-build")):
        need_program(name, f"sudo apt install {cure}")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "SIGINT"])
def test_a_compilation_that_is_cut_leaves_no_tool_and_goes_on(tmp_path: Path, number: int) -> None:
    package(tmp_path)
    os.mkfifo(tmp_path / "hangs")
    running = compiling(tmp_path)
    tools = [psutil.Process(int(pid)) for pid in (tmp_path / "hangs").read_text().split()]
    tools += [each for each in tools[0].parents() if each.name() in ("ninja", "sh")]
    os.kill(running.pid, number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == (-9 if number == signal.SIGKILL else 130) and "Traceback" not in said, said
    _, alive = psutil.wait_procs(tools, timeout=30)
    for each in alive:
        each.kill()
    assert not alive and len(tools) >= 3
    assert not (tmp_path / "work" / SERVER).exists()

    (tmp_path / "hangs").unlink()
    again = compiling(tmp_path)
    _, said = again.communicate(timeout=100)
    assert again.returncode == 0 and "unpacking" not in said, said
    assert (tmp_path / "compiled").read_text() == "compiled\n"  # what was compiled is not compiled again
    assert os.access(tmp_path / "work" / SERVER, os.X_OK)
    assert [path.name for path in (tmp_path / "work").iterdir()] == [Path(SERVER).parts[0]]


def test_a_source_package_that_is_another_is_refused(tmp_path: Path) -> None:
    package(tmp_path)
    code = (
        "import sys; from tests import toy_native; toy_native.digest = lambda path: '0' * 64;"
        f"sys.argv[1:] = [{str(tmp_path)!r}]; toy_native.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "came damaged (its sha256 differs); cure: start again" in done.stderr
    assert not (tmp_path / "work" / SERVER).exists() and not list((tmp_path / "models").rglob("*.part"))
