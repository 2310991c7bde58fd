"""The benchmark without servers: what it reads, what it sends, what it makes of figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engines.bench import plots
from engines.bench.__main__ import plain
from engines.bench.compare import differences, ratios
from engines.bench.dialects import Asked, Server, body
from engines.bench.errors import BenchFailed
from engines.bench.events import Event, Usage, read
from engines.bench.options import HELP, Dialect, Options, lines
from engines.bench.results import NAME, Result, load, parse, save
from engines.bench.rows import Row, in_order, row
from engines.bench.table import show
from engines.bench.targets import configured, is_override
from engines.bench.targets import given as target_of
from engines.bench.texts import Texts
from engines.options import OptionError
from engines.options import parse as parse_options

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["choices", "delta", "content", "usage", "prompt_tokens", "error", "text"])
EVENTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
ASKED = Asked("Be kind.", "tom: hello", 4, persona=1, lane=3)


@given(st.text(max_size=60) | JSON.map(lambda said: f"data: {json.dumps(said)}"))
def test_whatever_a_stream_says_is_an_event_nothing_or_an_error(line: str) -> None:
    try:
        found = read(line)
    except BenchFailed as error:
        assert "\n" not in str(error)
        return
    assert found is None or isinstance(found, Event)


@given(EVENTS)
def test_whatever_shape_an_event_has_it_is_read(said: object) -> None:
    try:
        found = read(f"data: {json.dumps(said)}")
    except BenchFailed:
        return
    assert found is not None
    assert isinstance(found.text, str)
    assert found.usage is None or min(found.usage.prompt, found.usage.cached, found.usage.said) >= 0


def test_a_stream_s_words_and_counts_are_read() -> None:
    assert read('data: {"choices":[{"delta":{"content":"hi"}}]}') == Event("hi")
    assert read('data: {"choices":[{"text":"hi"}]}') == Event("hi")
    assert read('data: {"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}') == Event("hm")
    usage = '{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}'
    assert read(f'data: {{"choices":[],"usage":{usage}}}') == Event("", Usage(9, 4, 2))
    for nothing in ("", ": ping", "event: x", "data: [DONE]"):
        assert read(nothing) is None
    with pytest.raises(BenchFailed, match="the answer broke off: no slots"):
        read('data: {"error":{"message":"no slots"}}')
    with pytest.raises(BenchFailed, match="not an event stream"):
        read("<html>")


def test_each_dialect_is_asked_in_its_own_words() -> None:
    llamacpp = Server("u", Dialect.llamacpp, "m", slots=3, adapters=("a", "b"))
    said = body(llamacpp, ASKED)
    assert (said["id_slot"], said["cache_prompt"], said["lora"]) == (0, True, [{"id": 1, "scale": 1.0}])
    assert "id_slot" not in body(Server("u", Dialect.llamacpp, "m"), ASKED)
    strict = body(Server("u", Dialect.trtllm, "m", adapters=("/a/main", "/a/evil")), ASKED)
    assert strict["lora_request"]["lora_path"] == "/a/evil"
    assert not {"id_slot", "cache_prompt", "ignore_eos", "lora"} & strict.keys()
    vllm = body(Server("u", Dialect.vllm, "base", adapters=("main", "evil")), ASKED)
    assert vllm["model"] == "evil"
    plain = body(Server("u", Dialect.none, "m"), ASKED)
    assert plain.keys() == {"model", "messages", "max_tokens", "temperature", "stream", "stream_options"}


def test_an_adapter_has_the_number_that_the_show_gives_it() -> None:
    from glue.mind.dialect import adapter_id

    strict = body(Server("u", Dialect.trtllm, "m", adapters=("/a/main", "/a/evil")), ASKED)
    assert strict["lora_request"]["lora_int_id"] == adapter_id("/a/evil")


def test_no_two_prompts_begin_alike() -> None:
    texts = Texts(1)
    made = [texts.words(20) for _ in range(200)]
    assert len({each.split()[0] for each in made}) == 200
    assert {len(each.split()) for each in made} == {20}
    assert Texts(2).words(3) != Texts(1).words(3)


VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@given(VALUES, st.sampled_from(["ms", "tok/s"]))
def test_percentiles_look_at_the_bad_side(values: list[float], unit: str) -> None:
    one = row("llm", "w", "c", 1, unit, values)
    good, bad = one.at(50), one.at(95)
    assert bad <= good if one.higher else bad >= good
    assert min(one.values) - 1e-6 <= bad <= max(one.values) + 1e-6


def some_rows() -> list[Row]:
    rows = []
    for count in (1, 2):
        rows.append(row("llm", "floor", "wire", count, "ms", [0.5, 0.6]))
        rows.append(row("llm", "first token", "long", count, "ms", [100.0 * count, 120.0 * count]))
        rows.append(row("llm", "decode", "long", count, "tok/s", [20.0 / count, 22.0 / count]))
    return rows


def a_result(rows: list[Row]) -> Result:
    return Result("now", "a machine", {"rounds": 2}, rows)


def test_rows_stand_by_case_with_the_floor_last() -> None:
    assert [each.what for each in in_order(some_rows())[-2:]] == ["floor", "floor"]
    assert [each.clients for each in in_order(some_rows())[:2]] == [1, 2]


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    save(a_result(some_rows()), tmp_path / NAME)
    assert load(tmp_path / NAME).rows == some_rows()
    assert {"p50", "p95", "p99", "n"} <= json.loads((tmp_path / NAME).read_text())["rows"][0].keys()


@given(JSON | st.builds(lambda rows: {"format": 1, "rows": rows}, st.lists(JSON, max_size=3)))
def test_whatever_a_result_file_holds_it_is_read_or_refused(raw: object) -> None:
    try:
        found = parse(raw, "a.json")
    except BenchFailed as error:
        assert str(error).startswith("a.json: ")
        return
    assert all(math.isfinite(value) for each in found.rows for value in each.values)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": 2, "rows": []}'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(BenchFailed, match=r"x\.json: "):
        load(path)
    with pytest.raises(BenchFailed, match="No such file"):
        load(tmp_path / "absent.json")


def test_a_comparison_knows_better_from_worse(tmp_path: Path) -> None:
    one = a_result(some_rows())
    quicker = [
        Row(r.part, r.what, r.case, r.clients, r.unit, tuple(v / 2 for v in r.values)) for r in some_rows()
    ]
    found = {each.one.key[1:]: each for each in ratios(one, a_result(quicker[:-1]))}
    assert found["first token", "long", 1].p50 == pytest.approx(0.5)
    assert found["first token", "long", 1].verdict == "better"
    assert found["decode", "long", 1].verdict == "worse"
    other = Result("later", "another", {"rounds": 3}, quicker[:-1])
    assert len(differences(one, other)) == 3  # machine, rounds, a row
    with pytest.raises(BenchFailed, match="no row in common"):
        ratios(one, a_result([]))
    plots.ratios(("a", "b"), list(found.values()), tmp_path / "ratios.png")
    plots.part("llm", some_rows(), tmp_path / "llm.png")
    assert all((tmp_path / name).read_bytes()[:4] == b"\x89PNG" for name in ("ratios.png", "llm.png"))


def test_a_part_that_broke_off_shows_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    result = a_result(some_rows())
    result.failed |= {"llm": "it died", "tts": "nobody answers"}
    for width in (80, 130):
        show(result, Console(width=width))
        said = capsys.readouterr().out
        assert max(map(len, said.splitlines())) <= width
        assert "llm was not measured to the end: it died" in said
        assert "tts was not measured: nobody answers" in said and "decode" in said


def test_options_may_be_written_as_elsewhere() -> None:
    said = ["llm", "--url", "http://a:1", "--rounds=3", "clients=[1]"]
    assert plain(said) == ["llm", "url=http://a:1", "rounds=3", "clients=[1]"]
    assert plain(["all", "--help"]) == ["all", "--help"]


def test_every_option_is_explained() -> None:
    assert HELP.keys() == Options.__dataclass_fields__.keys()
    assert len(lines()) == len(HELP) and all(HELP[name] in "\n".join(lines()) for name in HELP)


WRONG = (
    "clients=[0] clients=[] rounds=0 tokens=1 url.voice=x size=[1] adapters.main=/a rate=1 prompts=[0]"
    " bandwidth_gbs=-1 nonsense=1 dialect=klingon"
)


@pytest.mark.parametrize("word", WRONG.split())
def test_an_option_that_cannot_be_is_refused(word: str) -> None:
    with pytest.raises(OptionError):
        parse_options(Options, [word])


def test_words_of_the_config_are_told_from_options() -> None:
    assert all(map(is_override, ("llm=smollm2", "llm.engine.threads=4", "stack=paced", "speech=kokoro")))
    assert not any(map(is_override, ("url=x", "clients=[1]", "model=x", "url.llm=x", "../x=1")))


def test_the_config_s_servers_get_ports_and_slots_of_their_own() -> None:
    parts = ("llm", "tts", "asr", "vision")
    targets, engines = configured(parts, Options(clients=[3]), ["llm=smollm2"])
    assert [each.name for each in engines] == ["llm", "speech", "asr", "vision"]
    assert targets["llm"].model == "smollm2" and targets["llm"].dialect is Dialect.llamacpp
    assert list(targets["vision"].models) == ["guard", "text"]
    by_name = {each.name: each for each in engines}
    assert targets["llm"].address == by_name["llm"].address and "slots=6" in by_name["llm"].argv
    assert targets["tts"].address == by_name["speech"].address
    assert not {8021, 8022, 8024, 8026} & {each.port for each in engines}


def test_on_a_spark_nothing_of_ours_is_started() -> None:
    targets, engines = configured(("llm", "tts", "asr"), Options(), ["stack=spark"])
    assert not engines and targets["llm"].dialect is Dialect.trtllm
    assert targets["llm"].address == "http://127.0.0.1:8355"
    assert "asr" not in targets  # the spark's config does without, so far


def test_the_paced_stack_is_measured_through_its_proxy() -> None:
    targets, engines = configured(("llm",), Options(), ["stack=paced"])
    proxy = next(each for each in engines if each.name == "pace")
    assert targets["llm"].address == f"{proxy.address}/main" and targets["llm"].paced


def test_a_key_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    assert target_of("llm", "host:1", Options(key_from="SOME_KEY")).key == "secret"
    with pytest.raises(BenchFailed, match="no such variable"):
        target_of("llm", "host:1", Options(key_from="ANOTHER_KEY"))


@pytest.mark.parametrize("word", ["llm=foo", "llm.engine.thread=4"])
def test_a_word_that_the_config_has_not_is_one_line(word: str) -> None:
    """`engines up` and the benchmark told of it in nine."""
    with pytest.raises(OptionError, match=r"^[^\n]*(smollm2|thread)[^\n]*$"):
        configured(("llm",), Options(), [word])
