"""Room on the disks: what is there or not needed any more counts; each disk and each bundle for itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from omegaconf import DictConfig, OmegaConf

from engines import build, cache
from engines.bundle import disk, hub, modelopt, show, tiny, words
from engines.bundle.config import Adapters, Config, Mode, Quantise
from engines.bundle.errors import BundleError
from engines.bundle.plan import merged, plan, total
from engines.environment import STAMP
from tests.test_build import CONF

GB = 1e9


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def has(size: float) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=size))

    return has


def made(tmp_path: Path, capsys: pytest.CaptureFixture[str], **changes: object) -> str:
    """What a build of the tiny bundle says, as from the command line."""
    written = OmegaConf.load(CONF / "tiny-llama.yaml")
    more = {"root": str(tmp_path / "bundles"), "step": "build", **changes}
    build._run(cast(DictConfig, OmegaConf.merge(written, more)))
    return capsys.readouterr().err


def large(tmp_path: Path) -> Config:
    return replace(words.read("llama31-70b-nvfp4"), root=str(tmp_path / "bundles"))


def fetched(config: Config) -> None:
    """Its download, as far as its size goes."""
    folder = hub.place(config.source, config.revision)
    folder.mkdir(parents=True)
    with (folder / "model.safetensors").open("wb") as stream:
        stream.truncate(int(total(plan(config).download)))


def test_a_finished_bundle_is_repeated_and_refreshed_on_a_full_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], free: Callable[[float], None]
) -> None:
    tiny.make(tmp_path / "source")
    source = {"source": str(tmp_path / "source")}
    made(tmp_path, capsys, **source)
    free(0)
    assert "nothing to do" in made(tmp_path, capsys, **source)
    assert "is ready" in made(tmp_path, capsys, **source, serve={"port": 8400})
    with pytest.raises(SystemExit, match=r"takes .* of the disk of .*; cure: free some"):
        made(tmp_path, capsys, **source, quantise="modelopt")


def test_a_finished_bundle_is_repeated_whatever_its_limit_is_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path, capsys)
    assert "nothing to do" in made(tmp_path, capsys, limit=0.001)


def test_each_disk_is_judged_by_what_goes_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = large(tmp_path)
    rooms = {"models": 150 * GB, "bundles": 50 * GB}

    def usage(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=rooms[path.name])

    for name in rooms:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(disk, "_device", lambda path: 1 if "models" in path.parts else 2)
    monkeypatch.setattr(shutil, "disk_usage", usage)
    show.refuse(config, plan(config))
    for name, room in (("models", 140 * GB), ("bundles", 40 * GB)):
        before = rooms[name]
        rooms[name] = room
        with pytest.raises(BundleError, match=rf"of the disk of {tmp_path / name}, "):
            show.refuse(config, plan(config))
        rooms[name] = before


def test_what_is_linked_on_one_disk_is_copied_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(words.read("smollm2"), root=str(tmp_path / "bundles"))
    one = disk.disks(config, plan(config))
    monkeypatch.setattr(disk, "_device", lambda path: 1 if "models" in path.parts else 2)
    two = disk.disks(config, plan(config))
    model = config.models[0]
    assert sum(each.need for each in two) - one[0].need == cache.known(model).size


def test_the_bundle_that_is_named_instead_fits_without_the_others_download(
    tmp_path: Path, free: Callable[[float], None]
) -> None:
    config = large(tmp_path)
    fetched(config)
    free(10 * GB)
    with pytest.raises(BundleError, match=r"151\.1 GB are free or its own; cure: .*, or bundle=qwen-1\.5b$"):
        show.refuse(config, plan(config))
    free(45 * GB)
    show.refuse(config, plan(config))


def test_a_folder_is_no_download(tmp_path: Path) -> None:
    config = replace(large(tmp_path), source=str(tmp_path), quantise=Quantise.stream)
    assert not plan(config).download


@pytest.mark.parametrize(
    ("main", "evil", "count"), [("", "", 2), ("/main", "", 1), ("", "/evil", 1), ("/main", "/evil", 2)]
)
def test_a_merged_persona_has_a_checkpoint_and_one_alone_fits(main: str, evil: str, count: int) -> None:
    config = replace(words.read("llama31-70b-nvfp4"), adapters=Adapters(Mode.merged, main, evil))
    assert merged(config) == count
    assert (plan(config).memory <= config.limit * GB) is (count == 1)


def test_modelopts_environment_counts_until_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(tmp_path / "env"))
    streamed = words.read("llama31-8b-opener")
    config = replace(streamed, quantise=Quantise.modelopt)
    fetched = total(plan(streamed).download)
    assert total(plan(config).download) == fetched + 5.1e9
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    (tmp_path / "env" / STAMP).write_text(modelopt.ENVIRONMENT._wanted())
    assert total(plan(config).download) == fetched


def test_modelopts_environment_is_counted_on_the_disk_where_it_will_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(tmp_path / "apart" / "env"))
    config = replace(words.read("llama31-8b-opener"), quantise=Quantise.modelopt, root=str(tmp_path))
    monkeypatch.setattr(disk, "_device", lambda path: 1 if "apart" in path.parts else 2)
    both = {each.where: each.need for each in disk.disks(config, plan(config))}
    assert both == {tmp_path / "apart": 5.1e9, tmp_path: total(plan(config).disk) - 5.1e9}
    monkeypatch.setattr(disk, "_device", lambda path: 1)
    (one,) = disk.disks(config, plan(config))
    assert one.need == total(plan(config).disk)
