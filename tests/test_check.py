"""`launch.py +show=check` as its user runs it: lines, the same as JSON, an exit status; it starts nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.bootstrap import ENTERED
from engines.port import unused
from tests import bad_server

ROOT = Path(__file__).parent.parent
ENGINES = ("llm", "speech", "avatar")


def launched(tmp_path: Path, *overrides: str) -> tuple[int, str, str]:
    """Its exit status, what it printed, and what it complained of on stderr."""
    words = [f"{name}.engine.port={unused()}" for name in ENGINES]
    done = subprocess.run(
        [sys.executable, "launch.py", "+show=check", f"hydra.run.dir={tmp_path / 'run'}", *words, *overrides],
        cwd=ROOT,
        env=os.environ
        | {"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": str(tmp_path), ENTERED: "1"},  # made already
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def checked(tmp_path: Path, *overrides: str) -> tuple[int, list[str], dict[str, str]]:
    """Its exit status, the lines that it printed, and the verdicts of its JSON."""
    path = tmp_path / "check.json"
    status, said, complained = launched(tmp_path, f"check.json={path}", *overrides)
    assert not complained, "what it says is for a pipe, too"
    told = {each["what"]: each["verdict"] for each in json.loads(path.read_text())}
    return status, said.splitlines(), told


def test_a_laptop_that_has_all_is_told_so_and_nothing_is_started(tmp_path: Path) -> None:
    status, lines, told = checked(tmp_path)
    assert status == 0 and "bad" not in told.values()
    assert {f"{name}.adapter" for name in ENGINES} < told.keys()
    assert [(line[:4].strip(), line[5:].split(": ")[0]) for line in lines] == [
        (verdict, what) for what, verdict in told.items()
    ]
    assert not list((tmp_path / "run").glob("*.log")), "an engine was started"


def test_what_is_bad_ends_it_with_an_error_and_has_its_cure(tmp_path: Path) -> None:
    with bad_server.serving("500") as port:
        words = (f"llm.engine.port={port}", f"stage.songs={tmp_path}/none")
        status, lines, told = checked(tmp_path, *words)
    assert status == 1 and told[f"port {port}"] == told["llm.adapter"] == told["stage.songs"] == "bad"
    (line,) = [line for line in lines if f"port {port}:" in line]
    assert line.startswith("bad ") and "cure: llm.engine.port=" in line


@pytest.mark.parametrize(("word", "said"), [("stack=sparc", "sparc"), ("llm.engine.threads=many", "threads")])
def test_a_config_that_is_none_is_refused_before_anything_is_looked_at(
    tmp_path: Path, word: str, said: str
) -> None:
    status, printed, complained = launched(tmp_path, word)
    assert status == 1 and said in complained
    assert not printed and "Traceback" not in complained
