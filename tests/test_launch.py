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

import anyio
import psutil
import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

import launch
from engines import bootstrap, up
from engines.port import unused
from glue.events import ChatLine, Event, LineArrived, Source, StageTaken
from glue.journal import Journal
from glue.settings import When
from tests.need import need, need_models
from tests.test_conf import composed

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


def test_a_start_imports_neither_what_draws_reports_nor_what_builds_bundles() -> None:
    """A second in which nobody sees anything. Hydra makes the callback of sweeps at every start."""
    code = "import sys, glue.app, glue.sweep, engines.adopt, engines.contained, engines.specs;"
    code += (
        "print([m for m in ('matplotlib', 'gguf', 'pymilvus', 'tritonclient', 'onnx') if m in sys.modules])"
    )
    done = run(sys.executable, "-c", code)
    assert done.stdout == "[]\n", done


def test_a_second_start_runs_no_uv_and_no_pip(tmp_path: Path) -> None:
    """With nothing on PATH and no network there is nothing that it could run."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (environment / bootstrap.STAMP.name).write_text(bootstrap._lock())
    words = (sys.executable, "-m", "engines.bootstrap", "this")
    done = run(*words, UV_PROJECT_ENVIRONMENT=str(environment), PATH=str(tmp_path), SPARK_ENTERED="")
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
def test_a_wrong_word_starts_nothing(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ConfigStore.instance()
    monkeypatch.setattr(store, "repo", dict(store.repo))  # it puts an open schema in, of no use to the others
    monkeypatch.setattr(sys, "argv", ["engines", "up", *words])
    with pytest.raises(SystemExit) as ended:
        up.main()
    assert ended.value.code == 2 and said in capsys.readouterr().err


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
    port = unused()
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
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
        assert "Traceback" not in up.stderr.read()


def importing(up: subprocess.Popen[str]) -> None:
    """Wait until it is in our code: what comes before that is Python's own start."""
    while "site-packages" not in Path(f"/proc/{up.pid}/maps").read_text():
        assert up.poll() is None
        time.sleep(0.005)


def loading(up: subprocess.Popen[str], port: int) -> None:
    """Wait until its engine has begun: it answers only when its voice is loaded."""
    while not engines_at(port):
        assert up.poll() is None
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("after", "name"),
    [
        *((0.0, "SIGINT"), (0.25, "SIGINT"), (0.65, "SIGINT"), (1.05, "SIGINT"), (None, "SIGINT")),
        *((0.65, "SIGTERM"), (None, "SIGTERM")),
    ],
)
def test_a_signal_at_any_stage_ends_all_quietly(
    speech: tuple[list[str], int], after: float | None, name: str
) -> None:
    words, port = speech
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as up:
        importing(up)
        if after is None:
            loading(up, port)
        else:
            time.sleep(after)  # the stage is what is tried here
        up.send_signal(signal.Signals[name])
        _, said = up.communicate(timeout=30)
    assert "Traceback" not in said
    assert not engines_at(port)


def test_the_ports_that_a_show_listens_on_itself_are_known_before_its_engines_start() -> None:
    def known(*words: str) -> list[tuple[str, int, str]]:
        return [(each.name, each.port, each.port_key) for each in launch.doors(composed(*words))]

    games = ("games", 8123, "games.adapter.port")
    assert known("console.port=8122") == [("console", 8122, "console.port")]
    assert known("games=neuro", "games.adapter.port=8123")[1:] == [games]
    assert known("games=neuro", "console=none", "games.adapter.port=8123") == [games]
    assert known("games=neuro", "games.adapter.port=0")[1:] == [], "any that is free"


def evening(run_dir: Path) -> Path:
    """The folder of a show in which a line came."""
    events: list[Event] = [
        LineArrived(1.0, ChatLine("l1", "mika", "hi", Source.CONSOLE)),
        StageTaken(1.0, "main", "Spark"),
    ]
    with Journal(run_dir / "journal.jsonl", {"shows": ["chess"]}) as journal:
        for event in events:
            journal.show(event)
    return run_dir


def ended(run_dir: Path, report: When) -> list[str]:
    """What is told when a signal has ended the show there."""
    told: list[str] = []
    anyio.run(launch.interrupted, OmegaConf.create({"report": report}), run_dir, told.append)
    return told


def test_after_ctrl_c_the_report_is_there_where_it_always_should(tmp_path: Path) -> None:
    (told,) = ended(evening(tmp_path), When.always)
    assert str(tmp_path) in told
    assert "Chess" in (tmp_path / "report.html").read_text() and (tmp_path / "report.json").is_file()


@pytest.mark.parametrize("report", [When.auto, When.never])
def test_after_ctrl_c_the_way_to_a_report_is_told(tmp_path: Path, report: When) -> None:
    (told,) = ended(evening(tmp_path), report)
    assert told.endswith(f"python -m glue.report {tmp_path}")
    assert not (tmp_path / "report.json").exists()


def test_a_show_that_never_began_tells_nothing(tmp_path: Path) -> None:
    assert ended(tmp_path, When.always) == []
    with Journal(tmp_path / "journal.jsonl", {}):
        pass
    assert ended(tmp_path, When.always) == []


def test_a_report_that_takes_too_long_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "REPORT_WITHIN", 0.05)
    _, told = ended(evening(tmp_path), When.always)
    assert told.endswith(f"python -m glue.report {tmp_path}")
    assert not (tmp_path / "report.html").exists() and not reports_of(tmp_path)


def reports_of(run_dir: Path) -> list[psutil.Process]:
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if {"glue.report", str(run_dir)} <= set(each.info["cmdline"] or [])
    ]


def written(leaving: subprocess.Popen[str], pipe: Path) -> int:
    """The end of a pipe to write to, once somebody reads it."""
    while leaving.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody yet
            time.sleep(0.02)
    raise AssertionError("it ended")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_one_more_signal_leaves_the_report(tmp_path: Path, name: str) -> None:
    """Also a report that hangs: its journal is a pipe that nobody writes to."""
    code = (
        "import anyio, launch, sys; from omegaconf import OmegaConf; from pathlib import Path;"
        "from glue.settings import When; import glue.journal; glue.journal.begun = lambda run_dir: True;"
        "say = lambda line: print(line, flush=True); cfg = OmegaConf.create({'report': When.always});"
        "anyio.run(launch.interrupted, cfg, Path(sys.argv[1]), say)"
    )
    os.mkfifo(tmp_path / "journal.jsonl")
    words = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as leaving:
        assert leaving.stdout and "writing the report" in leaving.stdout.readline()
        journal = written(leaving, tmp_path / "journal.jsonl")
        (report,) = reports_of(tmp_path)
        assert os.getpgid(report.pid) != os.getpgid(leaving.pid), "Ctrl-C in a terminal would reach it"
        leaving.send_signal(signal.Signals[name])
        said, errors = leaving.communicate(timeout=30)
        os.close(journal)
    assert said.endswith(f"python -m glue.report {tmp_path}\n") and not errors
    assert leaving.returncode == 0 and not reports_of(tmp_path)


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
