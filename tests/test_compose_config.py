"""compose.yaml as Docker Compose itself reads it, with what the launcher gives it; no daemon is asked."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with omegaconf

from engines.services import FILE, limited
from tests.need import need_compose
from tests.test_compose import LIMIT_GB, REST_GB, planned, services

ROOT = Path(__file__).parent.parent
KEY = "nvapi-not-a-real-key"
TOLD = '{"words": ["a \\"b\\"", "c$d ${HOME}"]}'  # what a shell, YAML or Compose might change
LAUNCHER = {
    "NGC_API_KEY": KEY,
    "SPARK_BUNDLE": "/bundles/large",
    "SPARK_BUNDLE_SEAL": "0123456789abcdef-main",
    "SPARK_BUNDLE_MEMORY": "41g",
    "SPARK_VISION": TOLD,
    "SPARK_VISION_SEAL": "fedcba9876543210",
    "SPARK_MODELS": "/models of mine",
}
UNITS = {"": 1, "m": 2**20, "g": 2**30}


def config(text: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Compose's own reading of a compose.yaml that says `text`."""
    way = need_compose()
    if way == ["docker-compose"] and "version 1." in _version(way):
        text = re.sub(r"^name: .*$", "", text, flags=re.MULTILINE)  # all that 1.29 does not know
    path = folder / "compose.yaml"
    path.write_text(text)
    argv = [*way, "-f", str(path), "--project-directory", str(FILE.parent), "config"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | more
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _version(way: list[str]) -> str:
    return subprocess.run([*way, "version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(name="resolved", scope="module")
def as_compose_reads_it(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    done = config(FILE.read_text(), tmp_path_factory.mktemp("compose"), **LAUNCHER)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = yaml.safe_load(done.stdout)["services"]
    return found


def hosts(service: dict[str, Any]) -> list[str]:
    """Where its ports are published: 1.29 prints text, 2 a mapping."""
    return [each["host_ip"] if isinstance(each, dict) else each.split(":")[0] for each in service["ports"]]


def size(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([gm]?)b?", str(text)).groups()  # type: ignore[union-attr]  # or it fails
    return int(number) * UNITS[unit]


def test_it_is_valid_without_a_single_variable(tmp_path: Path) -> None:
    done = config(FILE.read_text(), tmp_path)
    assert done.returncode == 0, done.stderr
    told = yaml.safe_load(done.stdout)["services"]
    assert set(told) == {"trtllm", "opener", "asr", "tts", "vision", "milvus"}


def test_all_of_it_is_on_loopback_pinned_limited_and_watched(resolved: dict[str, dict[str, Any]]) -> None:
    for name, service in resolved.items():
        assert set(hosts(service)) == {"127.0.0.1"}, name
        assert re.search(r":v?\d+\.\d+\.\d+\w*$", service["image"]), name
        assert service["healthcheck"]["test"][0] == "CMD" and service["healthcheck"]["start_period"], name
    limits = {name: size(each["mem_limit"]) for name, each in resolved.items()}
    assert limits["trtllm"] == 41 * 2**30, "as its bundle wants it"
    limits["trtllm"] = size(limited(planned("trtllm")))
    assert sum(map(planned, limits)) <= sum(limits.values()) <= (LIMIT_GB - REST_GB) * 1e9


def test_the_gpu_is_given_to_all_that_compute_on_it(resolved: dict[str, dict[str, Any]]) -> None:
    for name, service in resolved.items():
        devices = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices")
        wanted = None if name == "milvus" else [{"capabilities": ["gpu"], "count": 1, "driver": "nvidia"}]
        assert devices == wanted, name


def test_the_key_reaches_the_speech_nims_and_nobody_else(resolved: dict[str, dict[str, Any]]) -> None:
    assert {name for name, each in resolved.items() if KEY in str(each)} == {"asr", "tts"}
    assert not re.search(r"nvapi-|hf_[A-Za-z0-9]{20}", FILE.read_text())


def test_what_the_launcher_says_arrives_as_it_is(resolved: dict[str, dict[str, Any]]) -> None:
    told = resolved["vision"]["command"][-1].replace("$$", "$")  # both escape what they would interpolate
    assert told == TOLD
    assert resolved["vision"]["labels"]["spark.bundle"] == LAUNCHER["SPARK_VISION_SEAL"]
    assert "/models of mine" in str(resolved["vision"]["volumes"])
    assert resolved["trtllm"]["labels"]["spark.bundle"] == LAUNCHER["SPARK_BUNDLE_SEAL"]
    assert "/bundles/large" in str(resolved["trtllm"]["volumes"])
    ours = re.findall(rf"{re.escape(str(FILE.parent))}/[\w./-]+", str(resolved))
    assert {Path(path).name for path in ours} == {"vision", "etcd.yaml", "llama31-8b-opener"}
    assert all(Path(path).exists() for path in ours if "bundles" not in path)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mem_limit: 2g", "memory_limit: 2g"),
        ("127.0.0.1:19530:19530", "127.0.0.1:milvus:19530"),
        ("volumes: {autotuner: {}, asr-cache: {},", "volumes: {autotuner: {},"),
        ("${SPARK_MODELS:-", "${SPARK MODELS:-"),
    ],
)
def test_a_broken_copy_is_refused(tmp_path: Path, right: str, wrong: str) -> None:
    text = FILE.read_text()
    assert right in text
    done = config(text.replace(right, wrong, 1), tmp_path, **LAUNCHER)
    assert done.returncode != 0 and done.stderr.strip()


def start_period(name: str) -> float:
    """Seconds."""
    said = services()[name]["healthcheck"]["start_period"]
    return float(said[:-1]) * {"m": 60, "s": 1}[said[-1]]


def test_speech_nims_have_the_fifty_minutes_of_a_first_start_and_the_key_from_the_environment() -> None:
    for name in ("asr", "tts"):
        service = services()[name]
        assert start_period(name) >= 55 * 60
        assert service["environment"]["NGC_API_KEY"] is None
    assert not re.search(r"nvapi-|hf_[A-Za-z0-9]{20}", FILE.read_text())


def test_a_show_waits_as_long_as_a_service_may_start() -> None:
    """What it gave up before that, Docker would still be starting."""
    spark = yaml.safe_load((ROOT / "conf" / "stack" / "spark.yaml").read_text())
    assert spark["engines"]["ready_within"] >= max(map(start_period, services()))
