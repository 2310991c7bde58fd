"""Merging an adapter: the sum, what stays as it was, shards, and kills by way of the same journal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.bundle import adapters, merge, quantise, tiny
from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import widened
from engines.bundle.safetensors_read import DTYPES, Checkpoint
from engines.cache import digest
from tests.checkpoints import arrays, contents, cut, hashes, put


def run(base: Path, adapter: Path, out: Path) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    merge.merge(base, adapter, out, lambda done, total: seen.append((done, total)))
    return seen


@pytest.fixture
def made(tmp_path: Path) -> Path:
    tiny.make(tmp_path / "base")
    tiny.adapter(tmp_path / "main", seed=1)
    return tmp_path


def test_every_weight_is_the_sum_rounded_once(made: Path) -> None:
    seen = run(made / "base", made / "main", made / "out")
    before, after = arrays(made / "base"), arrays(made / "out")
    facts = adapters.read(made / "main", tiny.CONFIG)
    with Checkpoint.of(made / "main" / adapters.WEIGHTS) as lora:
        for module in facts.modules:
            down, up = (
                widened(lora.whole(lora.tensors[adapters.tensor_name(module, side)])).astype(np.float64)
                for side in "AB"
            )
            exact = widened(before[f"{module}.weight"]) + 2.0 * up @ down
            merged = widened(after[f"{module}.weight"])
            assert np.abs(merged - exact).max() <= np.abs(exact).max() * 2**-8
    unchanged = set(before) - {f"{module}.weight" for module in facts.modules}
    assert all(after[name].tobytes() == before[name].tobytes() for name in unchanged)
    assert {name: after[name].dtype for name in after} == {name: before[name].dtype for name in before}
    assert seen[-1][0] == seen[-1][1]
    assert digest(made / "out" / "config.json") == digest(made / "base" / "config.json")


def test_shards_make_no_difference(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(made / "base", made / "main", made / "out")
    cut(made / "base", 4, seed=4)
    monkeypatch.setattr(merge, "SHARD_BYTES", 100_000)
    run(made / "base", made / "main", made / "shards")
    assert contents(made / "out") == contents(made / "shards")
    assert len(hashes(made / "shards")) > len(hashes(made / "out"))


def test_another_adapter_starts_afresh(made: Path) -> None:
    run(made / "base", made / "main", made / "out")
    first = contents(made / "out")
    tiny.adapter(made / "main", seed=2)
    run(made / "base", made / "main", made / "out")
    assert contents(made / "out") != first


def test_merged_weights_can_be_quantised(made: Path) -> None:
    run(made / "base", made / "main", made / "out")
    quantise.quantise(made / "out", made / "small", lambda _done, _total: None)
    assert arrays(made / "small")["model.layers.0.mlp.up_proj.weight"].dtype == np.uint8


def test_a_quantised_base_is_refused_with_its_tensor(made: Path) -> None:
    quantise.quantise(made / "base", made / "small", lambda _done, _total: None)
    with pytest.raises(BundleError, match=r"down_proj.weight is U8 \[128, 128\]: nothing to merge into"):
        run(made / "small", made / "main", made / "out")


def test_a_base_without_the_tensor(made: Path) -> None:
    name = "model.layers.1.mlp.up_proj.weight"
    put(made / "base", {name: None})
    with pytest.raises(BundleError, match=f"{name} is missing"):
        run(made / "base", made / "main", made / "out")


def test_types_of_weights(made: Path) -> None:
    for name in ("F16", "F32"):
        converted = {
            key: (name, values.shape, widened(values).astype(DTYPES[name]).tobytes())
            for key, values in arrays(made / "base").items()
        }
        put(made / "base", converted)
        run(made / "base", made / "main", made / name)
        assert {dtype for dtype, _, _ in contents(made / name).values()} == {name}
