"""Our quantiser against the real ModelOpt: the same recipe, the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.bundle import calibration, layout, modelopt, nvfp4, quantise
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import read_json
from engines.cache import digest
from tests.checkpoints import arrays, contents, cut
from tests.hard_weights import as_qwen, write_model
from tests.need import need

pytestmark = pytest.mark.timeout(1800)  # a fresh machine fetches torch first
WEIGHT_ONLY = "general/ptq/nvfp4_weight_only-kv_fp8_cast"


@pytest.fixture(scope="module")
def environment() -> None:
    """ModelOpt's own environment: made here on a CI machine, by the user elsewhere (torch is large)."""
    asked = os.environ.get("CI") == "true"
    need(asked or modelopt.ENVIRONMENT.made, "ModelOpt's environment", "python -m engines.bundle.modelopt")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("dtype", "tied", "change"),
    [("BF16", False, None), ("F16", True, as_qwen)],
    ids=["llama", "qwen, f16, tied"],
)
def test_the_bytes_are_those_of_modelopt(
    tmp_path: Path, dtype: str, tied: bool, change: Callable[[Path], Path] | None
) -> None:
    """On weights that are hard to round: every tie, zeros, blocks that vanish, one value that dwarfs all."""
    base = write_model(tmp_path / "base", dtype, tied)
    if change:
        change(base)
    said: list[str] = []
    modelopt.quantise(base, tmp_path / "theirs", WEIGHT_ONLY, [], said.append)
    cut(base, 3, seed=3)
    quantise.quantise(base, tmp_path / "ours", lambda _done, _total: None)
    ours, theirs = contents(tmp_path / "ours"), contents(tmp_path / "theirs")
    assert sorted(ours) == sorted(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert any(line.startswith("loading") for line in said)
    assert said[-1] == "done"
    described = [read_json(tmp_path / who / "hf_quant_config.json") for who in ("ours", "theirs")]
    assert described[0] == described[1]
    configs = [read_json(tmp_path / who / "config.json")["quantization_config"] for who in ("ours", "theirs")]
    assert configs[0] == configs[1]


CALIBRATED = "general/ptq/nvfp4_default-kv_fp8"


def built(folder: Path, *said: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engines.build", *said, "bundle=tiny-llama", "quantise=modelopt"]
    return subprocess.run(
        [*command, f"recipe={CALIBRATED}", f"root={folder / 'bundles'}"],
        env=os.environ | {"SPARK_MODELS": str(folder / "models"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.usefixtures("environment")
def test_a_bundle_that_modelopt_calibrates_goes_through_every_step(tmp_path: Path) -> None:
    """With the shipped chat, then with the owner's: other scales of what flows, the same weights."""
    first = built(tmp_path)
    assert first.returncode == 0, first.stderr
    shipped = calibration.chats(calibration.SHIPPED)
    assert f"calibrating {len(shipped)}/{len(shipped)}" in first.stderr
    source, where = tmp_path / "models" / "hub" / "random@0", tmp_path / "bundles" / "tiny-llama"
    judged(source, where / "checkpoint", shipped)
    assert built(tmp_path, "verify").returncode == 0
    said = json.loads((where / "manifest.json").read_text())["steps"]["quantise"]
    assert said["inputs"]["calibration"] == digest(calibration.SHIPPED)
    assert said["inputs"]["recipe"] == CALIBRATED
    producer = read_json(where / "checkpoint" / layout.NAME)["producer"]
    assert producer == {"name": "modelopt", "version": said["inputs"]["by"]["nvidia-modelopt"]}
    told = said["figures"]["checkpoint"]
    assert (told["quant_algo"], told["kv_cache_quant_algo"]) == ("NVFP4", "FP8")
    assert "nothing to do" in built(tmp_path).stderr
    before = contents(where / "checkpoint")

    mine = tmp_path / "mine.txt"
    mine.write_text("aaaaa\nbb bb\n")
    again = built(tmp_path, f"calibration={mine}")
    assert again.returncode == 0, again.stderr
    judged(source, where / "checkpoint", ["aaaaa\nbb bb"])
    after = contents(where / "checkpoint")
    changed = {name.rpartition(".")[2] for name in before if before[name] != after[name]}
    assert changed <= {"input_scale", "k_scale", "v_scale"} and "input_scale" in changed
    mine.write_text("aaaaa\n")
    assert (
        "mine.txt: it is not what the manifest says"
        in built(tmp_path, "verify", f"calibration={mine}").stderr
    )


def judged(source: Path, folder: Path, chats: list[str]) -> None:
    """The weights are NVFP4's, and layer 0's scales are those of these very chats, computed here from the
    tokens: what flows into it does not depend on the place of a token."""
    ours, theirs = arrays(source), arrays(folder)
    for name, packed in theirs.items():
        if packed.dtype == np.uint8:
            scales, scale_2 = theirs[f"{name}_scale"], np.float32(theirs[f"{name}_scale_2"])
            off = nvfp4.restored(packed, scales, scale_2) - nvfp4.widened(ours[name])
            assert 0.085 < np.linalg.norm(off) / np.linalg.norm(nvfp4.widened(ours[name])) < 0.105, name
    letters = {*b"user: assistant: ", *"".join(chats).encode()}
    flow = nvfp4.widened(ours["model.embed_tokens.weight"])[[256, 258, *sorted(letters)]]
    flow = flow / np.sqrt((flow**2).mean(axis=-1, keepdims=True) + 1e-5)
    flow = flow * nvfp4.widened(ours["model.layers.0.input_layernorm.weight"])
    at = "model.layers.0.self_attn"
    value = flow @ nvfp4.widened(ours[f"{at}.v_proj.weight"]).T
    for each in "qkv":
        assert theirs[f"{at}.{each}_proj.input_scale"] == pytest.approx(
            nvfp4.amax(flow) / (6 * 448), rel=0.01
        )
    assert theirs[f"{at}.v_proj.v_scale"] == pytest.approx(nvfp4.amax(value) / 448, rel=0.01)
    assert {f"model.layers.{n}.self_attn.k_proj.k_scale" for n in (0, 1)} <= set(theirs)
    assert read_json(folder / "tokenizer.json")["truncation"] is None  # a server would cut prompts by it
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in folder.iterdir())


@pytest.mark.usefixtures("environment")
def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    with pytest.raises(BundleError, match=r"general/ptq/nothing.*failed.*cure:"):
        modelopt.quantise(base, tmp_path / "out", "general/ptq/nothing", [])


def test_an_environment_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing named so is in any index; what was begun is not taken for whole."""
    wrong = tmp_path / "requirements.txt"
    wrong.write_text("./nothing-of-this-name\n")
    monkeypatch.setattr(modelopt, "ENVIRONMENT", replace(modelopt.ENVIRONMENT, requirements=wrong))
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(tmp_path / "env"))
    with pytest.raises(BundleError, match=r"quantise failed .*nothing-of.*cure: see .*weight-only"):
        modelopt.environment()
    assert not modelopt.ENVIRONMENT.made


@pytest.mark.usefixtures("environment")
def test_a_gpu_that_is_not_reached_is_no_silent_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_model(tmp_path / "base")
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(BundleError, match=r"torch does not reach this machine's GPU; cure: the driver"):
        modelopt.quantise(base, tmp_path / "out", WEIGHT_ONLY, [])


HANGS = ["sh", "-c", "echo quantise: loading; echo noise; exec sleep 100"]  # and says so at once


def test_a_child_that_hangs_is_ended_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(BundleError, match=r"the child did not end within 3 s; cure: "):
        modelopt._run(HANGS, 3.0, said.append, "the child", tmp_path)
    assert said == ["loading"]
