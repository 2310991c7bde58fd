"""The speech server as a process: how it starts, how it fails in one clear line, how it ends."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engines.options import OptionError, parse
from engines.port import unused
from engines.speech.options import Options
from tests.wires import speech_server


def failing(*options: str) -> tuple[int, str]:
    """Start it; its exit code and what it said."""
    server = speech_server.start(unused(), *options)
    _, log = server.communicate(timeout=speech_server.READY_WITHIN)
    return server.returncode, log.decode()


def stops(server: subprocess.Popen[bytes]) -> None:
    code, log = speech_server.end(server)
    assert code == 0, log
    assert log.count("\n") == 1 and "is ready" in log


def test_ends_at_once_also_while_it_speaks() -> None:
    speech_server.need("piper-joe", "voice.onnx")
    import riva.client

    port = unused()
    server = speech_server.start(port)
    speech_server.await_ready(port)
    auth = riva.client.Auth(uri=f"127.0.0.1:{port}")
    answers = riva.client.SpeechSynthesisService(auth).synthesize_online("So many words. " * 300)
    assert next(answers).audio
    stops(server)
    auth.channel.close()


def test_a_voice_whose_package_is_missing_is_one_line(tmp_path: Path) -> None:
    """As `uv sync` without the extras leaves it."""
    model = tmp_path / "voice.onnx"
    model.touch()
    code = (
        "import sys; sys.modules['kokoro_onnx'] = None; from engines.speech.__main__ import main;"
        f"sys.argv = ['speech', 'port={unused()}', 'voice=kokoro', 'model={model}']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=speech_server.REPOSITORY,
        capture_output=True,
        text=True,
        timeout=speech_server.READY_WITHIN,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("is not installed; cure: uv sync --all-extras --inexact")


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, log = failing(f"port={port}")
    assert code == 1 and log.splitlines()[-1].startswith(f"speech: 127.0.0.1:{port} is taken")
    assert "Traceback" not in log


def test_two_copies_do_not_share_a_port(piper: int) -> None:
    code, log = failing(f"port={piper}")
    assert code == 1 and "is taken" in log


@pytest.mark.parametrize("word", ["threads=many", "threads=0", "voice=festival", "host=0.0.0.0"])
def test_wrong_options_are_refused(word: str) -> None:
    with pytest.raises(OptionError, match=f"option '{word.partition('=')[0]}'"):
        parse(Options, [word])


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        ("prot=1", 2, "no option 'prot'"),
        ("model=/nowhere/voice.onnx", 1, "there is no file /nowhere/voice.onnx"),
    ],
)
def test_wrong_options_are_one_line(option: str, code: int, said: str) -> None:
    got, log = failing(option)
    assert got == code and said in log and "Traceback" not in log


def test_a_missing_model_names_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path))
    code, log = failing()
    assert code == 1 and "python -m engines.fetch piper-joe" in log and "Traceback" not in log


def damaged(folder: Path, damage: str) -> Path:
    """A voice's file, and its description beside it, of which one is not as it should be."""
    whole = speech_server.need("piper-joe", "voice.onnx")
    folder.mkdir()
    copy, size = folder / "voice.onnx", whole.stat().st_size
    shutil.copy(f"{whole}.json", f"{copy}.json")
    if damage == "other":
        Path(f"{copy}.json").write_text("[]")
        shutil.copy(whole, copy)
    elif damage == "text":
        copy.write_text("<html>Sorry, not today</html>")
    elif damage == "zeros":
        copy.write_bytes(bytes(size // 100))
    else:
        content = whole.read_bytes()
        copy.write_bytes(
            content[: size // 2] if damage == "truncated" else content[: size // 2] + content[-1000:]
        )
    return copy


def test_a_damaged_model_is_one_line(tmp_path: Path) -> None:
    copy = damaged(tmp_path / "truncated", "truncated")
    code, log = failing(f"model={copy}")
    assert code == 1 and str(copy) in log and "Traceback" not in log, log


LOADS = """
import sys
from engines.speech.options import Options
from engines.speech.server import load
from engines.speech.session import WrongModel
for model in sys.argv[1:]:
    try:
        load(Options(model=model))
    except WrongModel as error:
        print(error)
"""


def test_whatever_is_wrong_with_a_model_its_file_is_named(tmp_path: Path) -> None:
    """One process for all of them: what takes its time is its start."""
    copies = [damaged(tmp_path / damage, damage) for damage in ("zeros", "holed", "text", "other")]
    done = subprocess.run(
        [sys.executable, "-c", LOADS, *map(str, copies)],
        cwd=speech_server.REPOSITORY,
        capture_output=True,
        text=True,
        timeout=speech_server.READY_WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for copy, line in zip(copies, done.stdout.splitlines(), strict=True):
        assert str(copy.parent) in line and "cure: " in line
