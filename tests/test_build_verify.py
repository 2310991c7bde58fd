"""What a build takes from the cache is checked by its hash, once; `verify` reads all that a manifest has."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from engines import cache
from engines.bars import Bars
from engines.bundle import hashes, hub, manifest, pipeline, tiny, verify
from engines.bundle.config import Adapters, Config, Draft, Drafting, Mode
from tests import test_build_sources
from tests.hub_server import Hub
from tests.test_build_sources import build, of

own_cache, checkpoint, hub_server = (
    test_build_sources.own_cache,
    test_build_sources.checkpoint,
    test_build_sources.hub,
)
WEIGHTS = "model.safetensors"


def flip(path: Path) -> None:
    """As a disk that loses a bit: neither size nor time tells."""
    content, facts = path.read_bytes(), path.stat()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def cached() -> Path:
    return hub.place("owner/name", "main")


def flaws(config: Config, root: Path) -> tuple[list[str], str]:
    """What verify finds, and what it says."""
    out = StringIO()
    with Bars(Console(file=out, width=200)) as bars:
        return verify.flaws(config, root / config.name, bars), out.getvalue()


def files(root: Path) -> object:
    said = manifest.read(root / "tiny-llama")
    assert said
    return said["files"]


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_a_cached_file_with_other_bytes_is_fetched_anew(hub_server: Hub, tmp_path: Path, name: str) -> None:
    config = of("owner/name", hub_server.address)
    build(config, tmp_path / "a")
    before = len(hub_server.asked)
    build(config, tmp_path / "b")
    assert len(hub_server.asked) == before, "what is whole is not asked for"
    whole = (cached() / name).read_bytes()
    (cached() / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    out = StringIO()
    pipeline.build(config, tmp_path / "c" / config.name, Console(file=out, width=200))
    assert f"{name} is not what was fetched any more" in out.getvalue()
    assert [path for path, *_ in hub_server.asked[before:] if "/cdn/" in path] == [f"/cdn/{name}"]
    assert (cached() / name).read_bytes() == whole
    assert files(tmp_path / "a") == files(tmp_path / "c")


def test_a_file_is_read_once_and_again_when_nothing_is_known_of_it(
    hub_server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = of("owner/name", hub_server.address)
    read: list[Path] = []

    def counted(path: Path, *args: object) -> str:
        read.append(path)
        return digest(path, *args)  # type: ignore[arg-type]

    digest = cache.digest
    monkeypatch.setattr(cache, "digest", counted)

    def readings() -> int:
        return len([path for path in read if WEIGHTS in path.name and cached() in path.parents])

    build(config, tmp_path / "a")
    assert readings() == 1, "as it came"
    build(config, tmp_path / "b")
    assert readings() == 1
    (cache.root() / hashes.NOTES).unlink()
    build(config, tmp_path / "c")
    build(config, tmp_path / "d")
    assert readings() == 2


def test_verify_finds_a_bit_that_the_source_lost_and_the_next_build_mends_it(
    hub_server: Hub, tmp_path: Path
) -> None:
    config = of("owner/name", hub_server.address)
    build(config, tmp_path)
    assert flaws(config, tmp_path)[0] == []
    flip(cached() / WEIGHTS)
    (found,), said = flaws(config, tmp_path)
    assert found.startswith(f"{cached() / WEIGHTS}: ") and "its sha256 is wrong; cure: ./build" in found
    assert f"check {WEIGHTS} (" in said, "its progress is shown"
    build(config, tmp_path / "again")
    assert flaws(config, tmp_path / "again")[0] == []


def test_verify_finds_a_bit_that_the_bundle_lost_and_the_next_build_mends_it(tmp_path: Path) -> None:
    config = of("random")
    build(config, tmp_path)
    before = files(tmp_path)
    flip(tmp_path / "tiny-llama" / "checkpoint" / WEIGHTS)
    (found,), _ = flaws(config, tmp_path)
    assert "checkpoint/model.safetensors: " in found
    assert build(config, tmp_path) and files(tmp_path) == before
    assert flaws(config, tmp_path)[0] == []


def test_downloads_that_were_deleted_or_went_on_are_told_and_are_no_flaw(
    hub_server: Hub, tmp_path: Path
) -> None:
    config = of("owner/name", hub_server.address)
    build(config, tmp_path)
    there = hub.listed(cached())
    assert there
    hub.keep(cached(), replace(there, commit="another"))
    found, said = flaws(config, tmp_path)
    assert found == [] and "owner/name: not checked, the cache has another commit of it (another)" in said
    shutil.rmtree(cached())
    found, said = flaws(config, tmp_path)
    assert found == [] and "of its files are not in the cache any more and not checked" in said


def test_a_source_a_draft_and_adapters_of_this_machine_are_checked_where_they_are_named(
    checkpoint: Path, tmp_path: Path
) -> None:
    head = tmp_path / "head"
    shutil.copytree(checkpoint, head)
    for seed, who in enumerate(("main", "evil")):
        tiny.adapter(tmp_path / who, seed=seed)
    given = Adapters(Mode.merged, str(tmp_path / "main"), str(tmp_path / "evil"))
    draft = Draft(Drafting.draft_target, str(head), dims="tiny-llama")
    config = replace(of(str(checkpoint)), adapters=given, draft=draft)
    build(config, tmp_path / "out")
    assert flaws(config, tmp_path / "out")[0] == []
    damaged = [
        checkpoint / WEIGHTS,
        checkpoint / "config.json",
        head / "tokenizer.json",
        tmp_path / "main" / "adapter_model.safetensors",
        tmp_path / "evil" / "adapter_config.json",
    ]
    for path in damaged:
        copy = path.with_name("copy")  # the bundle's own draft is a link to the same bytes
        shutil.copy2(path, copy)
        copy.replace(path)
        flip(path)
    found, _ = flaws(config, tmp_path / "out")
    assert {line.partition(": ")[0] for line in found} == {str(path) for path in damaged}
    unnamed = replace(config, source="random", adapters=Adapters(Mode.merged), draft=Draft())
    found, said = flaws(unnamed, tmp_path / "out")
    assert found == []
    for key in ("source", "draft.source", "adapters.main", "adapters.evil"):
        assert f"{key}: not checked, since the manifest holds no paths; with {key}=FOLDER it is" in said


def test_adapters_that_the_bundle_holds_need_no_path(tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "main", seed=1)
    config = replace(of("random"), adapters=Adapters(main=str(tmp_path / "main")))
    build(config, tmp_path / "out")
    found, said = flaws(replace(config, adapters=Adapters()), tmp_path / "out")
    assert found == [] and "not checked" not in said
    flip(tmp_path / "main" / "adapter_model.safetensors")
    assert flaws(replace(config, adapters=Adapters()), tmp_path / "out")[0] == []
    assert len(flaws(config, tmp_path / "out")[0]) == 1


def test_hashing_a_long_source_is_shown(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "LONG", 100_000)
    out = StringIO()
    pipeline.build(of(str(checkpoint)), tmp_path / "tiny-llama", Console(file=out))
    assert out.getvalue().count(f"check {WEIGHTS} (") == 2, "of the source, and of what was made of it"
    assert "check config.json" not in out.getvalue()
