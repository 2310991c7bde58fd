"""Adapters for the small models, whose head is their embedding: one for another base is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from rich.console import Console

from engines.bars import Bars
from engines.bundle import adapters, personas, tiny, words
from engines.bundle.config import Adapters
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.safetensors_read import read_json
from engines.bundle.safetensors_write import write_json
from tests.test_adapters import put

ITS_OWN = {
    "qwen-1.5b": "Qwen/Qwen2.5-Coder-1.5B-Instruct",
    "smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct",
}
OTHER = {"qwen-1.5b": "smollm2", "smollm2": "qwen-1.5b"}
both = pytest.mark.parametrize("bundle", ITS_OWN)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))


def trained(folder: Path, shaped_for: str, on: str) -> Path:
    """An adapter of a bundle's shape that says what it was trained on."""
    tiny.adapter(folder, seed=1, rank=1, config=personas.base(words.read(shaped_for)))
    write_json(
        folder / adapters.CONFIG, read_json(folder / adapters.CONFIG) | {"base_model_name_or_path": on}
    )
    return folder


def build(bundle: str, adapter: Path, work: Path, base: str = "") -> Mapping[str, object]:
    """The step of the build; what it says."""
    config = replace(words.read(bundle), adapters=Adapters(main=str(adapter), base=base))
    work.mkdir(exist_ok=True)
    with Bars(Console(quiet=True)) as bars:
        return personas.run(config, work, bars, Hashes())


@both
def test_one_for_this_very_model_is_taken(tmp_path: Path, bundle: str) -> None:
    said = build(bundle, trained(tmp_path / "main", bundle, ITS_OWN[bundle]), tmp_path / "work")
    assert (tmp_path / "work" / "adapters" / "main.gguf").stat().st_size > 0
    assert isinstance(told := said["main"], dict) and told["base"] == ITS_OWN[bundle]


@both
def test_one_for_the_other_architecture_is_refused_by_its_tensor(tmp_path: Path, bundle: str) -> None:
    adapter = trained(tmp_path / "main", OTHER[bundle], ITS_OWN[OTHER[bundle]])
    with pytest.raises(
        BundleError,
        match=rf"lora_A.weight has the shape .* trained for {ITS_OWN[OTHER[bundle]]}, not .*cure: ",
    ):
        build(bundle, adapter, tmp_path / "work")
    assert not (tmp_path / "work" / "adapters").exists()


@pytest.mark.parametrize(
    ("bundle", "on"),
    [
        ("qwen-1.5b", "Qwen/Qwen2.5-1.5B-Instruct"),  # every shape is the same
        ("qwen-1.5b", "Qwen/Qwen2.5-Coder-1.5B"),
        ("smollm2", "HuggingFaceTB/SmolLM-135M-Instruct"),
    ],
)
def test_one_for_a_model_of_the_same_shape_is_refused_by_its_name(
    tmp_path: Path, bundle: str, on: str
) -> None:
    adapter = trained(tmp_path / "main", bundle, on)
    with pytest.raises(
        BundleError, match=rf"trained for {on}, not for {ITS_OWN[bundle]}; cure: .* adapters.base={on} where"
    ):
        build(bundle, adapter, tmp_path / "work")
    assert not (tmp_path / "work" / "adapters").exists()
    assert build(bundle, adapter, tmp_path / "work", base=on)


@both
@pytest.mark.parametrize(
    "name", ["base_model.model.model.embed_tokens.weight", "base_model.model.lm_head.lora_A.weight"]
)
def test_a_table_of_words_that_the_model_shares_is_no_part_of_one(
    tmp_path: Path, bundle: str, name: str
) -> None:
    """PEFT saves it where tokens were added or the head was a target: no engine here would load it."""
    adapter = trained(tmp_path / "main", bundle, ITS_OWN[bundle])
    put(adapter, {name: np.zeros((1, 16), ml_dtypes.bfloat16)})
    with pytest.raises(BundleError, match=rf"{name} is not part of a LoRA on .*; cure: "):
        build(bundle, adapter, tmp_path / "work")


@both
def test_the_base_is_among_what_the_step_depends_on(tmp_path: Path, bundle: str) -> None:
    adapter = trained(tmp_path / "main", bundle, ITS_OWN[bundle])
    config = replace(words.read(bundle), adapters=Adapters(main=str(adapter)))
    assert personas.inputs(config, Hashes())["source"] == ITS_OWN[bundle]
