"""Every option and every show composes; every mistake is refused with the choices."""

import re
from copy import deepcopy
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with omegaconf
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from engines.dress import dress
from engines.options import OptionError
from engines.specs import specs
from glue.app import check, precheck
from glue.broadcast_events import Phase
from glue.checks import adapters, explain, personas, safety, songs, typed
from glue.course import Course, greets
from glue.director import Director
from glue.errors import ConfigError
from glue.mind.persona import Length, Persona
from glue.parts import gate_of, repertoire
from glue.ranges import OF_A_PERSONA, RANGES
from glue.safety.screen import Screen
from glue.set_up import stage
from glue.settings import register
from tests.tunes import tone, write

CONF = Path(__file__).parent.parent / "conf"
GROUPS = sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name not in ("show", "local", "bundle"))
OPTIONS = [(g, o.stem) for g in GROUPS for o in sorted((CONF / g).glob("*.yaml"))]
SHOWS = sorted(p.stem for p in (CONF / "show").glob("*.yaml"))
LISTS = ("speaker", "chat", "persona")  # groups of which several may be chosen
ASKED = {"youtube": ["chat.video=dQw4w9WgXcQ"]}  # what nobody can guess
ASKED |= {name: ["chat.channel=spark"] for name in ("twitch", "evening")}


def composed(*overrides: str) -> DictConfig:
    return deepcopy(_composed(*overrides))


@cache
def _composed(*overrides: str) -> DictConfig:
    """What nobody changes; what it takes from the environment is looked up when it is read."""
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(overrides))


def test_pyyamls_own_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A show has that one; the tests have libyaml's, which is quicker."""

    def read() -> list[object]:
        return [OmegaConf.to_container(OmegaConf.load(path)) for path in paths]

    paths = sorted(CONF.rglob("*.yaml"))
    quickly = read()
    monkeypatch.setattr(yaml, "SafeLoader", yaml.loader.SafeLoader)
    assert paths and read() == quickly


def test_the_default_runs_as_it_is() -> None:
    cfg = composed()
    check(cfg)
    assert [spec.name for spec in specs(cfg)] == ["llm", "speech", "avatar"]
    assert list(cfg.cast) == ["main"]


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes(group: str, option: str) -> None:
    words = ASKED.get(option, [])
    words = ["speaker=[wav]"] if (group, option) == ("console", "none") else words
    cfg = composed(f"{group}=[{option}]" if group in LISTS else f"{group}={option}", *words)
    check(cfg)
    assert specs(cfg)


@pytest.mark.parametrize("show", SHOWS)
def test_every_show_composes_and_leaves_engines_and_addresses_alone(show: str) -> None:
    cfg = composed(f"+show={show}", *ASKED.get(show, []))
    plain = composed(*(["games=neuro"] if cfg.games else []))  # games have a slot in the language model
    check(cfg)
    for group in ("llm", "speech", "avatar", "engines"):
        # as written: how many slots a model has follows from what is played
        assert OmegaConf.to_container(cfg[group]) == OmegaConf.to_container(plain[group])


@pytest.mark.parametrize(("words", "asked"), [([], ""), (["console.asked=true"], "&asked=1")])
def test_the_page_in_obs_shows_what_she_is_asked_where_that_is_wanted(words: list[str], asked: str) -> None:
    cfg = composed("+show=obs_setup", *words)
    check(cfg)
    assert stage(cfg.console, "t0ken") == f"http://127.0.0.1:8020/stage?token=t0ken&captions=0{asked}"


def test_sounds_are_off_until_there_is_a_folder_and_their_gain_has_bounds() -> None:
    assert composed().stage.sounds == ""
    check(composed("stage.sounds=/somewhere", "stage.sounds_gain=1.5"))
    with pytest.raises(ConfigError, match=r"stage\.sounds_gain"):
        check(composed("stage.sounds_gain=5"))


def test_songs_are_off_until_there_is_a_folder_which_has_to_be_there(tmp_path: Path) -> None:
    assert composed().stage.songs == "" and list(songs(composed())) == []
    for word in (
        "stage.songs_gain=5",
        "stage.songs_again=-1",
        "stage.songs_apart=1e9",
        "stage.songs_asked=maybe",
    ):
        with pytest.raises((ConfigError, HydraException)):
            check(composed(word))
    cfg = composed(f"stage.songs={tmp_path}/none", "stage.songs_gain=1.5")
    check(cfg)
    with pytest.raises(ConfigError, match=r"stage\.songs: there is no folder '.*/none'; cure: "):
        precheck(cfg)
    ((verdict, seen, cure),) = songs(cfg)
    assert verdict == "bad" and "there is no folder" in seen and cure.startswith("stage.songs=FOLDER")


def test_the_doctor_is_told_what_can_be_sung_and_what_cannot(tmp_path: Path) -> None:
    cfg = composed(f"stage.songs={tmp_path}")
    precheck(cfg)
    ((verdict, seen, _),) = songs(cfg)
    assert verdict == "bad" and seen == "there are no songs"
    write(tmp_path / "Moon.wav", tone(1.0, 1000))
    assert list(songs(cfg)) == [("ok", f"1 in {tmp_path}", "")]
    (tmp_path / "Rain.wav").write_text("no sound")
    verdict, seen, cure = list(songs(cfg))[1]
    assert verdict == "warn" and seen.startswith("Rain.wav is no WAV file") and cure.startswith("ffmpeg")


def test_each_of_the_cast_has_words_for_a_song_and_they_pass_her_filters(tmp_path: Path) -> None:
    write(tmp_path / "Moon.wav", tone(1.0, 1000))
    cfg = composed("persona=[main,evil]", f"stage.songs={tmp_path}")
    director = Director(["main", "evil"], names={"main": "Spark", "evil": "Evil"})
    hers = repertoire(cfg, director, lambda words: "")
    screen = Screen(safety(cfg))
    for who, persona in personas(cfg).items():
        said = [hers.opens(who, "Moon") for _ in persona.songs]
        assert len(set(said)) == len(persona.songs) > 2 and all("Moon" in each for each in said)
        assert [gate_of(persona, screen).refuses(each) for each in said] == [""] * len(said)


def test_a_milvus_server_takes_the_place_of_ours_and_keeps_the_embeddings() -> None:
    cfg = composed("stack=spark", "memory=milvus_server", "engines.services=[trtllm,opener,tts,milvus]")
    check(cfg)
    assert "memory" not in [spec.name for spec in specs(cfg)]
    assert "embeddings" in [spec.name for spec in specs(cfg)]
    assert cfg.memory.adapter.uri == "http://127.0.0.1:19530" and cfg.memory.adapter.most == 2


def test_she_may_have_other_names() -> None:
    cfg = composed("director.aliases=[sparky,'@Spark-TV']")
    check(cfg)
    assert list(cfg.director.aliases) == ["sparky", "@Spark-TV"] and composed().director.aliases == []


def test_a_show_waits_for_the_operator_and_greets_as_its_keys_say() -> None:
    cfg = composed("director.waits=true", "director.greets=always", "director.goodbye=9", "director.ending=0")
    check(cfg)
    assert Course(Director(["main"], cfg.director)).phase is Phase.WAITING
    assert Course(Director(["main"], composed().director)).phase is Phase.LIVE
    for words, greeted in (([], True), (["+show=rehearsal"], False), (["+show=conversation"], False)):
        cfg = composed(*words)
        assert greets(cfg.director, cfg.ends_with_chat) is greeted


def test_two_on_stage_are_a_second_entry() -> None:
    cfg = composed("persona=[main,evil]")
    check(cfg)
    assert list(cfg.cast) == ["main", "evil"]
    assert all(persona.banter for persona in personas(cfg).values())
    assert composed("director.banter=0", "director.banter_depth=3").director.banter == 0


def dressed(*words: str) -> tuple[str, str]:
    """The model that the puppet starts with, and the one that it is asked for."""
    cfg = composed(*words)
    check(cfg)
    dress(cfg)
    return cfg.avatar.engine.model, adapters(cfg)["avatar.adapter"]["model"]


def test_the_puppet_wears_what_the_first_of_the_cast_does() -> None:
    assert dressed() == ("Spark", "Spark")
    assert dressed("persona=[evil]") == dressed("persona=[evil,main]") == ("Spark Evil", "Spark Evil")
    assert dressed("avatar.adapter.model=Spark Evil") == ("Spark Evil", "Spark Evil")
    assert dressed("avatar.adapter.model=spark evil") == ("Spark Evil", "spark evil")
    theirs = "avatar.adapter.address=ws://192.168.1.7:8001"  # a VTube Studio: its models are its own
    assert dressed(theirs, "cast.main.avatar=Hiyori") == ("Spark", "Hiyori")


@pytest.mark.parametrize("words", [["cast.main.avatar=Hiyori"], ["avatar.adapter.model=Hiyori"]])
def test_a_look_that_the_puppet_has_not_is_refused(words: list[str]) -> None:
    with pytest.raises(OptionError, match="no look 'Hiyori'; it has: Spark, Spark Evil") as caught:
        dressed(*words)
    assert str(caught.value).startswith(words[0].partition("=")[0])


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
        ("director.aliases=sparky", "sparky"),
        ("stage.rate=fast", "fast"),
        ("report=sometimes", "sometimes"),
        ("director.waits=perhaps", "perhaps"),
        ("director.greets=perhaps", "perhaps"),
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
        ("+cast.main.length.second=9", "cast.main.length.second: no such option"),
        ("+cast.main.length.sentence=1", "did you mean 'sentences'?"),
        ("cast.main.length=5", "cast.main.length: "),
        ("cast.main=5", "cast.main: must be a persona"),
        ("stage.rate=-1", "stage.rate"),
        ("stage.delay=11", "stage.delay"),
        ("director.goodbye=-1", "director.goodbye"),
        ("director.ending=301", "director.ending"),
        ("chat=twitch", "chat.channel=NAME"),
        ("chat=youtube", "chat.video=NAME"),
        ("+chat.chanel=spark", "chat.chanel"),
        ("console=none", "choose speaker=[device]"),
    ],
)
def test_app_refuses_what_hydra_lets_pass(override: str, said: str) -> None:
    with pytest.raises((ConfigError, HydraException)) as caught:
        check(composed(override))
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "llm.engine.thread=4",
            "llm.engine.thread: no such option; did you mean 'threads'?",
        ),
        ("cast.main.temprature=1", "did you mean 'temperature'?"),
        ("director.wait=true", "did you mean 'waits'?"),
        (
            "persona=[main,evli]",
            "did you mean 'evil'? The options are: evil, main",
        ),
        ("+show=[rehearsal,chek]", "did you mean 'check'?"),
        ("llm=qwen", "smollm2"),
        ("llm.engine.adapters.main=a.gguf", "+llm.engine.adapters.main=a.gguf"),
        ("speech.voices.mine=Joe", "+speech.voices.mine=Joe"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_may_have_been_meant(override: str, said: str) -> None:
    with pytest.raises(HydraException) as caught:
        composed(override)
    assert said in (told := explain(caught.value)) and "\n" not in told


def test_a_length_that_is_a_list_in_a_character_s_file_is_one_line() -> None:
    cfg = composed()
    OmegaConf.update(cfg, "cast.main.length", [1], merge=False)
    with pytest.raises(ConfigError, match=r"^cast\.main\.length: [^\n]+$"):
        check(cfg)


@pytest.mark.parametrize("group", sorted(typed()))
def test_a_plus_adds_no_key_to_a_typed_group(group: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(composed(f"+{group}.patiense=3"))
    assert str(caught.value).startswith(f"{group}.patiense: no such option")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("+embeddings.prot=1", "embeddings.prot"),
        ("+pace.engin=1", "did you mean 'engine'?"),
        ("+pace.voice.modle=x", "did you mean 'model'?"),
    ],
)
def test_nor_to_what_others_read_by_hand(override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        check(composed("pace=llama31-70b-nvfp4", override))


@pytest.mark.parametrize(
    "override",
    [
        "director.patience=-5",
        "director.lonely=0",
        "director.burst=0",
        "turn.recall_within=-1",
        "rehearsal.minutes=-1",
        "cast.main.max_tokens=0",
        "cast.main.temperature=-1",
        "cast.main.length.first=0",
        "cast.main.length={reply: 0}",
    ],
)
def test_a_number_that_makes_no_sense_is_refused_with_its_bounds(override: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(composed(override))
    assert str(caught.value).startswith(f"{override.strip('+').split('=')[0]}")
    assert "must lie between" in str(caught.value)


def test_every_number_of_the_core_has_its_bounds() -> None:
    numbers = {
        f"{group}.{each.name}"
        for group, knobs in typed().items()
        for each in fields(knobs)
        if each.type in (int, float)
    }
    assert numbers == RANGES.keys()
    assert {*_numbers(Persona), *(f"length.{name}" for name in _numbers(Length))} == OF_A_PERSONA.keys()


def _numbers(of: type[Persona | Length]) -> list[str]:
    return [each.name for each in fields(of) if each.type in ("int", "float")]
    defaults = composed()
    assert all(low <= OmegaConf.select(defaults, key) <= high for key, (low, high) in RANGES.items())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["+show=rehearsal", "rehearsal.log=/nowhere"], "rehearsal.log: /nowhere cannot be read"),
        (["ears=wav"], "ears.wav.file: . cannot be read"),
        (["console.host=0.0.0.0"], "console.host: '0.0.0.0' is not loopback"),
        (["chat=twitch", "chat.channel='no name'"], "chat.channel: must be a Twitch channel's name"),
        (["chat=youtube", "chat.video=dQw4w9WgXcQ"], "chat.youtube.key: is missing"),
    ],
)
def test_what_an_adapter_refuses_is_told_before_the_engines(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOUTUBE_API_KEY", raising=False)
    cfg = composed(*words)
    check(cfg)
    with pytest.raises(ConfigError, match=re.escape(said)):
        precheck(cfg)


@pytest.mark.parametrize(
    "exam", [["+show=bait_exam"], ["+show=memory_exam"], ["+show=minecraft", "minecraft.exam=stone_pickaxe"]]
)
def test_an_exam_is_not_refused_for_what_it_never_builds(
    exam: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOUTUBE_API_KEY", raising=False)
    precheck(composed(*exam, "chat=youtube", "chat.video=dQw4w9WgXcQ"))


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


@pytest.mark.parametrize("key", ["console.port", "games.adapter.port"])
def test_a_port_that_is_none_is_told_with_its_bounds(key: str) -> None:
    """It was no port to the system either, which ended the start in a traceback."""
    with pytest.raises(ConfigError, match=rf"^{key}: must lie between 0 and 65535, not 80000$"):
        check(composed("games=neuro", f"{key}=80000"))
