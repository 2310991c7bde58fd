"""A server compiled for this CPU, from a bundle: the same options, the same wire, the same end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from engines.bundle import words
from engines.bundle.steps import link
from engines.cache import locate
from engines.llm.native import arguments
from engines.llm.options import MODEL, SERVER, Options
from engines.llm.params import prefixes
from engines.llm_key import VARIABLE
from tests.conftest import Start
from tests.need import need_models

BUILT = [server for server in words.BUNDLES_DIR.glob(f"[!.]*/{SERVER}") if server.is_file()]
# Not by need(): compiling takes four minutes on two cores, a quarter of what the whole CI may take, so that a
# CI machine goes without. Its command line is tested below, everywhere.
compiled = pytest.mark.skipif(
    not BUILT, reason="no compiled server; cure: ./build_engines.sh bundle=qwen-1.5b native=true (4 minutes)"
)


@pytest.mark.anyio
@compiled
async def test_the_bundles_server_is_the_same_on_its_wire(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "a key of this start")
    need_models("smollm2")
    link(BUILT[0], tmp_path / SERVER)
    link(locate("smollm2", MODEL), tmp_path / MODEL)
    options = {"model": "smollm2", "bundle": str(tmp_path), "prefix_folder": str(tmp_path / "kept")}
    async with start(llm=options) as engines, httpx.AsyncClient(base_url=engines.addresses["llm"]) as client:
        unknown = await client.post("/completion", json={"prompt": "Hello"})
        assert unknown.status_code == httpx.codes.UNAUTHORIZED
        client.headers.update(
            {"Authorization": "Bearer a key of this start", "Origin": "http://evil.example"}
        )
        shown = await client.get("/slots")
        assert shown.headers.get("access-control-allow-origin") not in ("*", "http://evil.example")
        assert [each["id"] for each in (await client.get("/v1/models")).json()["data"]] == ["smollm2"]
        slots = (await client.get("/slots")).json()
        assert len(slots) == 3 and all(slot["n_ctx"] == 3072 for slot in slots)
        body = {"prompt": "Once upon a time", "n_predict": 4, "id_slot": 1}
        said = (await client.post("/completion", json=body, timeout=30)).json()
        assert said["id_slot"] == 1 and said["tokens_predicted"] == 4
        saved = await client.post("/slots/1?action=save", json={"filename": "one.kv"}, timeout=30)
        assert saved.status_code == httpx.codes.OK
    assert len(list((tmp_path / "kept").rglob("one.kv"))) == 1


def test_every_option_reaches_its_command_line(tmp_path: Path) -> None:
    server = Path(sys.executable)
    plain = arguments(server, Options(prefix_folder="none"), tmp_path)
    for change in (
        {"port": 9000},
        {"threads": 3},
        {"threads_batch": 3},
        {"slots": 5},
        {"context": 99},
        {"batch": 17},
        {"flash": True},
        {"mmap": True},
        {"prefix_folder": str(tmp_path)},
        {"model": "smollm2"},
        {"host": "localhost"},
        {"adapters": {"main": "main.gguf"}},
    ):
        assert arguments(server, Options(**({"prefix_folder": "none"} | change)), tmp_path) != plain


def test_what_one_server_saved_is_kept_apart_from_anothers(tmp_path: Path) -> None:
    """It cannot be read by one of another kind or shape, which would write its own over it at each start."""
    server = tmp_path / "llama-server"
    server.write_bytes(b"1")
    usual = Options(prefix_folder=str(tmp_path))
    found = {prefixes(usual, []), prefixes(usual, [server]), prefixes(replace(usual, slots=5), [])}
    server.write_bytes(b"22")
    assert len(found | {prefixes(usual, [server])}) == 4
    assert prefixes(usual, []) in found


def test_where_no_prefix_can_be_kept_none_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The models' folder may stand where nothing else may be written: the model's server did not start."""
    (tmp_path / "file").touch()
    assert prefixes(Options(prefix_folder=str(tmp_path / "file" / "prefixes")), []) is None
    told = capsys.readouterr().err
    assert told.startswith("prefixes are not kept: ") and "prefix_folder" in told
    assert "cure: " not in told, "it would be taken for why the server ended, whenever it does"


@pytest.mark.parametrize(("ours", "asked"), [("", "none"), ("a key of this start", "a key of this start")])
def test_it_asks_for_our_key_or_for_none(tmp_path: Path, ours: str, asked: str) -> None:
    server = tmp_path / "llama-server"
    server.write_text('#!/bin/sh\n[ "$1" = --version ] || echo "${LLAMA_API_KEY-none}"\n')
    server.chmod(0o755)
    environment = os.environ | {VARIABLE: ours, "LLAMA_API_KEY": "a key of somebody's"}
    done = subprocess.run(becoming(server), env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{asked}\n")


def becoming(server: Path) -> list[str]:
    """The process that becomes it."""
    code = (
        "from pathlib import Path\n"
        "from engines.llm import native, options\n"
        f"native.become(Path({str(server)!r}), options.Options(prefix_folder='none'), Path('model.gguf'))"
    )
    return [sys.executable, "-c", code]


def test_a_server_of_another_machine_is_told_with_the_cure(tmp_path: Path) -> None:
    """What the kernel refuses and what ends at an unknown instruction: one line."""
    server = tmp_path / "llama-server"
    for content in (b"\x7fELF of another kind", b"#!/bin/sh\nexit 132\n"):
        server.write_bytes(content)
        server.chmod(0o755)
        done = subprocess.run(becoming(server), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "does not start on this machine; cure: ./build_engines.sh" in done.stderr
