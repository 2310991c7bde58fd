"""Converted adapters in the real llama.cpp: what it computes is what the merged published weights say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import numpy as np
import pytest
from gguf import GGUFReader

from engines.bundle import adapters, lora_gguf, merge, tiny
from engines.bundle.errors import BundleError
from engines.bundle.nvfp4 import Floats, widened
from engines.bundle.safetensors_write import write_json
from engines.llm.options import Options
from engines.llm.probe import ready
from engines.port import unused
from engines.process import NotReady
from tests.checkpoints import arrays, put
from tests.reference_llama import logprobs
from tests.tiny_gguf import write

PROMPT = [256, *b"hello chat, the robot says: "]
TOP = 20
NEAR = 0.005  # of log probabilities
FAR = 0.3  # so far off is an adapter whose queries and keys were left as they are
CAST = ("main", "evil")


@contextmanager
def serving(model: Path, loras: Mapping[str, Path]) -> Iterator[str]:
    """The language model's own server with a model and its adapters; its address."""
    port = unused()
    words = [
        f"port={port}",
        f"model={model}",
        "threads=1",
        "threads_batch=1",
        "context=128",
        "prefix_folder=none",
    ]
    given = json.dumps({who: str(path) for who, path in loras.items()})
    process = subprocess.Popen([sys.executable, "-m", "engines.llm", *words, f"adapters={given}"])
    try:
        anyio.run(_until_ready, Options(port=port, model=str(model)))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0


async def _until_ready(options: Options) -> None:
    with anyio.fail_after(60):
        while True:
            try:
                return await ready(options)
            except NotReady:
                await anyio.sleep(0.05)


def answered(url: str, scales: Sequence[float]) -> dict[int, float]:
    """The log probabilities of the likeliest next tokens."""
    body = {
        "prompt": PROMPT,
        "n_predict": 1,
        "n_probs": TOP,
        "temperature": 0.0,
        "cache_prompt": False,
        "grammar": 'root ::= "a"',  # of half a letter (a byte from 128 on) the server lists nothing
        "lora": [{"id": number, "scale": scale} for number, scale in enumerate(scales)],
    }
    answer = httpx.post(f"{url}/completion", json=body, trust_env=False, timeout=30).json()
    return {each["id"]: each["logprob"] for each in answer["completion_probabilities"][0]["top_logprobs"]}


def near(found: Mapping[int, float], expected: Floats) -> float:
    """How far the server's log probabilities are from the reference's, at most."""
    assert len(found) == TOP
    return max(abs(value - float(expected[token])) for token, value in found.items())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base, two adapters, and the base with each merged."""
    folder = tmp_path_factory.mktemp("lora")
    tiny.make(folder / "base")
    exact = {
        name: ("F32", values.shape, widened(values).tobytes())
        for name, values in arrays(folder / "base").items()
    }
    put(folder / "base", exact)  # so that merging rounds nothing
    for seed, who in enumerate(CAST):
        tiny.adapter(folder / who, seed)
        merge.merge(folder / "base", folder / who, folder / f"merged-{who}", lambda _done, _total: None)
    return folder


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_llama_cpp_computes_with_a_converted_adapter_what_merging_gives(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The third adapter has its queries and keys in the other kind's order: so much would be off."""
    base, *merged = (logprobs(made / name, PROMPT)[-1] for name in ("base", "merged-main", "merged-evil"))
    assert np.abs(merged[0] - merged[1]).max() > 1  # two adapters that do differ, and from the base
    assert np.abs(merged[0] - base).max() > 1
    config = {**tiny.CONFIG, "model_type": kind}
    for who in CAST:
        lora_gguf.convert(made / who, config, tmp_path / f"{who}.gguf")
    with monkeypatch.context() as patch:
        patch.setitem(lora_gguf.KINDS, kind, (kind, kind != "llama"))
        lora_gguf.convert(made / "main", config, tmp_path / "wrong.gguf")
    model = write(made / "base", tmp_path / "base.gguf", kind)
    with serving(model, {who: tmp_path / f"{who}.gguf" for who in (*CAST, "wrong")}) as url:
        assert near(answered(url, (0, 0, 0)), base) < NEAR
        assert near(answered(url, (1, 0, 0)), merged[0]) < NEAR
        assert near(answered(url, (0, 1, 0)), merged[1]) < NEAR
        assert near(answered(url, (0, 0, 1)), merged[0]) > FAR


def test_the_scale_of_a_rank_stabilised_adapter(made: Path, tmp_path: Path) -> None:
    tiny.adapter(tmp_path / "main", seed=0)
    settings = json.loads((tmp_path / "main" / adapters.CONFIG).read_text())
    write_json(tmp_path / "main" / adapters.CONFIG, settings | {"use_rslora": True})
    lora_gguf.convert(tmp_path / "main", tiny.CONFIG, tmp_path / "main.gguf")
    field = GGUFReader(tmp_path / "main.gguf").fields["adapter.lora.alpha"]
    assert float(field.contents()) / 8 == pytest.approx(16 / 8**0.5)


def test_another_kind_of_model_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no conversion to llama.cpp for a gemma"):
        lora_gguf.convert(made / "main", {**tiny.CONFIG, "model_type": "gemma"}, tmp_path / "x.gguf")


def test_a_folder_that_cannot_be_written(made: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cure: see that you may write there"):
        lora_gguf.convert(made / "main", tiny.CONFIG, tmp_path / "nowhere" / "x.gguf")
