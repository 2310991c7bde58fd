"""What `./build_engines.sh vision` fetches stays what the hub told: mended when damaged, of one revision."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import cache
from engines.environment import STAMP
from engines.manifest import MODELS
from engines.model import File, Model, Url
from engines.vision import build
from engines.vision.environment import environment
from engines.vision.options import FETCHED, Device
from tests import toy_eyes
from tests.hub_server import Hub, serving
from tests.toy_eyes import WANTED, fetched

ROOT = Path(__file__).parent.parent
FILES = {"onnx/text_model.onnx": os.urandom(5000), "tokenizer.json": b"{}", "README.md": b"no"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    monkeypatch.setitem(build.MODELS, "detect", (WANTED,))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(dict(FILES)) as running:
        yield running


@pytest.mark.parametrize("name", ["text.onnx", "tokenizer.json"])
def test_a_damaged_file_is_brought_again(hub: Hub, name: str) -> None:
    right = fetched(hub.address)
    path = cache.root() / "vision-detect" / name
    facts = path.stat()
    path.write_bytes(right[name][:-1] + bytes([right[name][-1] ^ 1]))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # a bad disk leaves size and time as they were
    before = len(hub.asked)
    assert fetched(hub.address) == right
    (again,) = brought(hub, before)
    assert (again, name) in WANTED.files


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_name_that_leads_elsewhere_is_mended_without_the_hub(hub: Hub, how: str) -> None:
    right = fetched(hub.address)
    path = cache.root() / "vision-detect" / "text.onnx"
    path.unlink()
    if how == "replaced":
        path.write_bytes(right["text.onnx"][::-1])
    before = len(hub.asked)
    assert fetched(hub.address) == right and len(hub.asked) == before


def test_a_file_more_is_brought_to_a_store_that_was_whole(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    right = fetched(hub.address)
    (store,) = (cache.root() / "vision-detect" / build.FROM).iterdir()
    hub.files["more.json"] = b"[]"
    more = dataclasses.replace(WANTED, files=(*WANTED.files, ("more.json", "more.json")))
    monkeypatch.setattr(toy_eyes, "WANTED", more)
    before = len(hub.asked)
    assert fetched(hub.address) == right | {"more.json": b"[]"}
    assert brought(hub, before) == ["more.json"] and (store / "more.json").is_file()


def test_what_was_fetched_before_there_was_a_store_is_not_fetched_again(hub: Hub) -> None:
    right = fetched(hub.address)
    folder = cache.root() / "vision-detect"
    shutil.rmtree(folder / build.FROM)
    (folder / "tokenizer.json").write_bytes(b"[]")  # as long, and not what the hub has
    before = len(hub.asked)
    assert fetched(hub.address) == right and brought(hub, before) == ["tokenizer.json"]


def brought(hub: Hub, before: int) -> list[str]:
    """What was fetched after the first so many requests."""
    return [asked.removeprefix("/cdn/") for asked, _, _ in hub.asked[before:] if asked.startswith("/cdn/")]


def test_another_revision_is_another_model(hub: Hub) -> None:
    fetched(hub.address)
    hub.revisions.add("v2")
    hub.files["onnx/text_model.onnx"] = os.urandom(5000)  # as long
    assert fetched(hub.address, "v2")["text.onnx"] == hub.files["onnx/text_model.onnx"]
    (store,) = (cache.root() / "vision-detect" / build.FROM).iterdir()
    assert store.name == "owner--name@v2"


@pytest.mark.timeout(120)
def test_a_kill_at_any_change_of_the_disk_does_no_harm_to_her_eyes(hub: Hub, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.toy_eyes", str(tmp_path / "models"), hub.address]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 8


def test_what_comes_from_the_manifest_is_mended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SPARK_VISION_ENV", str(tmp_path / "env"))
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    (tmp_path / "env" / STAMP).write_text(environment(Device.cpu)._wanted())
    origin = tmp_path / "model.onnx"
    origin.write_bytes(FILES["onnx/text_model.onnx"])
    for name in FETCHED.values():
        file = File("model.onnx", 5000, cache.digest(origin), (Url(origin.as_uri()),))
        monkeypatch.setitem(MODELS, name, Model(name, "a toy", "none", (file,)))
    build.main(["detect=false", "caption=false"])
    path = cache.locate("nudenet", "model.onnx")
    facts = path.stat()
    path.write_bytes(origin.read_bytes()[::-1])
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    build.main(["detect=false", "caption=false"])
    assert path.read_bytes() == origin.read_bytes()
