"""Our quantiser against the real ModelOpt: the same recipe, the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engines.bundle import modelopt, quantise
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import read_json
from tests.checkpoints import contents, cut
from tests.hard_weights import write_model
from tests.need import need

pytestmark = pytest.mark.timeout(1800)  # a fresh machine fetches torch first
WEIGHT_ONLY = "general/ptq/nvfp4_weight_only-kv_fp8_cast"


@pytest.fixture(scope="module")
def environment() -> None:
    """ModelOpt's own environment: made here on a CI machine, by the user elsewhere (torch is large)."""
    asked = os.environ.get("CI") == "true"
    need(asked or modelopt.made(), "ModelOpt's environment", "python -m engines.bundle.modelopt")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("dtype", "tied"), [("BF16", False), ("F16", True)])
def test_the_bytes_are_those_of_modelopt(tmp_path: Path, dtype: str, tied: bool) -> None:
    """On weights that are hard to round: every tie, zeros, blocks that vanish, one value that dwarfs all."""
    base = write_model(tmp_path / "base", dtype, tied)
    said: list[str] = []
    modelopt.quantise(base, tmp_path / "theirs", WEIGHT_ONLY, said.append)
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


@pytest.mark.usefixtures("environment")
def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    with pytest.raises(BundleError, match=r"general/ptq/nothing.*failed.*cure:"):
        modelopt.quantise(base, tmp_path / "out", "general/ptq/nothing")


def test_an_environment_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing named so is in any index; what was begun is not taken for whole."""
    wrong = tmp_path / "requirements.txt"
    wrong.write_text("./nothing-of-this-name\n")
    monkeypatch.setattr(modelopt, "REQUIREMENTS", wrong)
    monkeypatch.setenv("SPARK_QUANTISE_ENV", str(tmp_path / "env"))
    with pytest.raises(
        BundleError, match=r"making ModelOpt's environment failed.*nothing-of.*cure: see that"
    ):
        modelopt.environment()
    assert not modelopt.made()


@pytest.mark.usefixtures("environment")
def test_a_gpu_that_is_not_reached_is_no_silent_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_model(tmp_path / "base")
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(BundleError, match=r"torch does not reach this machine's GPU; cure: the driver"):
        modelopt.quantise(base, tmp_path / "out", WEIGHT_ONLY)


def test_a_child_that_hangs_is_ended_and_told() -> None:
    said: list[str] = []
    words = ("Downloading small.whl (9 kB)", "Downloading torch.whl (2.1 GB)", "quantise: loading", "noise")
    code = f"import time; print({chr(10).join(words)!r}, flush=True); time.sleep(30)"
    with pytest.raises(BundleError, match=r"the child did not end within 1 s; cure: "):
        modelopt._run([sys.executable, "-c", code], 1.0, said.append, "the child")
    assert said == ["Downloading torch.whl (2.1 GB)", "loading"]


@pytest.mark.usefixtures("environment")
def test_nothing_is_left_behind_when_the_build_is_killed(tmp_path: Path) -> None:
    base = write_model(tmp_path / "base")
    code = (
        "import sys; from pathlib import Path; from engines.bundle import modelopt;"
        f"modelopt.quantise(Path({str(base)!r}), Path({str(tmp_path / 'out')!r}), {WEIGHT_ONLY!r},"
        " lambda line: print(line, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout is not None
        assert any(line.startswith("loading") for line in build.stdout)
        children = psutil.Process(build.pid).children(recursive=True)
        build.kill()
    gone, left = psutil.wait_procs(children, timeout=10)
    assert gone
    assert not left
