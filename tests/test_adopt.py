"""A built bundle's adapters reach the show without a path typed by hand; what is typed stays."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from engines.adopt import adopt
from engines.bundle import show, words
from engines.bundle.config import Adapters, Mode
from engines.llm import options
from engines.options import OptionError
from glue.app import check
from tests.test_conf import composed

HERE = {"main": "/bundle/adapters/main", "evil": "/bundle/adapters/evil"}


def gguf_bundle(folder: Path, *cast: str) -> Path:
    (folder / "adapters").mkdir(parents=True)
    (folder / "model.gguf").write_bytes(b"GGUF")
    for who in cast:
        (folder / "adapters" / f"{who}.gguf").write_bytes(b"GGUF")
    return folder


def served_bundle(folder: Path, *cast: str, servers: tuple[str, ...] = ("main",)) -> Path:
    for who in cast:
        (folder / "adapters" / who).mkdir(parents=True)
        (folder / "adapters" / who / "adapter_config.json").write_text("{}")
    folder.mkdir(exist_ok=True)
    (folder / "serve.json").write_text(json.dumps({name: {} for name in servers}))
    return folder


def adapters(*overrides: str, key: str = "llm.adapter") -> object:
    cfg = composed(*overrides)
    check(cfg)
    adopt(cfg)
    check(cfg)
    return OmegaConf.to_container(OmegaConf.select(cfg, f"{key}.adapters"), resolve=True)


def test_a_bundle_of_the_models_name_is_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "BUNDLES", tmp_path)
    bundle = gguf_bundle(tmp_path / "smollm2", "evil", "main")
    found = adapters("llm=smollm2")
    assert found == {who: str(bundle / "adapters" / f"{who}.gguf") for who in ("evil", "main")}
    assert found == adapters("llm=smollm2", key="llm.engine")  # requests choose by the number in this order
    assert adapters("llm=smollm2", "llm.engine.bundle=none") == {}
    assert adapters("llm=qwen-1.5b") == {}


def test_a_bundle_elsewhere_is_adopted_and_a_file_of_ones_own_is_not(tmp_path: Path) -> None:
    bundle = gguf_bundle(tmp_path / "built", "main")
    named = f"llm.engine.bundle={bundle}"
    assert adapters("llm=smollm2", named) == {"main": str(bundle / "adapters" / "main.gguf")}
    assert adapters("llm=smollm2", named, f"llm.engine.model={tmp_path}/own.gguf") == {}


def test_what_is_typed_by_hand_stays(tmp_path: Path) -> None:
    bundle = gguf_bundle(tmp_path / "built", "main", "evil")
    typed = "+llm.engine.adapters.main=/own/main.gguf"
    assert adapters("llm=smollm2", f"llm.engine.bundle={bundle}", typed) == {"main": "/own/main.gguf"}
    assert adapters("stack=spark", "+llm.adapter.adapters.main=/theirs") == {"main": "/theirs"}


def test_the_servers_of_compose_are_asked_for_the_paths_that_they_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_BUNDLE", str(served_bundle(tmp_path / "large", "main", "evil")))
    monkeypatch.setenv("SPARK_OPENER_BUNDLE", str(served_bundle(tmp_path / "small", "evil")))
    assert adapters("stack=spark") == HERE
    assert adapters("stack=spark", "engines.start=false") == HERE
    assert adapters("stack=spark", key="llm.small") == {"evil": HERE["evil"]}
    assert adapters("stack=spark", "llm.adapter.url=http://10.0.0.7:8355") == {}  # another machine's
    assert adapters("llm=trtllm") == {}  # somebody's own server


def test_a_stack_without_a_bundle_is_left_to_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_BUNDLE", str(tmp_path / "nothing"))
    assert adapters("stack=spark") == {}


def test_nobody_speaks_with_anothers_merged_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = served_bundle(tmp_path / "merged", servers=("main", "evil"))
    (bundle / "checkpoint-main").mkdir()
    monkeypatch.setenv("SPARK_BUNDLE", str(bundle))
    assert adapters("stack=spark") == {}
    with pytest.raises(
        OptionError, match=r"speaks as main, not as evil; cure: persona=\[main\], or \./build"
    ):
        adapters("stack=spark", "persona=[main,evil]")


def test_of_two_merged_personas_one_is_served_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = served_bundle(tmp_path / "merged", servers=("main", "evil"))
    for who in ("main", "evil"):
        (bundle / f"checkpoint-{who}").mkdir()
    monkeypatch.setenv("SPARK_BUNDLE", str(bundle))
    cure = r"as main, not as evil; cure: .*SPARK_PERSONA=evil persona=\[evil\] \(one at a time\)"
    with pytest.raises(OptionError, match=cure):
        adapters("stack=spark", "persona=[evil]")
    monkeypatch.setenv("SPARK_PERSONA", "evil")
    assert adapters("stack=spark", "persona=[evil]") == {}
    with pytest.raises(OptionError, match="speaks as evil, not as main"):
        adapters("stack=spark")


def test_a_bundle_of_one_merged_persona_is_hers_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = served_bundle(tmp_path / "merged", servers=("evil",))
    (bundle / "checkpoint-evil").mkdir()
    monkeypatch.setenv("SPARK_BUNDLE", str(bundle))
    assert adapters("stack=spark", "persona=[evil]") == {}
    with pytest.raises(OptionError, match=r"speaks as evil, not as main; cure: persona=\[evil\]"):
        adapters("stack=spark")


@pytest.mark.parametrize(
    ("given", "said", "persona"),
    [
        (
            {"main": "/a", "evil": "/b"},
            "; one persona at a time: SPARK_PERSONA=evil and persona=[evil];",
            "main",
        ),
        ({"evil": "/b"}, " 'persona=[evil]';", "evil"),
    ],
)
def test_merged_personas_are_put_to_use_one_at_a_time(given: dict[str, str], said: str, persona: str) -> None:
    config = words.read("llama31-70b-nvfp4")
    merged = Adapters(Mode.merged, given.get("main", ""), given.get("evil", ""))
    line = show.use(replace(config, adapters=merged))
    assert said in line
    found = line.split(";")[0].replace("'", "").split("launch.py ")[1].split()
    assert list(composed(*found).cast) == [persona]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("smollm2", "python launch.py llm=smollm2"),
        ("llama31-70b-nvfp4", "python launch.py stack=spark; its opener: ./build_engines.sh bundle="),
        ("llama31-8b-opener", "python launch.py stack=spark"),
        ("qwen25-32b-dual", "SPARK_BUNDLE="),
    ],
)
def test_how_a_bundle_is_used_composes(name: str, said: str) -> None:
    line = show.use(words.read(name))
    assert line.startswith(said)
    if name == "qwen25-32b-dual":
        found = line.replace("'", "").split("launch.py ")[1].split()
        check(composed(*found))
        assert "llm.adapter.template=chatml" in found
