"""Whole builds from a hub, from a folder, and for llama.cpp; what is wrong is told with the cure."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from engines.bars import Bars
from engines.bundle import manifest, pipeline, tiny, verify, words
from engines.bundle.config import Adapters, Config, Draft, Drafting, Quantise
from engines.bundle.errors import BundleError
from engines.llm.options import MODEL, Options, bundled, models
from tests.hub_server import Hub, serving
from tests.need import need_models

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    tiny.make(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[Hub]:
    with serving({path.name: path.read_bytes() for path in checkpoint.iterdir()}) as running:
        yield running


def build(config: Config, root: Path) -> bool:
    return pipeline.build(config, root / config.name, Console(quiet=True))


def of(source: str, address: str = "http://127.0.0.1:9") -> Config:
    return replace(words.read("tiny-llama"), source=source, hub=address)


def test_hub_and_folder_give_the_same_bundle(hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    assert build(of("owner/name", hub.address), tmp_path / "a")
    assert build(of(str(checkpoint)), tmp_path / "b")
    one, other = (manifest.read(tmp_path / each / "tiny-llama") for each in "ab")
    assert one and other and one["files"] == other["files"]
    fetched = one["steps"]["fetch"]["figures"]["source"]
    weights = hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()
    assert fetched["commit"].startswith("c0ffee") and fetched["files"]["model.safetensors"] == weights
    before = len(hub.asked)
    assert not build(of("owner/name", hub.address), tmp_path / "a")
    assert len(hub.asked) == before


def test_a_changed_folder_is_built_again(checkpoint: Path, tmp_path: Path) -> None:
    assert build(of(str(checkpoint)), tmp_path)
    assert not build(of(str(checkpoint)), tmp_path)
    tiny.make(checkpoint, seed=1)
    assert build(of(str(checkpoint)), tmp_path)


def test_a_build_killed_while_it_fetches_goes_on_there(hub: Hub, tmp_path: Path) -> None:
    hub.gate = threading.Event()
    said = ["bundle=tiny-llama", "source=owner/name", f"hub={hub.address}", f"root={tmp_path / 'bundles'}"]
    command = [sys.executable, "-m", "engines.build", *said]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as child:
        part: list[Path] = []
        while not part or part[0].stat().st_size < 400_000:
            assert child.poll() is None
            part = list((tmp_path / "models" / "hub").glob("*/.model.safetensors*.part"))
        child.send_signal(signal.SIGKILL)
    assert not (tmp_path / "bundles" / "tiny-llama").exists()
    hub.gate.set()
    subprocess.run(command, cwd=ROOT, stderr=subprocess.DEVNULL, timeout=60, check=True)
    ranges = [wanted for path, wanted, _ in hub.asked if path == "/cdn/model.safetensors"]
    assert len(ranges) == 2 and int(ranges[1].removeprefix("bytes=").rstrip("-")) >= 400_000


def test_a_gated_model_stops_the_build_and_nothing_is_there(hub: Hub, tmp_path: Path) -> None:
    hub.token = "hf_right"
    with pytest.raises(BundleError, match="gated"):
        build(of("owner/name", hub.address), tmp_path)
    assert not (tmp_path / "tiny-llama").exists()


def test_a_ready_checkpoint_with_a_draft_is_taken_as_it_is(checkpoint: Path, tmp_path: Path) -> None:
    assert build(of(str(checkpoint)), tmp_path)
    ready = tmp_path / "tiny-llama" / "checkpoint"
    draft = Draft(Drafting.draft_target, str(checkpoint), dims="tiny-llama", length=4)
    config = replace(of(str(ready)), quantise=Quantise.never, draft=draft)
    assert build(config, tmp_path / "again")
    where = tmp_path / "again" / "tiny-llama"
    assert (where / "checkpoint" / "model.safetensors").read_bytes() == (
        ready / "model.safetensors"
    ).read_bytes()
    assert (where / "draft" / "config.json").is_file()
    assert "speculative_model: /bundle/draft" in (where / "serve.yaml").read_text()
    with pytest.raises(BundleError, match="is not quantised; cure: quantise=stream"):
        build(replace(of(str(checkpoint)), quantise=Quantise.never), tmp_path / "third")


def test_another_model_than_the_planned_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"is no llama31-8b: num_hidden_layers is 2 and not 32; .*cure"):
        build(replace(of(str(checkpoint)), dims="llama31-8b"), tmp_path)
    with pytest.raises(BundleError, match=r"there is no folder .*cure"):
        build(of(str(tmp_path / "nothing")), tmp_path)


def test_a_truncated_shard_is_told(checkpoint: Path, tmp_path: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(BundleError, match=r"model.safetensors.*cure"):
        build(of(str(checkpoint)), tmp_path)
    assert not (tmp_path / "tiny-llama").exists()


@pytest.mark.parametrize("what", ["the checkpoint", "the draft", "a draft in another format"])
def test_what_is_taken_as_it_is_is_looked_into_all_the_same(
    what: str, checkpoint: Path, tmp_path: Path
) -> None:
    assert build(of(str(checkpoint)), tmp_path)
    ready, head = tmp_path / "ready", tmp_path / "head"
    shutil.copytree(tmp_path / "tiny-llama" / "checkpoint", ready)
    shutil.copytree(checkpoint, head)
    broken = {"the checkpoint": ready, "the draft": head}.get(what)
    if broken:
        weights = broken / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-100])
    else:
        (head / "model.safetensors").rename(head / "pytorch_model.bin")
    draft = Draft(Drafting.draft_target, str(head), dims="tiny-llama", length=4)
    with pytest.raises(BundleError, match=r"is damaged.*cure|no weights as safetensors; cure"):
        build(replace(of(str(ready)), quantise=Quantise.never, draft=draft), tmp_path / "again")
    assert not (tmp_path / "again" / "tiny-llama").exists()


def test_adapters_that_do_not_fit_stop_the_build(checkpoint: Path, tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "main", seed=1, rank=64)
    given = replace(of(str(checkpoint)), adapters=Adapters(main=str(tmp_path / "main")))
    with pytest.raises(BundleError, match=r"rank 64, over 32; cure"):
        build(given, tmp_path)
    missing = replace(given, adapters=Adapters(evil=str(tmp_path / "nothing")))
    with pytest.raises(BundleError, match=r"adapters.evil: there is no folder .*cure"):
        build(missing, tmp_path)
    assert not (tmp_path / "tiny-llama").exists()


def test_adapters_for_another_base_stop_the_build_of_a_named_one(
    hub: Hub, checkpoint: Path, tmp_path: Path
) -> None:
    tiny.adapter(tmp_path / "main", seed=1)
    settings = tmp_path / "main" / "adapter_config.json"
    settings.write_text(settings.read_text().replace('"tiny-llama"', '"some/other"'))
    given = Adapters(main=str(tmp_path / "main"))
    with pytest.raises(BundleError, match=r"trained for some/other, not for owner/name; cure"):
        build(replace(of("owner/name", hub.address), adapters=given), tmp_path)
    assert build(replace(of("owner/name", hub.address), adapters=replace(given, base="other")), tmp_path)
    assert build(replace(of(str(checkpoint)), adapters=given), tmp_path / "unnamed")


def test_the_engine_takes_its_model_from_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_MODELS")
    need_models("smollm2", "piper-joe")
    config = words.read("smollm2")
    tiny.adapter(tmp_path / "main", seed=1, config=_base(config))
    config = replace(config, adapters=Adapters(main=str(tmp_path / "main")))
    assert build(config, tmp_path)
    where = tmp_path / "smollm2"
    with Bars(Console(quiet=True)) as bars:
        assert verify.flaws(config, where, bars) == []
    files = json.loads((where / "manifest.json").read_text())["files"]
    assert set(files) == {"model.gguf", "adapters/main.gguf"}
    options = Options(model="smollm2", bundle=str(where))
    assert models(options) == [] and bundled(options, MODEL) == where / MODEL
    assert models(Options(model="smollm2", bundle="none")) == ["smollm2"]
    assert models(Options(model="/some/file.gguf")) == []


def _base(config: Config) -> dict[str, object]:
    from engines.bundle.plan import dims

    return dims(config).config()


@pytest.mark.parametrize(("name", "bundle"), [("NVIDIA GB10", words.SPARK), ("NVIDIA H100", words.ELSEWHERE)])
def test_the_default_bundle_is_that_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bundle: str
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{name}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert words.overrides(["plan"])[0] == f"bundle={bundle}"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert words.default() == words.ELSEWHERE
