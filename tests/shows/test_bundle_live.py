"""From the shell script to her voice: a bundle with an adapter is built, and a show speaks with it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from engines.bundle import adapters, tiny
from engines.bundle.dims import DIMS
from engines.bundle.safetensors_read import read_json
from engines.bundle.safetensors_write import write_json
from engines.llm_key import VARIABLE
from tests.need import need_models
from tests.shows.live import ROOT, SMALL, launched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_built_bundle_is_what_the_show_speaks_with(tmp_path: Path) -> None:
    need_models("smollm2", "piper-joe")
    tiny.adapter(tmp_path / "main", seed=1, config=DIMS["smollm2-135m"].config())
    settings = tmp_path / "main" / adapters.CONFIG
    write_json(settings, read_json(settings) | {"lora_alpha": 0.01})  # of noise: her words stay words
    built = subprocess.run(
        [
            ROOT / "build_engines.sh",
            "bundle=smollm2",
            f"adapters.main={tmp_path / 'main'}",
            f"root={tmp_path}",
        ],
        cwd=tmp_path,  # the script finds its own folder
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        | {"UV_PROJECT_ENVIRONMENT": sys.prefix, "SPARK_ENTERED": "1"},  # these tests' packages, as they are
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    told = next(line for line in built.stderr.splitlines() if line.startswith("python launch.py "))
    words = [word for word in shlex.split(told)[2:] if word not in SMALL]
    bundle = Path(next(word for word in words if word.startswith("llm.engine.bundle=")).partition("=")[2])
    with launched(tmp_path, *words) as live:
        live.until(live.url)
        live.type("mika: hello Spark, how are you?")
        live.until(lambda: "answered" in live.fates().values())
        key = psutil.Process(live.pids()["llm"]).environ()[VARIABLE]
        address = f"http://127.0.0.1:{live.ports['llm.engine.port']}"
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as engine:
            (adapter,) = engine.get("/lora-adapters").json()
            model = engine.get("/props").json()["model_path"]
    assert Path(model) == bundle / "model.gguf"
    assert Path(adapter["path"]) == bundle / "adapters" / "main.gguf"
