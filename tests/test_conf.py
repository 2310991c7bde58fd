"""Every option and every show composes; every mistake is refused with the choices."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from engines.specs import specs
from glue.app import check
from glue.checks import adapters
from glue.errors import ConfigError
from glue.settings import register

CONF = Path(__file__).parent.parent / "conf"
GROUPS = sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name not in ("show", "local", "bundle"))
OPTIONS = [(g, o.stem) for g in GROUPS for o in sorted((CONF / g).glob("*.yaml"))]
SHOWS = sorted(p.stem for p in (CONF / "show").glob("*.yaml"))
LISTS = ("speaker", "chat", "persona")  # groups of which several may be chosen
ASKED = {"twitch": ["chat.channel=spark"], "youtube": ["chat.video=dQw4w9WgXcQ"]}  # what nobody can guess


def composed(*overrides: str) -> DictConfig:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def test_the_default_runs_as_it_is() -> None:
    cfg = composed()
    check(cfg)
    assert [spec.name for spec in specs(cfg)] == ["llm", "speech", "avatar"]
    assert list(cfg.cast) == ["main"]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes(group: str, option: str) -> None:
    words = ASKED.get(option, [])
    cfg = composed(f"{group}=[{option}]" if group in LISTS else f"{group}={option}", *words)
    check(cfg)
    assert specs(cfg)


@pytest.mark.parametrize("show", SHOWS)
def test_every_show_composes_and_leaves_engines_and_addresses_alone(show: str) -> None:
    cfg = composed(f"+show={show}")
    plain = composed(*(["games=neuro"] if cfg.games else []))  # games have a slot in the language model
    check(cfg)
    for group in ("llm", "speech", "avatar", "engines"):
        # as written: how many slots a model has follows from what is played
        assert OmegaConf.to_container(cfg[group]) == OmegaConf.to_container(plain[group])


def test_a_milvus_server_takes_the_place_of_ours_and_keeps_the_embeddings() -> None:
    cfg = composed("stack=spark", "memory=milvus_server", "engines.services=[trtllm,opener,tts,milvus]")
    check(cfg)
    assert "memory" not in [spec.name for spec in specs(cfg)]
    assert "embeddings" in [spec.name for spec in specs(cfg)]
    assert cfg.memory.adapter.uri == "http://127.0.0.1:19530" and cfg.memory.adapter.most == 2


def test_two_on_stage_are_a_second_entry() -> None:
    cfg = composed("persona=[main,evil]")
    check(cfg)
    assert list(cfg.cast) == ["main", "evil"]


def test_the_command_line_wins_over_a_show() -> None:
    assert composed("+show=rehearsal", "chat=[terminal]").chat.keys() == {"terminal"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("llm=nothing", "Available options"),
        ("+show=nothing", "Available options"),
        ("llmm.engine.port=1", "llmm"),
        ("director.patiense=3", "patiense"),
        ("director.patience=soon", "soon"),
        ("stage.rate=fast", "fast"),
        ("report=sometimes", "sometimes"),
    ],
)
def test_hydra_refuses(override: str, said: str) -> None:
    with pytest.raises(HydraException) as caught:
        composed(override)
    assert said in str(caught.value) + str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("+sho=tiny", "sho"),
        ("+llm.adaptr.url=x", "llm.adaptr"),
        ("+speech.adapter.timeot=3", "speech.adapter.timeot"),
        ("speech.adapter.rate=fast", "speech.adapter.rate"),
        ("speech.adapter._target_=os.system", "not an adapter of ours"),
        ("+cast.main.promt=x", "cast.main.promt"),
        ("stage.rate=-1", "stage.rate"),
        ("stage.delay=11", "stage.delay"),
        ("chat=twitch", "chat.channel=NAME"),
        ("chat=youtube", "chat.video=NAME"),
        ("+chat.chanel=spark", "chat.chanel"),
    ],
)
def test_app_refuses_what_hydra_lets_pass(override: str, said: str) -> None:
    with pytest.raises((ConfigError, HydraException)) as caught:
        check(composed(override))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("+llm.engine.thraeds=2", "thraeds"),
        ("llm.engine.threads=many", "threads"),
        ("llm.engine.port=0", "port"),
    ],
)
def test_engines_refuse_their_own(override: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        specs(composed(override))


def test_several_sources_in_one_inbox() -> None:
    cfg = composed("chat=[twitch,youtube,terminal]", *ASKED["twitch"], *ASKED["youtube"])
    check(cfg)
    found = [key for key in adapters(cfg) if key.startswith("chat.")]
    assert found == ["chat.twitch", "chat.youtube", "chat.terminal"]


def test_a_token_stays_out_of_what_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWITCH_TOKEN", "sesame123")
    cfg = composed("chat=twitch", *ASKED["twitch"])
    assert adapters(cfg)["chat.twitch"]["token"] == "sesame123"
    assert "sesame123" not in OmegaConf.to_yaml(cfg)


def plain_keys(section: Any, path: str = "") -> list[str]:
    if not isinstance(section, dict):
        return [path]
    return [key for word, value in section.items() for key in plain_keys(value, f"{path}.{word}")]


def test_no_secret_is_kept_in_the_config() -> None:
    for path in CONF.rglob("*.yaml"):
        for key in plain_keys(OmegaConf.to_container(OmegaConf.load(path), resolve=False)):
            word = key.rsplit(".", 1)[-1].lower()
            if any(mark in word for mark in ("api_key", "password", "secret")):
                value = OmegaConf.select(OmegaConf.load(path), key.lstrip("."), throw_on_missing=False)
                assert not value, f"{path}: {key}"
