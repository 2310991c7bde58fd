"""The Minecraft body's pure parts: plans, schemas, claims; Node and its packages, and what may be wrong."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from operator import sub
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cache import ModelError
from engines.minecraft import node, soak
from engines.minecraft.claims import Ledger, done
from engines.minecraft.exam import Sitting, Step, check, spread
from engines.minecraft.node import find, install, modules
from engines.minecraft.options import Options
from engines.options import OptionError, parse
from engines.specs import specs
from launch import minecraft_exam
from tests.minecraft import Asked, need_packages
from tests.test_conf import composed

GETS = ["stick", "torch", "chest", "furnace", "wooden_pickaxe", "stone_pickaxe", "stone_sword", "wooden_axe"]
GETS += ["charcoal", "iron_pickaxe"]
HAVE = st.dictionaries(
    st.sampled_from(["oak_log", "birch_planks", "stick", "cobblestone", "crafting_table", "wooden_pickaxe"]),
    st.integers(1, 20),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 100) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.end()


def test_a_stone_pickaxe_from_nothing_is_ten_steps(ask: Asked) -> None:
    steps = [(s["do"], s["item"], s["count"]) for s in ask("plan", "stone_pickaxe", 1, {}, False)]
    assert steps[0] == ("collect", "log", 3)
    assert steps.index(("craft", "wooden_pickaxe", 1)) < steps.index(("collect", "cobblestone", 3))
    assert steps[-1] == ("craft", "stone_pickaxe", 1)
    assert ask("plan", "stone_pickaxe", 1, {"stone_pickaxe": 1}, False) == []


@settings(max_examples=60)
@given(item=st.sampled_from(GETS), have=HAVE, table=st.booleans())
def test_a_plan_never_spends_what_it_has_not_got(
    ask: Asked, item: str, have: dict[str, int], table: bool
) -> None:
    steps = ask("plan", item, 1, have, table)
    owned = dict.fromkeys(["log", "planks", "stick", "cobblestone", "coal"], 0)
    assert all(step["count"] > 0 for step in steps)
    for name, count in have.items():
        owned[name.partition("_")[2] if name.endswith(("_log", "_planks")) else name] = count
    for step in steps:
        if step["do"] == "collect" and step["item"] == "cobblestone":
            assert any("pickaxe" in name and count for name, count in owned.items())
        if step["do"] == "place":
            assert owned.get(step["item"], 0) >= 1
            owned[step["item"]] -= 1
        else:
            owned[step["item"]] = owned.get(step["item"], 0) + step["count"]
    assert owned.get(item, 0) >= 1


def test_what_nobody_can_get_is_said(ask: Asked) -> None:
    with pytest.raises(AssertionError, match=r"no way to get diamond"):
        ask("plan", "diamond_pickaxe", 1, {}, False)


def test_iron_takes_a_furnace_and_fuel(ask: Asked) -> None:
    steps = [(s["do"], s["item"], s["count"]) for s in ask("plan", "iron_pickaxe", 1, {}, False)]
    order = [("craft", "stone_pickaxe", 1), ("collect", "raw_iron", 3), ("smelt", "iron_ingot", 3)]
    places = [steps.index(step) for step in [*order, ("craft", "iron_pickaxe", 1)]]
    assert places == sorted(places)
    assert steps.index(("place", "furnace", 1)) < places[2]
    have = {"iron_ore": 1, "stick": 2, "furnace": 1}
    assert [(s["do"], s["item"], s["count"]) for s in ask("plan", "iron_ingot", 1, have, False)] == [
        ("place", "furnace", 1),
        ("smelt", "iron_ingot", 1),
    ]
    assert [s["do"] for s in ask("plan", "iron_ingot", 1, have, False, True)] == ["smelt"]
    short = [(s["do"], s["item"]) for s in ask("plan", "charcoal", 8, {"oak_log": 8}, False, True)]
    assert short == [("collect", "log"), ("smelt", "charcoal")], "what is smelted does not burn as well"


@settings(max_examples=60, deadline=None)
@given(
    plan=st.sampled_from(["wall", "tower", "stairs", "bridge", "hut"]),
    size=st.integers(2, 6),
    turn=st.integers(0, 3),
)
def test_whatever_she_builds_holds_together(ask: Asked, plan: str, size: int, turn: int) -> None:
    cells = [tuple(cell) for cell in ask("blocks", plan, size, turn)]
    assert len(set(cells)) == len(cells) == len(ask("blocks", plan, size, 0))
    stands = {cell for cell in cells if cell[1] == 0 or plan == "bridge"}
    for _ in cells:  # from the ground, each block is beside one that is there already
        stands |= {c for c in cells if any(sum(map(abs, map(sub, c, s))) == 1 for s in stands)}
    assert stands == set(cells)
    assert ask("blocks", "castle", size, turn) is None


def test_what_failed_twice_is_not_proposed_again_unless_nothing_else_is_left(ask: Asked) -> None:
    failed = [["collect", "collect log 3", False, at] for at in (1000, 2000)]
    went = [["explore", "explore", False, 1500], ["explore", "explore", True, 2500]]
    names = ["collect", "explore"]
    assert ask("lately", failed + went, names, 3000) == [["explore"], 4]
    assert ask("lately", failed + went, names, 182_000) == [names, 4], "that is long ago"
    assert (
        ask("lately", failed + [["explore", "explore", False, at] for at in (1, 2)], names, 3000)[0] == names
    )


def test_of_what_came_of_her_jobs_only_the_last_is_kept(ask: Asked) -> None:
    many = [["collect", f"collect log {at}", True, at] for at in range(500)]
    assert ask("lately", many, ["collect"], 500) == [["collect"], 50]


def test_a_hut_has_a_door_and_a_roof(ask: Asked) -> None:
    hut = {tuple(cell) for cell in ask("blocks", "hut", 3, 0)}
    assert not {(1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1)} & hut
    assert {(right, 2, ahead) for right in range(3) for ahead in range(3)} < hut


@pytest.mark.parametrize(
    ("grid", "made"),
    [
        (["oak_log", None, None, None], ["oak_planks", 4]),
        ([None, None, None, "birch_log"], ["birch_planks", 4]),
        ([None, "oak_planks", None, "oak_planks"], ["stick", 4]),
        (["oak_planks"] * 4, ["crafting_table", 1]),
        (["oak_planks"] * 3 + [None, "stick", None] * 2, ["wooden_pickaxe", 1]),
        (["stick"] * 3 + [None, "stick", None] * 2, None),
        (
            ["oak_planks", "oak_planks", None, "oak_planks", "stick", None, None, "stick", None],
            ["wooden_axe", 1],
        ),
        (
            [None, "oak_planks", "oak_planks", None, "stick", "oak_planks", None, "stick", None],
            ["wooden_axe", 1],
        ),
        ([None] * 9, None),
    ],
)
def test_the_world_crafts_by_the_recipes(ask: Asked, grid: list[str | None], made: object) -> None:
    assert ask("made", grid, 2 if len(grid) == 4 else 3) == made


@settings(max_examples=40)
@given(data=JSON)
def test_parameters_that_the_schema_does_not_know_are_refused(ask: Asked, data: Any) -> None:
    schema = {
        "properties": {
            "item": {"enum": ["log", "dirt"]},
            "count": {"type": "integer", "minimum": 1, "maximum": 16},
        },
        "required": ["item", "count"],
    }
    good = (
        isinstance(data, dict)
        and data.get("item") in ("log", "dirt")
        and isinstance(data.get("count"), int)
        and not isinstance(data["count"], bool)
        and 1 <= data["count"] <= 16
    )
    assert (ask("wrong", schema, data) == "") is good
    assert ask("wrong", schema, {"item": "log", "count": 3}) == ""


@settings(max_examples=40)
@given(reason=JSON)
def test_whatever_a_kick_says_is_a_short_text(ask: Asked, reason: Any) -> None:
    said = ask("plain", reason)
    assert isinstance(said, str) and 0 < len(said) <= 200 and "\n" not in said


def test_kicks_in_every_dress(ask: Asked) -> None:
    assert ask("plain", '{"text":"Banned","extra":[{"text":"for ever"}]}') == "Banned for ever"
    assert ask("plain", "Server closed") == "Server closed"
    nbt = {"type": "compound", "value": {"text": {"type": "string", "value": "Out"}}}
    assert "Out" in ask("plain", nbt)


@given(st.lists(st.tuples(st.sampled_from(["collect", "craft", "place"]), st.integers(1, 9))))
def test_a_claim_is_false_where_the_server_saw_less(claims: list[tuple[str, int]]) -> None:
    ledger, events = Ledger(), []
    for what, count in claims:
        ledger.claim(f"On the way: you did {what} {count} planks.")
        match what:
            case "craft":
                events.append({"what": "crafted", "item": "oak_planks", "count": count})
            case "place":
                events += [{"what": "placed", "item": "planks"}] * count
            case _:
                events += [{"what": "broke", "block": "oak_planks", "dropped": True}] * count
    assert ledger.false(events) == [] and ledger.count == len(claims)
    assert bool(ledger.false(events[:-1])) is bool(claims)
    ledger.claim("Done: nothing that is a step.")
    assert ledger.count == len(claims)


def test_stone_counts_as_cobblestone_and_only_what_dropped() -> None:
    events = [{"what": "broke", "block": "stone", "dropped": True}] * 2
    assert (
        done([*events, {"what": "broke", "block": "stone", "dropped": False}])["collect", "cobblestone"] == 2
    )


def test_the_report_says_what_share_of_worlds_was_passed() -> None:
    steps = [
        Step(1, "a", True, True, 2.0, ""),
        Step(1, "b", True, False, 4.0, ""),
        Step(2, "a", True, True, 1.0, ""),
    ]
    report = Sitting(steps, 3, ["world 1: b"], [10.0, 20.0]).report("stone_pickaxe")
    assert (report["seeds"], report["success_share"], report["claims_false"]) == (2, 0.5, 1)
    assert report["reflex_ms"] == {"p50": 15.0, "p95": 20.0, "n": 2} and spread([])["p50"] is None


def test_what_grows_over_hours_is_told_and_its_beginning_is_not_counted() -> None:
    def sample(n: int, heap: float = 30.0, listeners: int = 166, memory: float = 150.0) -> soak.Sample:
        return soak.Sample(float(n), n, memory, heap, listeners, {})

    warm = [sample(n, heap=10.0 * n, listeners=15) for n in range(3)]
    assert soak.grown([*warm, *(sample(n) for n in range(9))]) == []
    assert soak.grown([*warm, *(sample(n, heap=30 + 5 * n) for n in range(9))]) == ["heap: from 35 to 65 MB"]
    assert soak.grown([*warm, *(sample(n, memory=150 + 6 * n) for n in range(9))]) == []
    told = soak.grown([*warm, *(sample(n, memory=150 + 8 * n) for n in range(9))])
    assert told == ["memory: from 158 to 206 MB"]
    told = soak.grown([*warm, *(sample(n, listeners=166 + n // 8) for n in range(9))])
    assert told == ["listeners: from 166 to 167"]
    assert soak.grown([sample(0)]) == ["it was too short to say"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"exam": "gold", "seeds": 1, "host": ""}, "must be one of wooden_pickaxe"),
        ({"exam": "stone_pickaxe", "seeds": 0, "host": ""}, "minecraft.seeds"),
        ({"exam": "stone_pickaxe", "seeds": 1, "host": "mc.example"}, "leave out minecraft.host"),
    ],
)
def test_an_exam_that_cannot_be_sat_is_refused(config: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        check(config)


def test_launch_refuses_an_exam_before_anything_is_fetched() -> None:
    cfg = composed("+show=minecraft", "minecraft.exam=gold")
    with pytest.raises(OptionError, match=r"minecraft\.exam: must be one of wooden_pickaxe"):
        minecraft_exam(cfg, specs(cfg), lambda line: None)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("host=0.0.0.0", "not this machine"),
        ("games=http://x", "not a ws:// address"),
        ("server_port=0", "not a port"),
        ("username=x y", "3 to 16 letters"),
        ("version=latest", "such as 1.20.4"),
        ("idle=-1", "between 0 and"),
        ("stuck=1", "between 2 and 600"),
        ("cook=0", "between 0.1 and 60"),
        ("auth=none", "auth"),
    ],
)
def test_options_are_refused_in_one_line(word: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        parse(Options, [word])
    assert "\n" not in str(caught.value)


def test_a_way_may_take_its_time_before_she_shakes_herself() -> None:
    """A slow server lets her stand for seconds; the test of the reflex in a world waits for less."""
    assert Options().stuck == 20.0


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_node_that_is_old_missing_or_broken_is_told_with_the_cure(tmp_path: Path) -> None:
    old = program(tmp_path / "old", "echo v18.19.0")
    with pytest.raises(
        ModelError, match=r"is Node v18\.19\.0, and 22 is needed; cure: .*minecraft\.engine\.node"
    ):
        find(old)
    with pytest.raises(ModelError, match=r"does not run .*cure"):
        find(str(tmp_path / "none"))
    with pytest.raises(ModelError, match="is Node hello"):
        find(program(tmp_path / "odd", "echo hello"))


def test_no_node_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "_packaged", lambda: "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="Node is missing; cure"):
        find()


def test_without_a_network_the_first_start_says_so_and_a_later_one_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need_packages()
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    said: list[str] = []
    install(said.append)  # what is there needs no network
    assert said == []
    monkeypatch.setenv("SPARK_MINECRAFT_MODULES", str(tmp_path / "new" / "modules"))
    with pytest.raises(ModelError, match=r"is not filled; cure: python -m engines\.minecraft\.node"):
        modules()
    with pytest.raises(ModelError, match=r"cannot be fetched .*cure: see that this machine reaches npm"):
        install(said.append)
    assert "500 MB" in said[0] and all(line.startswith("npm: 0 of ") for line in said[1:])


def test_how_far_npm_is_is_told_and_how_it_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node, "TOLD_SECONDS", 0.2)
    (tmp_path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/a": {}, "b": {}}}')
    made = "import pathlib, sys, time; p = pathlib.Path('b'); p.mkdir(); (p / 'package.json').touch();"
    wait = "\nwhile not pathlib.Path('told').exists(): time.sleep(0.01)\nsys.exit('npm error none')"
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("npm: 1 "):
            (tmp_path / "told").touch()

    assert node._watched([sys.executable, "-c", made + wait], tmp_path, say) == (1, "npm error none\n")
    assert said and said[-1] == "npm: 1 of 2 packages"
    monkeypatch.setattr(node, "FETCH_SECONDS", 0.3)
    with pytest.raises(ModelError, match="longer than 0 s; cure: start again"):
        node._watched([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, said.append)
