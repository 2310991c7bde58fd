"""A server compiled for this CPU: mended before that, and tried with its model after it."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from engines.bundle import native, trial
from engines.bundle.errors import BundleError
from engines.port import unused

GOOD = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200 if len(body["prompt"].split()) > 8 else 400)
        self.end_headers()
        self.wfile.write(b"{}")

HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""
CRASHES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


def server(folder: Path, code: str) -> Path:
    path = folder / "llama-server"
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o755)
    return path


def test_the_shape_of_the_tiles_is_in_memory_before_it_is_loaded(tmp_path: Path) -> None:
    tiles = tmp_path / "mmq.cpp"
    tiles.write_text(f"    tc.rows[7] = 16;\n{native.BEFORE}\n    done = true;\n")
    native._mend(tiles)
    lines = tiles.read_text().splitlines()
    assert lines[1].endswith('"memory");') and lines[2] == native.BEFORE
    tiles.write_text("another release\n")
    with pytest.raises(BundleError, match="not as expected; cure: native=false"):
        native._mend(tiles)


def test_a_server_that_reads_the_models_words_is_kept(tmp_path: Path) -> None:
    trial.attempt(server(tmp_path, GOOD), tmp_path / "model.gguf", tmp_path / "log")


def test_it_is_asked_past_the_networks_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(trial, "WITHIN", 60.0)
    trial.attempt(server(tmp_path, GOOD), tmp_path / "model.gguf", tmp_path / "log")


def test_one_that_dies_at_its_first_words_is_not(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"does not run here \(it ended with -11 .*cure: native=false"):
        trial.attempt(server(tmp_path, CRASHES), tmp_path / "model.gguf", tmp_path / "log")


def test_one_that_never_answers_is_given_up_and_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "WITHIN", 0.5)
    silent = server(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(BundleError, match="does not run here"):
        trial.attempt(silent, tmp_path / "model.gguf", tmp_path / "log")
    running = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
    assert not [words for words in running if str(silent) in words]


def test_another_kind_of_program_is_told_with_the_cure(tmp_path: Path) -> None:
    path = server(tmp_path, GOOD)
    path.write_bytes(b"\x7fELF of another kind")
    with pytest.raises(BundleError, match="cure: native=false"):
        trial.attempt(path, tmp_path / "model.gguf", tmp_path / "log")
