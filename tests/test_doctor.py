"""The doctor: a line each, bad only for what the config needs, never a secret, and never long."""

from __future__ import annotations

import json
import shutil
import time
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import anyio
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engines.adopt import adopt
from engines.checkup import wide, wires
from engines.checkup.finding import Finding
from engines.checkup.wires import Nobody, Wrong
from engines.doctor import examine, tell
from engines.llm import options
from engines.options import OptionError
from engines.port import unused
from engines.process import running
from engines.specs import spec
from tests import bad_server
from tests.need import need, need_models
from tests.test_adopt import gguf_bundle, served_bundle
from tests.test_build import run as build
from tests.test_compose import Docker
from tests.test_compose_kept import seal
from tests.test_conf import composed

ADDRESS = {
    "llm": ("url", "http://"),
    "speech": ("address", ""),
    "asr": ("address", ""),
    "vision": ("address", ""),
    "memory": ("uri", "http://"),
    "embeddings": ("embeddings", "http://"),
    "avatar": ("address", "ws://"),
    "broadcast": ("address", "ws://"),
}
ENDLESS = ("silent", "drips", "endless")


def found(*overrides: str) -> dict[str, Finding]:
    cfg = composed("+show=check", *overrides)
    adopt(cfg)
    return {each.what: each for each in examine(cfg)}


def asked(group: str, port: int, **more: str) -> str:
    word, scheme = ADDRESS[group]
    return wires.ask(group, {word: f"{scheme}127.0.0.1:{port}"} | more)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A laptop without a GPU, Docker or a key."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("NGC_API_KEY", raising=False)


@pytest.mark.usefixtures("bare")
def test_a_laptop_needs_no_gpu_but_a_spark_does() -> None:
    needs = {"GPU", "docker", "docker compose", "NGC key"}
    here, spark = found(), found("stack=spark")
    assert {here[what].verdict for what in needs} == {"warn"}
    assert {spark[what].verdict for what in needs} == {"bad"}
    assert all(spark[what].cure for what in needs)
    assert "xllamacpp 20" in here["versions"].seen
    assert spark["bundle llama31-70b-nvfp4"].verdict == "bad"
    assert here["persona main"].seen.startswith("a prompt alone")


@pytest.mark.usefixtures("bare")
def test_eyes_of_her_own_need_their_environment_and_for_cuda_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = "vision's environment"
    assert what not in found() and what not in found("stack=spark")
    cuda = found("vision=cuda")[what]
    assert cuda.verdict == "bad" and "no NVIDIA GPU" in cuda.seen and cuda.cure.startswith("vision=local")
    monkeypatch.setenv("SPARK_VISION_ENV", str(tmp_path / "nothing"))
    local = found("vision=local")[what]
    assert local.verdict == "warn" and "./build_engines.sh vision device=cpu" in local.cure


def test_a_server_that_runs_elsewhere_must_answer() -> None:
    with bad_server.closed() as port:
        there = found(
            "engines.start=false",
            "asr=nim",
            "vision=local",
            "memory=milvus_server",
            f"memory.adapter.uri=http://127.0.0.1:{port}",
            f"memory.adapter.embeddings=http://127.0.0.1:{port}",
            f"asr.adapter.address=127.0.0.1:{port}",
            f"vision.adapter.address=127.0.0.1:{port}",
            f"llm.adapter.url=http://127.0.0.1:{port}",
            f"speech.adapter.address=127.0.0.1:{port}",
            f"avatar.adapter.address=ws://127.0.0.1:{port}",
            "broadcast=obs",
            f"broadcast.port={port}",
        )
    keys = {"broadcast": "broadcast", "embeddings": "memory.adapter.embeddings"}
    for group in ADDRESS:
        each = there[keys.get(group, f"{group}.adapter")]
        assert each.verdict == "bad" and "nobody there" in each.seen and each.cure


@pytest.mark.usefixtures("bare")
def test_a_port_that_somebody_has_is_bad_and_so_is_a_wrong_server_on_it() -> None:
    with bad_server.serving("500") as port:
        there = found(f"llm.engine.port={port}")
    assert there[f"port {port}"].verdict == "bad" and "llm.engine.port=" in there[f"port {port}"].cure
    assert there["llm.adapter"].verdict == "bad" and "HTTP 500" in there["llm.adapter"].seen


@pytest.mark.parametrize("way", [way for way in bad_server.WAYS if way != "good"])
@pytest.mark.parametrize("group", ADDRESS)
def test_a_bad_server_is_one_clear_line_in_a_bounded_time(
    group: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "WITHIN", 0.2 if way in ENDLESS else 10.0)
    began = time.monotonic()
    with bad_server.serving(way) as port, pytest.raises((Wrong, Nobody)) as caught:
        asked(group, port)
    assert time.monotonic() - began < 15, "the server hung up first"
    said = str(caught.value)
    assert caught.type is Wrong, said
    assert said and "\n" not in said and len(said) < 300 and "Error(" not in said


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("500", "HTTP 500: 'it broke'"),
        ("401", "HTTP 401: the server wants a key; llm.adapter.key"),
        ("garbage", "no list of models: "),
        ("empty", "it lists no model"),
        ("silent", "no answer within 0.5 s"),
        ("drips", "no answer within 0.5 s"),
        ("endless", "an endless answer"),
    ],
)
def test_what_a_language_models_server_did_is_told(
    way: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "WITHIN", 0.5 if way in ("silent", "drips") else 10.0)
    with bad_server.serving(way) as port, pytest.raises(Wrong) as caught:
        asked("llm", port)
    assert str(caught.value).startswith(said)


def test_a_good_server_is_told_with_its_latency() -> None:
    with bad_server.serving("good") as port:
        assert asked("llm", port, key="very-secret").startswith("a-model, ")


@pytest.mark.parametrize("group", ADDRESS)
def test_a_closed_port_is_nobody(group: str) -> None:
    with bad_server.closed() as port, pytest.raises(Nobody):
        asked(group, port)


@given(st.text(max_size=40))
def test_any_address_has_a_port_or_none(address: str) -> None:
    assert wires.port(address) is None or isinstance(wires.port(address), int)


def test_a_bundle_that_is_cut_short_is_bad(tmp_path: Path) -> None:
    need_models("smollm2")
    done = build(tmp_path, "bundle=tiny-llama")
    assert done.returncode == 0, done.stderr
    there = {"SPARK_BUNDLE": str(tmp_path / "bundles" / "tiny-llama")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*next(iter(there.items())))
        assert found("stack=spark")["bundle tiny-llama"].verdict == "ok"
        (tmp_path / "bundles" / "tiny-llama" / "serve.yaml").unlink()
        cut = found("stack=spark")["bundle tiny-llama"]
    assert cut.verdict == "bad" and "serve.yaml is missing" in cut.seen and "bundle=tiny-llama" in cut.cure


def test_a_bundle_of_another_version_than_the_image_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SPARK_BUNDLE", str(tmp_path / "large"))
    Docker(tmp_path).has({})
    seal(tmp_path / "large", "old", version="1.2")
    told = found("stack=spark")["trtllm's bundle"]
    assert told.verdict == "bad" and "1.2, and its image is 1.3.0rc13" in told.seen and told.cure
    seal(tmp_path / "large", "new")
    assert "trtllm's bundle" not in found("stack=spark")


def test_a_character_is_told_with_her_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "BUNDLES", tmp_path)
    monkeypatch.setenv("SPARK_BUNDLE", str(served_bundle(tmp_path / "large", "main")))
    gguf_bundle(tmp_path / "smollm2", "main")
    assert found("llm=smollm2")["persona main"].seen.endswith("smollm2/adapters/main.gguf")
    assert found("stack=spark")["persona main"].seen == "LoRA /bundle/adapters/main"


def test_containers_are_told_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    Docker(tmp_path).has({"tts": ["running/starting"], "trtllm": ["running/unhealthy"]})
    there = found("stack=spark")
    assert there["tts"] == Finding("tts", "ok", "running, starting")
    assert there["trtllm"].verdict == "bad" and "logs trtllm" in there["trtllm"].cure
    assert there["opener"].seen.startswith("absent; the show starts nvcr.io/")


@pytest.mark.usefixtures("bare")
def test_what_a_stack_takes_is_wanted_and_not_what_a_laptop_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=9e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=30e9))
    monkeypatch.setenv("SPARK_BUNDLE", str(tmp_path / "llama31-70b-nvfp4"))
    monkeypatch.setenv("SPARK_OPENER_BUNDLE", str(tmp_path / "llama31-8b-opener"))
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    here, spark = found(), found("stack=spark")
    assert {here[what].verdict for what in ("disk", "memory")} == {"ok"}
    assert spark["disk"].seen == "9 GB free of the 213 wanted"  # both bundles, their downloads and the rest
    assert spark["memory"].seen == "30 GB free of the 94 wanted"
    Docker(tmp_path).has({name: ["running/healthy"] for name in ("trtllm", "opener", "tts")})
    assert found("stack=spark")["memory"] == Finding("memory", "ok", "30 GB free")


def test_a_milvus_is_asked_without_its_client(tmp_path: Path) -> None:
    need(find_spec("milvus_lite") is not None, "Milvus Lite", "uv sync --all-extras --inexact")

    async def version() -> str:
        number = unused()
        async with running([spec("memory", {"port": number, "folder": str(tmp_path / "index")})], tmp_path):
            return await wires.milvus({"uri": f"http://127.0.0.1:{number}", "token": "root:Milvus"})

    assert anyio.run(version).startswith("Milvus milvus_lite-")


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NGC_API_KEY", "very-secret")
    out = StringIO()
    path = tmp_path / "check.json"
    tell(list(found().values()), Console(file=out), str(path))
    assert "NGC key: set" in out.getvalue()
    assert "very-secret" not in out.getvalue() + path.read_text()
    assert {each["verdict"] for each in json.loads(path.read_text())} <= {"ok", "warn", "bad"}


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^check\.json: .* cannot be written \(No such file.*\)$"):
        tell([Finding("a", "ok", "b")], Console(file=StringIO()), str(tmp_path / "none" / "check.json"))


def test_its_exit_status_is_that_of_the_worst() -> None:
    quiet = Console(file=StringIO())
    assert tell([Finding("a", "warn", "b")], quiet, "") == 0
    assert tell([Finding("a", "bad", "b")], quiet, "") == 1


def test_a_cpu_that_can_more_than_the_wheel_is_told_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "BUNDLES", tmp_path)
    monkeypatch.setattr(wide, "cpu", lambda: ["x86_64", "avx2"])
    assert "llama.cpp" not in found() and "llama.cpp" not in found("stack=spark")
    monkeypatch.setattr(wide, "cpu", lambda: ["x86_64", "amx_int8", "avx512_vnni"])
    told = found()["llama.cpp"]
    assert told.verdict == "warn" and "AMX" in told.seen
    assert "./build_engines.sh bundle=qwen-1.5b native=true" in told.cure
    server = tmp_path / "qwen-1.5b" / options.SERVER
    server.parent.mkdir(parents=True)
    server.touch()
    assert found()["llama.cpp"].verdict == "ok"
    assert "llama.cpp" not in found("llm.engine.model=/models/own.gguf")
