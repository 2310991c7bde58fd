"""The command line of the build: words, plans, refusals, a tiny bundle through every step, bad days."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from rich.console import Console

from engines import build
from engines.bars import Bars
from engines.bundle import tiny, words
from engines.bundle.config import Config, Draft, Kind, Mode, Quantise
from engines.bundle.errors import BundleError
from engines.bundle.hashes import Hashes
from engines.bundle.plan import fitting, plan, total
from engines.bundle.steps import Step, perform

ROOT = Path(__file__).parent.parent
CONF = ROOT / "conf" / "bundle"
BUNDLES = sorted(path.stem for path in CONF.glob("*.yaml"))
LIMIT = 300_000  # bytes of a file: less than the tiny model's weights
Make = Callable[..., tuple[int, str]]
read = cache(words.read)


def run(folder: Path, *said: str, small_disk: bool = False) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        if small_disk:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    return subprocess.run(
        [sys.executable, "-m", "engines.build", *said, f"root={folder / 'bundles'}"],
        cwd=ROOT,
        env=os.environ | {"SPARK_MODELS": str(folder / "models"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Make]:
    """The command line in this process, so that none is started: its exit status and its stderr."""
    monkeypatch.setenv("SPARK_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    handler = signal.getsignal(signal.SIGTERM)

    def main(*said: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["engines.build", *said, f"root={tmp_path / 'bundles'}"])
        try:
            build.main()
        except SystemExit as ended:
            told = ended.code if isinstance(ended.code, str) else ""  # which the interpreter would print
            return 1 if told else int(ended.code or 0), capsys.readouterr().err + f"{told}\n" * bool(told)
        return 0, capsys.readouterr().err

    yield main
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize("name", BUNDLES)
def test_every_bundle_is_planned_and_every_key_is_commented_once(name: str) -> None:
    config = words.read(name)
    made = plan(config)
    assert config.name == name
    assert made.memory <= config.limit * 1e9
    assert total(made.disk) >= total(made.download)
    keys = OmegaConf.load(CONF / f"{name}.yaml").keys()
    assert set(keys) == set(Config.__dataclass_fields__) - {"step", "root"}


@pytest.mark.parametrize(
    ("name", "published"),
    [("llama31-70b-nvfp4", 42.7e9), ("llama33-70b-nvfp4", 42.7e9), ("llama31-8b-opener", 6.0e9)],
)
def test_weights_are_within_5_percent_of_the_published(name: str, published: float) -> None:
    weights = next(item.size for item in plan(words.read(name)).serving if item.what == "weights")
    assert weights == pytest.approx(published, rel=0.05)


def test_the_download_and_the_adapters_are_as_published() -> None:
    made = plan(words.read("llama31-70b-nvfp4"))
    assert total(made.download) == pytest.approx(141e9, rel=0.05)
    assert next(i.size for i in made.serving if i.what.startswith("adapters")) == pytest.approx(
        2 * 0.83e9, rel=0.05
    )
    assert 95e9 < made.memory < 120e9
    assert made.building <= 8e9


def every_way(config: Config) -> Iterator[Config]:
    """Whatever the command line could make of a bundle that takes less, and every bundle as it is."""
    yield from map(read, BUNDLES)
    modes = Mode if config.kind is Kind.trtllm else [Mode.lora, Mode.prompt]
    for mode, quantise, native, kv, drafting, opener in itertools.product(
        modes, Quantise, {config.native, False}, {config.serve.kv_tokens, 16384}, (True, False), (True, False)
    ):
        if quantise in (config.quantise, Quantise.stream if config.quantise is Quantise.modelopt else None):
            yield replace(
                config,
                adapters=replace(config.adapters, mode=mode),
                quantise=quantise,
                native=native,
                serve=replace(config.serve, kv_tokens=min(kv, config.serve.kv_tokens)),
                draft=config.draft if drafting else Draft(),
                opener=config.opener if opener else "never",
            )


def said(*words_: str) -> Config:
    """The config that a command line gives."""
    overrides = words.overrides(words_)
    bundle = next(word.removeprefix("bundle=") for word in reversed(overrides) if word.startswith("bundle="))
    cfg = OmegaConf.load(CONF / f"{bundle}.yaml")
    changes = [word for word in overrides if not word.startswith("bundle=")]
    return words.typed(OmegaConf.merge(cfg, OmegaConf.from_dotlist(changes)))  # type: ignore[arg-type]


STARTS = [(name, ()) for name in BUNDLES] + [
    (name, (more,))
    for name in BUNDLES
    if read(name).kind is Kind.trtllm
    for more in ("quantise=modelopt", "adapters=merged")
]


@pytest.mark.parametrize(("name", "more"), STARTS)
def test_the_override_that_is_named_fits(name: str, more: tuple[str, ...]) -> None:
    wants: dict[str, float] = {}

    def fits(limit: float, other: Config) -> bool:
        if (key := repr(other)) not in wants:
            made = plan(other)
            wants[key] = max(made.memory, made.building)
        return wants[key] <= limit * 1e9

    config = said(f"bundle={name}", *more)
    ways = list(every_way(config))
    for limit in (120, 110, 100, 95, 60, 20, 3, 1, 0.5):
        if way := fitting(config, partial(fits, limit)):
            kept = more if "bundle=" not in way else ()  # another bundle is named alone
            assert fits(limit, said(f"bundle={name}", *kept, *way.split())), (limit, way)
        else:
            assert not any(fits(limit, other) for other in ways), limit


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["bundle=llama-70b"], "no bundle 'llama-70b'; the bundles are: llama31-70b-nvfp4, "),
        (["bild"], "'bild' is not known; say plan, build, verify"),
        (["serve.prot=1"], "no key 'serve.prot'; the keys are: version, port, kv_tokens"),
        (["+nativ=true"], "no option 'nativ'; the options are: name, what"),
        (["adapters=maybe"], "adapters is one of lora, merged, prompt"),
        (["quantise=later"], "quantise"),
        (["bundle=tiny-llama", "serve.version=9"], "serve.version: '9' is none of 1.2, 1.3, 1.4"),
        (["bundle=tiny-llama", "native=true"], "only llama.cpp is compiled"),
        (["bundle=tiny-llama", "draft.kind=eagle3"], "draft.source"),
    ],
)
def test_a_wrong_word_does_nothing(tmp_path: Path, make: Make, said: list[str], told: str) -> None:
    status, line = make("plan", *said)
    assert status == 2 and told in line and line.count("\n") == 1
    assert not list(tmp_path.iterdir())


@given(st.lists(st.text(max_size=8), max_size=4))
def test_any_words_are_translated_or_refused(said: list[str]) -> None:
    try:
        found = words.overrides(said)
    except words.WordError as error:
        assert "\n" not in str(error) or any("\n" in word for word in said)
    else:
        assert any(word.startswith("bundle=") for word in found)


def test_too_much_memory_is_refused_with_the_cure(tmp_path: Path, make: Make) -> None:
    status, told = make("plan", "bundle=llama31-70b-nvfp4", "adapters=merged")
    assert status == 1 and told.endswith("over 120 GB; cure: adapters=lora\n")
    assert not list(tmp_path.iterdir())


def test_too_much_memory_while_it_is_built_is_refused_with_the_cure(tmp_path: Path, make: Make) -> None:
    status, told = make("plan", "bundle=llama31-70b-nvfp4", "quantise=modelopt")
    assert status == 1 and told.endswith("while it is built, over 120 GB; cure: quantise=stream\n")


def test_the_help_names_every_bundle(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert all(name in done.stdout for name in BUNDLES)


def test_a_tiny_bundle_with_two_adapters(tmp_path: Path, make: Make) -> None:
    for seed, who in enumerate(("main", "evil")):
        tiny.adapter(tmp_path / who, seed=seed)
    said = ["bundle=tiny-llama", f"adapters.main={tmp_path / 'main'}", f"adapters.evil={tmp_path / 'evil'}"]
    first = run(tmp_path, *said)
    assert first.returncode == 0, first.stderr
    where = tmp_path / "bundles" / "tiny-llama"
    assert "lora_dir" in (where / "serve.yaml").read_text()
    assert "attn_dense" in (where / "serve.yaml").read_text()
    files = json.loads((where / "manifest.json").read_text())["files"]
    assert {"adapters/main/adapter_model.safetensors", "checkpoint/config.json", "serve.json"} <= set(files)
    assert "nothing to do" in make(*said)[1]
    assert make("verify", "bundle=tiny-llama")[0] == 0
    _, again = make(*said, "serve.port=8400")  # only what depends on it is done again
    assert "quantise: as in the bundle that is there" in again
    assert "8400" in (where / "serve.json").read_text()
    status, told = make(*said, "adapters=merged")
    assert status == 0, told
    assert sorted(each.name for each in where.glob("checkpoint*")) == ["checkpoint-evil", "checkpoint-main"]
    assert "lora_dir" not in (where / "serve.yaml").read_text()
    assert make("verify", "bundle=tiny-llama")[0] == 0


def test_a_bundle_that_was_changed_by_hand_is_found(tmp_path: Path, make: Make) -> None:
    status, told = make("bundle=tiny-llama")
    assert status == 0 and "PROMPT-ONLY" in told
    where = tmp_path / "bundles" / "tiny-llama"
    good = (where / "manifest.json").read_text()
    (where / "manifest.json").write_text(good.replace('"size": ', '"size": 1', 1))
    status, told = make("verify", "bundle=tiny-llama")
    assert status == 1 and "was edited by hand; cure: ./build_engines.sh bundle=tiny-llama" in told
    (where / "manifest.json").write_text(good)
    weights = where / "checkpoint" / "model.safetensors"
    content, facts = weights.read_bytes(), weights.stat()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(weights, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    (where / "more").touch()
    _, told = make("verify", "bundle=tiny-llama")
    assert "its sha256 is wrong; cure: " in told and "more: is no part of the bundle" in told

    status, told = make("bundle=tiny-llama")
    assert status == 0, told
    assert weights.read_bytes() == content
    assert make("verify", "bundle=tiny-llama")[0] == 0


@pytest.mark.parametrize("fetched", [False, True], ids=["while fetching", "while quantising"])
def test_a_full_disk_is_one_line_and_what_is_done_is_kept(tmp_path: Path, make: Make, fetched: bool) -> None:
    if fetched:
        make("bundle=tiny-llama", "serve.version=1.2")
        for path in (tmp_path / "bundles" / "tiny-llama").rglob("*"):
            path.unlink(missing_ok=True) if path.is_file() else None
    full = run(tmp_path, "bundle=tiny-llama", small_disk=True)
    assert full.returncode == 1
    assert "no room" in full.stderr and "cure: free some" in full.stderr and "Traceback" not in full.stderr
    assert not (tmp_path / "bundles" / "tiny-llama" / "manifest.json").exists()
    status, told = make("bundle=tiny-llama")
    assert status == 0, told
    assert make("verify", "bundle=tiny-llama")[0] == 0


def test_of_two_builds_one_waits(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    with FileLock(tmp_path / "bundles" / ".lock-tiny-llama"):
        said = [sys.executable, "-m", "engines.build", "bundle=tiny-llama", f"root={tmp_path / 'bundles'}"]
        environment = os.environ | {"SPARK_MODELS": str(tmp_path / "models")}
        second = subprocess.Popen(said, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        assert second.stderr
        assert any("another copy is building tiny-llama" in line for line in second.stderr)
    with second:
        assert second.wait(60) == 0


@pytest.mark.timeout(320)
@pytest.mark.parametrize(
    "what",
    [[], ["merged"], ["llamacpp"], ["full"], ["llamacpp", "full"]],
    ids=["plain", "merged, with a draft", "llama.cpp, with adapters", "a full disk", "llama.cpp's"],
)
def test_a_kill_at_any_change_of_the_disk_does_no_harm(tmp_path: Path, what: list[str]) -> None:
    words_ = [sys.executable, "-m", "tests.toy_build", str(tmp_path), *what]
    done = subprocess.run(words_, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20


def test_what_is_wrong_with_a_later_step_is_told_before_the_first_begins(tmp_path: Path) -> None:
    """A slip in adapters.main=FOLDER was told when all of a 70B had been fetched."""
    begun: list[str] = []

    def fetch(work: Path, bars: Bars) -> dict[str, object]:
        begun.append("fetch")
        return {}

    def wrong() -> dict[str, object]:
        raise BundleError("adapters.main: there is no folder /typo")

    todo = [Step("fetch", dict, ("model",), fetch), Step("adapters", wrong, ("adapters",), fetch)]
    with pytest.raises(BundleError, match="/typo"):
        perform(todo, tmp_path, tmp_path / "old", Hashes(), Bars(Console(quiet=True)))
    assert not begun
