"""What makes environments of their own: gone with the build, even by kill -9, and told when it is late."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engines.cache import ModelError
from engines.environment import Environment

ROOT = Path(__file__).parent.parent
TOY = Environment("toy", Path("none.txt"), "SPARK_TOY_ENV")
BUILDS = {
    "ours": "from tests.test_environment import TOY; TOY._run(argv)",
    "ModelOpt's": "from engines.bundle import modelopt; modelopt._run(argv, 60.0, print, 'the child')",
}


@pytest.mark.parametrize("code", BUILDS.values(), ids=BUILDS)
def test_no_child_goes_on_writing_when_the_build_is_killed(tmp_path: Path, code: str) -> None:
    up = tmp_path / "up"
    os.mkfifo(up)
    child = f"import os, time; open({str(up)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    argv = [sys.executable, "-c", f"import sys; argv = [sys.executable, '-c', {child!r}]; {code}"]
    with subprocess.Popen(argv, cwd=ROOT) as build:
        left = psutil.Process(int(up.read_text()))
        build.kill()
    _, alive = psutil.wait_procs([left], timeout=10)
    for each in alive:
        each.kill()
    assert not alive


def test_one_that_is_late_is_told_with_the_cure() -> None:
    toy = replace(TOY, within=0.2)
    with pytest.raises(ModelError, match=r"environment of toy was not made within 0 s; cure: "):
        toy._run([sys.executable, "-c", "import time; time.sleep(60)"])
