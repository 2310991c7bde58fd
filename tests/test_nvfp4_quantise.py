"""Quantising a checkpoint: layout, shards, bad models, kills, full disks, and the memory it takes."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from engines.bundle import nvfp4, quantise, tiny
from engines.bundle.errors import BundleError
from engines.bundle.safetensors_read import INDEX, SINGLE, read_json
from engines.bundle.safetensors_shards import JOURNAL
from engines.bundle.safetensors_write import PART, Slot, write, write_json
from engines.cache import digest
from tests.checkpoints import Changes, arrays, contents, cut, hashes, put

DOWN = "model.layers.1.mlp.down_proj.weight"
SMALL = 60_000  # bytes of a shard: some ten for the tiny model
MOST_BYTES = 250e6  # of memory for any model; the numbers themselves take 5 MB a thread


def run(source: Path, target: Path) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    quantise.quantise(source, target, lambda done, total: seen.append((done, total)))
    return seen


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tiny.make(tmp_path / "base")
    return tmp_path / "base"


def test_the_layout_is_the_documented_one(base: Path, tmp_path: Path) -> None:
    seen = run(base, tmp_path / "out")
    found = arrays(tmp_path / "out")
    assert (found[DOWN].dtype.name, found[DOWN].shape) == ("uint8", (128, 128))
    scale = found[f"{DOWN}_scale"]
    assert (scale.dtype.name, scale.shape) == ("float8_e4m3fn", (128, 16))
    top = found[f"{DOWN}_scale_2"]
    assert (top.dtype.name, top.shape) == ("float32", ())
    assert not any("input_scale" in name for name in found)
    assert len(found) == 21 + 14 * 2
    assert seen[-1][0] == seen[-1][1] == sum(len(data) for _, _, data in contents(base).values())
    described = read_json(tmp_path / "out" / "hf_quant_config.json")["quantization"]
    assert described == {
        "quant_algo": "W4A16_NVFP4",
        "kv_cache_quant_algo": "FP8",
        "group_size": 16,
        "exclude_modules": ["lm_head", "model.embed_tokens"],
    }
    config = read_json(tmp_path / "out" / "config.json")
    assert config.pop("quantization_config")
    assert config == read_json(base / "config.json")
    assert digest(tmp_path / "out" / "tokenizer.json") == digest(base / "tokenizer.json")


def test_what_is_not_a_linear_is_kept_and_linears_are_near(base: Path, tmp_path: Path) -> None:
    run(base, tmp_path / "out")
    before, after = arrays(base), arrays(tmp_path / "out")
    for name, values in before.items():
        scale_2 = after.get(f"{name}_scale_2")
        if scale_2 is None:
            assert after[name].tobytes() == values.tobytes()
            continue
        weights = nvfp4.widened(values)
        off = nvfp4.restored(after[name], after[f"{name}_scale"], np.float32(scale_2)) - weights
        assert 0.08 < np.linalg.norm(off) / np.linalg.norm(weights) < 0.11


def test_projections_computed_as_one_share_their_scale(base: Path, tmp_path: Path) -> None:
    run(base, tmp_path / "out")
    found, before = arrays(tmp_path / "out"), arrays(base)
    for parent, fused in (("self_attn", ("q_proj", "k_proj", "v_proj")), ("mlp", ("gate_proj", "up_proj"))):
        names = [f"model.layers.0.{parent}.{each}.weight" for each in fused]
        largest = max(np.abs(nvfp4.widened(before[name])).max() for name in names)
        assert {float(found[f"{name}_scale_2"]) for name in names} == {float(largest / np.float32(2688))}


@pytest.mark.parametrize("parts", [2, 7])
def test_the_result_does_not_depend_on_how_the_model_is_cut(base: Path, tmp_path: Path, parts: int) -> None:
    run(base, tmp_path / "out")
    cut(base, parts, seed=parts)
    run(base, tmp_path / "other")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "other")


def test_output_in_shards_holds_the_same(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(base, tmp_path / "out")
    monkeypatch.setattr(quantise, "SHARD_BYTES", SMALL)
    run(base, tmp_path / "shards")
    assert len(list((tmp_path / "shards").glob("model-*.safetensors"))) > 5
    assert contents(tmp_path / "out") == contents(tmp_path / "shards")
    index = read_json(tmp_path / "shards" / INDEX)
    size = sum(len(data) for _, _, data in contents(tmp_path / "out").values())
    assert index["metadata"] == {"total_size": size}


def test_a_tied_head_is_left_out(base: Path, tmp_path: Path) -> None:
    config = read_json(base / "config.json") | {"tie_word_embeddings": True}
    write_json(base / "config.json", config)
    run(base, tmp_path / "out")
    assert "lm_head.weight" not in contents(tmp_path / "out")
    put(base, {"lm_head.weight": None})
    run(base, tmp_path / "other")
    assert contents(tmp_path / "out") == contents(tmp_path / "other")


BF16 = np.dtype(ml_dtypes.bfloat16)
BAD: dict[str, tuple[Changes, str]] = {
    "odd columns": ({DOWN: ("BF16", (128, 250), bytes(128 * 500))}, rf"{DOWN} .*multiple of 16"),
    "not a matrix": ({DOWN: ("BF16", (128,), bytes(256))}, rf"{DOWN} has the shape \[128\]"),
    "nan": ({DOWN: ("BF16", (128, 256), np.full(128 * 256, np.nan, BF16).tobytes())}, f"{DOWN} holds NaN"),
    "integers": ({DOWN: ("I8", (128, 256), bytes(128 * 256))}, f"{DOWN} is I8"),
    "unknown": (
        {"model.layers.0.mlp.experts.0.w1.weight": ("BF16", (16, 16), bytes(512))},
        "w1.weight is not part",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_tensor_is_named(base: Path, tmp_path: Path, case: str) -> None:
    changes, words = BAD[case]
    put(base, changes)
    with pytest.raises(BundleError, match=words):
        run(base, tmp_path / "out")
    assert not (tmp_path / "out" / SINGLE).exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architectures": ["MixtralForCausalLM"]}, "MixtralForCausalLM.*cure: quantise with ModelOpt"),
        ({"quantization_config": {}}, "quantised already"),
    ],
)
def test_another_kind_of_model_is_refused(base: Path, tmp_path: Path, change: object, words: str) -> None:
    assert isinstance(change, dict)
    write_json(base / "config.json", read_json(base / "config.json") | change)
    with pytest.raises(BundleError, match=words):
        run(base, tmp_path / "out")


def test_activations_need_modelopt(base: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cure: quantise weights only"):
        quantise.quantise(base, tmp_path / "out", lambda _done, _total: None, weight_only=False)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from engines.bundle import quantise
    quantise.SHARD_BYTES = {small}
    def progress(done, total):
        if done > total * {share}:
            os.kill(os.getpid(), signal.SIGKILL)
    quantise.quantise(Path(sys.argv[1]), Path(sys.argv[2]), progress)
"""


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_killed_run_goes_on_at_its_shard(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(quantise, "SHARD_BYTES", SMALL)
    run(base, tmp_path / "whole")
    out = tmp_path / "out"
    code = textwrap.dedent(KILLED.format(small=SMALL, share=share))
    killed = subprocess.run([sys.executable, "-c", code, str(base), str(out)], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    done = {path.name: path.stat().st_mtime_ns for path in out.glob("*.safetensors")}
    assert done
    assert not (out / INDEX).exists()
    assert list(out.glob(f"*{PART}"))
    run(base, out)
    assert hashes(out) == hashes(tmp_path / "whole")
    assert {name: (out / name).stat().st_mtime_ns for name in done} == done
    assert not list(out.glob(f"*{PART}"))


def test_a_shard_that_was_damaged_is_made_again(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(base, out)
    before = hashes(out)
    data = bytearray((out / SINGLE).read_bytes())
    data[-1] ^= 1
    (out / SINGLE).write_bytes(data)
    run(base, out)
    assert hashes(out) == before


@pytest.mark.parametrize(
    "journal", ["", "[]", '{"key": 1, "done": 2}', '{"done": {"model.safetensors": "0"}}']
)
def test_a_journal_edited_by_hand_misleads_nobody(base: Path, tmp_path: Path, journal: str) -> None:
    out = tmp_path / "out"
    run(base, out)
    before = hashes(out)
    (out / SINGLE).write_bytes(b"half")
    (out / JOURNAL).write_text(journal)
    run(base, out)
    assert hashes(out) == before


def test_another_source_starts_afresh(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(base, out)
    tiny.make(base, seed=1)
    run(base, out)
    run(base, tmp_path / "other")
    assert contents(out) == contents(tmp_path / "other")


def test_too_little_disk_is_said_before_anything_is_written(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(BundleError, match=r"no room in .*cure: free some"):
        run(base, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_disk_full_in_the_middle(base: Path, tmp_path: Path) -> None:
    """The system's limit on a file's size stands for the disk's end: the write fails as it would there."""
    code = "import sys; from engines.bundle.quantise import main; sys.argv = ['q', *sys.argv[1:]]; main()"
    out = tmp_path / "out"
    found = subprocess.run(
        [sys.executable, "-c", code, str(base), str(out)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert f"no room in {out}; cure: free some and start again" in found.stderr
    assert not (out / SINGLE).exists()


def test_memory_does_not_grow_with_the_model(base: Path, tmp_path: Path) -> None:
    """One matrix of 512 MB, as a file with a hole; the largest of Llama 3.1 70B has 470."""
    side = 16384
    put(base, {DOWN: None})
    head = json.dumps({DOWN: {"dtype": "BF16", "shape": [side, side], "data_offsets": [0, 2 * side * side]}})
    with (base / "big.safetensors").open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head.encode())
        file.truncate(8 + len(head) + 2 * side * side)
    placed = dict.fromkeys(contents(base), SINGLE) | {DOWN: "big.safetensors"}
    write_json(base / INDEX, {"weight_map": placed})
    code = (
        "import sys; from pathlib import Path; from engines.bundle.quantise import quantise;"
        "quantise(Path(sys.argv[1]), Path(sys.argv[2]), lambda done, total: None);"
        "sys.stdout.write(Path('/proc/self/status').read_text())"
    )
    command = [sys.executable, "-c", code, str(base), str(tmp_path / "out")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True)
    # not ru_maxrss: that one begins with what the test's own process held when it forked
    peak = next(row.split()[1] for row in found.stdout.splitlines() if row.startswith("VmHWM"))
    assert int(peak) * 1024 < MOST_BYTES


def test_an_empty_tensor_is_no_linear(base: Path, tmp_path: Path) -> None:
    write(base / SINGLE, [(Slot(DOWN, "BF16", (0, 256)), b"")])
    with pytest.raises(BundleError, match="has the shape"):
        run(base, tmp_path / "out")
