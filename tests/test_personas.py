"""Adapters in a bundle: what engines load, of the type that the plan counts, whatever lies beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from rich.console import Console

from engines.bundle import adapters, lora_gguf, pipeline, tiny, words
from engines.bundle.config import Adapters, Config, Mode
from engines.bundle.dims import DIMS
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.plan import plan
from engines.bundle.safetensors_read import DTYPES, FLOATS, Checkpoint
from engines.bundle.safetensors_write import Slot, write

QUIET = Console(quiet=True)


def values(file: Path) -> dict[str, Floats]:
    with Checkpoint.of(file) as found:
        return {name: widened(found.whole(tensor)) for name, tensor in found.tensors.items()}


def written(folder: Path, dtype: str) -> None:
    """An adapter of another type than bf16, with digits that bf16 has not."""
    tiny.adapter(folder, seed=1)
    tensors = [
        (Slot(name, dtype, each.shape), (each * 1.01).astype(DTYPES[dtype]).tobytes())
        for name, each in values(folder / adapters.WEIGHTS).items()
    ]
    write(folder / adapters.WEIGHTS, tensors)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    given = Adapters(Mode.lora, str(tmp_path / "main"), max_rank=8)
    return replace(words.read("tiny-llama"), adapters=given)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_bundle_has_the_adapters_two_files_in_bf16(config: Config, tmp_path: Path, dtype: str) -> None:
    source = tmp_path / "main"
    written(source, dtype)
    (source / "optimizer.pt").write_bytes(bytes(1000))
    (source / "checkpoint-500").mkdir()
    tiny.adapter(source / "checkpoint-500", seed=2)
    pipeline.build(config, tmp_path / "bundle", QUIET)
    there = tmp_path / "bundle" / "adapters" / "main"
    assert sorted(path.name for path in there.rglob("*")) == [adapters.CONFIG, adapters.WEIGHTS]
    assert (there / adapters.CONFIG).read_text() == (source / adapters.CONFIG).read_text()
    facts = adapters.check(there, tiny.CONFIG, 8)
    assert facts.dtype == "BF16" and facts.size == DIMS["tiny-llama"].lora(8)
    wide, narrow = values(source / adapters.WEIGHTS), values(there / adapters.WEIGHTS)
    assert wide.keys() == narrow.keys()
    for name, each in wide.items():
        assert np.array_equal(narrow[name], each.astype(ml_dtypes.bfloat16).astype(np.float32))


def test_what_lies_beside_an_adapter_is_no_reason_to_build_again(config: Config, tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "main", seed=1)
    assert pipeline.build(config, tmp_path / "bundle", QUIET)
    (tmp_path / "main" / "trainer_state.json").write_text("{}")
    assert not pipeline.build(config, tmp_path / "bundle", QUIET)
    tiny.adapter(tmp_path / "main", seed=2)
    assert pipeline.build(config, tmp_path / "bundle", QUIET)


def test_the_plan_counts_what_llama_cpp_is_given(config: Config, tmp_path: Path) -> None:
    small = replace(words.read("smollm2"), dims="tiny-llama", adapters=config.adapters)
    (planned,) = (item.size for item in plan(small).serving if item.what.startswith("adapters"))
    tiny.adapter(tmp_path / "main", seed=1)
    lora_gguf.convert(tmp_path / "main", DIMS["tiny-llama"].config(), tmp_path / "main.gguf")
    assert (tmp_path / "main.gguf").stat().st_size == pytest.approx(planned, rel=0.05)
