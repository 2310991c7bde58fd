"""The order of the files where several processes test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.longest_first import KEPT

ROOT = Path(__file__).parent.parent
SLEEPS = "import time\n\nimport pytest\n\n{marks}\n\ndef test_it() -> None:\n    time.sleep({seconds})\n"


def order(folder: Path) -> list[str]:
    """In which the files of `folder` were tested."""
    words = "-v --numprocesses=1 --dist=loadfile --no-loadscope-reorder"
    words += " -p xdist -p pytest_timeout -p tests.longest_first"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words.split(), "--rootdir", str(folder), str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # others take long
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return re.findall(r"PASSED.* test_(\w+)\.py::", done.stdout)


def test_what_may_take_longest_comes_first_and_then_what_did(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntimeout = 20\n")
    for name, marks, seconds in (
        ("quick", "", 0.0),
        ("slow", "", 0.3),
        ("trusted", "pytestmark = pytest.mark.timeout(90)", 0.0),
    ):
        (tmp_path / f"test_{name}.py").write_text(SLEEPS.format(marks=marks, seconds=seconds))
    assert order(tmp_path) == ["trusted", "quick", "slow"]
    kept = tmp_path / ".pytest_cache" / "v" / KEPT
    took = json.loads(kept.read_text())
    assert len(took) == 3 and took["test_slow.py::test_it"] >= 0.3
    # a busy machine makes the quickest slow
    kept.write_text(json.dumps(dict(zip(sorted(took), (1.0, 9.0, 5.0), strict=True))))
    (tmp_path / "test_new.py").write_text(SLEEPS.format(marks="", seconds=0.0))
    assert order(tmp_path) == ["new", "slow", "trusted", "quick"]
