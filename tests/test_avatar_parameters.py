"""What is injected: by whom, how, and for how long; and the parameters that plugins make."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.avatar.inputs import BUILT_IN, Plugin
from engines.avatar.parameters import Injection, Parameters
from engines.avatar.wire import ApiError
from tests.puppet import Talk, puppet

A, B = Plugin("Plugin A", "Ann"), Plugin("Plugin B", "Ben")


def says(**values: float) -> list[dict[str, object]]:
    return [{"id": name, "value": value} for name, value in values.items()]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(puppet(tmp_path), "Plugin A")


def value(talk: Talk, name: str) -> float:
    return float(talk.ask("ParameterValue", name=name)["value"])


def test_a_value_holds_for_a_second_then_falls_back(talk: Talk) -> None:
    talk.ask("InjectParameterData", parameterValues=says(MouthOpen=0.7, Brows=0.1))
    assert (value(talk, "MouthOpen"), value(talk, "Brows")) == (0.7, 0.1)
    talk.now = 0.6
    talk.ask("InjectParameterData", parameterValues=says(MouthOpen=0.8))
    talk.now = 1.01
    assert (value(talk, "MouthOpen"), value(talk, "Brows")) == (0.8, 0.5)
    assert talk.there.parameters.expire(talk.now) is True
    talk.now = 1.61
    assert value(talk, "MouthOpen") == 0.0
    assert talk.there.parameters.expire(talk.now) is False


def test_one_plugin_sets_and_another_takes_over_when_it_is_silent(talk: Talk) -> None:
    other = Talk(talk.there, "Plugin B")
    same = Talk(talk.there, "Plugin A")
    talk.ask("InjectParameterData", parameterValues=says(MouthOpen=0.7))
    values = says(MouthX=0.5, MouthOpen=0.2)
    assert other.no("InjectParameterData", parameterValues=values) == 454
    assert value(talk, "MouthX") == 0.0, "all of a request or nothing"
    same.ask("InjectParameterData", parameterValues=says(MouthOpen=0.3))
    other.now = 1.0
    other.ask("InjectParameterData", parameterValues=values)
    assert value(other, "MouthOpen") == 0.2


def test_any_number_add(talk: Talk) -> None:
    other = Talk(talk.there, "Plugin B")
    talk.ask("InjectParameterData", parameterValues=says(FaceAngleX=10))
    talk.ask("InjectParameterData", mode="add", parameterValues=says(FaceAngleX=1))
    other.ask("InjectParameterData", mode="add", parameterValues=says(FaceAngleX=2, FaceAngleY=3))
    assert (value(talk, "FaceAngleX"), value(talk, "FaceAngleY")) == (13, 3)
    other.now = 0.9
    other.ask("InjectParameterData", mode="add", parameterValues=says(FaceAngleX=4))
    other.now = 1.1
    assert value(other, "FaceAngleX") == 4


def test_weight_mixes_with_what_is_beneath(talk: Talk) -> None:
    talk.ask("InjectParameterData", parameterValues=[{"id": "Brows", "value": 1.0, "weight": 0.5}])
    assert value(talk, "Brows") == 0.75


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ({}, 450),
        ({"parameterValues": []}, 450),
        ({"parameterValues": {}}, 450),
        ({"parameterValues": [3]}, 450),
        ({"parameterValues": [{"id": "MouthOpen"}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": "1"}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": True}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": float("nan")}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": float("-inf")}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1_000_001}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": 10**400}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1, "weight": 1.1}]}, 452),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1, "weight": "1"}]}, 452),
        ({"parameterValues": [{"value": 1}]}, 453),
        ({"parameterValues": says(MouthOpen=1, NoSuchThing=1)}, 453),
        ({"parameterValues": says(MouthOpen=1), "mode": "multiply"}, 455),
        ({"parameterValues": says(MouthOpen=1), "faceFound": "yes"}, 2),
    ],
)
def test_what_is_wrong_with_an_injection(talk: Talk, data: dict[str, object], number: int) -> None:
    assert talk.no("InjectParameterData", **data) == number
    assert value(talk, "MouthOpen") == 0.0


def test_the_face_is_found_while_a_plugin_says_so(talk: Talk) -> None:
    assert talk.ask("FaceFound") == {"found": False}
    talk.ask("InjectParameterData", faceFound=True, parameterValues=says(MouthOpen=1))
    assert talk.ask("FaceFound") == {"found": True}
    talk.now = 1.1
    assert talk.ask("FaceFound") == {"found": False}


def test_a_plugin_makes_changes_and_deletes_a_parameter(talk: Talk) -> None:
    made = {"parameterName": "SparkBreath", "explanation": "in and out", "min": 0, "max": 1}
    for rest in (0.25, 0.5):
        assert talk.ask("ParameterCreation", **made, defaultValue=rest) == {"parameterName": "SparkBreath"}
    listed = talk.ask("InputParameterList")["customParameters"]
    assert listed == [
        {"name": "SparkBreath", "addedBy": "Plugin A", "value": 0.5, "min": 0, "max": 1, "defaultValue": 0.5}
    ]
    other = Talk(talk.there, "Plugin B")
    assert other.no("ParameterCreation", **made) == 352
    assert other.no("ParameterDeletion", parameterName="SparkBreath") == 402
    other.ask("InjectParameterData", parameterValues=says(SparkBreath=0.9))  # whoever made it
    assert talk.ask("ParameterDeletion", parameterName="SparkBreath") == {"parameterName": "SparkBreath"}
    assert talk.no("ParameterValue", name="SparkBreath") == 500
    assert talk.no("ParameterDeletion", parameterName="SparkBreath") == 401
    assert talk.no("ParameterDeletion", parameterName="MouthOpen") == 403
    assert talk.no("ParameterDeletion") == 400


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ({}, 350),
        ({"parameterName": "abc"}, 350),
        ({"parameterName": "a" * 33}, 350),
        ({"parameterName": "with space"}, 350),
        ({"parameterName": "Größe"}, 350),
        ({"parameterName": "Good", "min": "0"}, 351),
        ({"parameterName": "Good", "min": 1, "max": 1}, 351),
        ({"parameterName": "Good", "max": 1_000_001}, 351),
        ({"parameterName": "Good", "max": 1, "explanation": "x" * 256}, 353),
        ({"parameterName": "MouthX", "max": 1}, 354),
    ],
)
def test_what_is_wrong_with_a_new_parameter(talk: Talk, data: dict[str, object], number: int) -> None:
    assert talk.no("ParameterCreation", **data) == number


def test_a_hundred_of_a_plugin_and_three_hundred_in_all(talk: Talk) -> None:
    for who in range(3):
        plugin = Talk(talk.there, f"Maker {who}")
        for number in range(100):
            plugin.ask("ParameterCreation", parameterName=f"Param{who}x{number}", max=1)
        if who == 0:
            assert plugin.no("ParameterCreation", parameterName="OneMore", max=1) == 355
    assert talk.no("ParameterCreation", parameterName="OneMore", max=1) == 356


def test_the_lists_have_all_that_vtube_studio_has(talk: Talk) -> None:
    listed = {item["name"]: item for item in talk.ask("InputParameterList")["defaultParameters"]}
    assert len(listed) == len(BUILT_IN)
    for name, low, high in [("FaceAngleX", -30, 30), ("EyeOpenLeft", 0, 1), ("EyeRightY", -1, 1)]:
        assert (listed[name]["min"], listed[name]["max"], listed[name]["addedBy"]) == (
            low,
            high,
            "VTube Studio",
        )
    assert all(item["min"] <= item["defaultValue"] <= item["max"] for item in listed.values())
    talk.ask("InjectParameterData", parameterValues=says(FaceAngleX=99))
    drawn = {item["name"]: item["value"] for item in talk.ask("Live2DParameterList")["parameters"]}
    assert drawn["ParamFaceAngleX"] == 30, "the model ends at its range"


TIMES = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.sampled_from([A, B]),
        st.booleans(),
        st.sampled_from(["MouthOpen", "Brows"]),
        st.floats(-2, 2),
    ),
    max_size=12,
)


@given(TIMES, st.floats(0, 2))
def test_nothing_outlives_its_second_and_forgetting_changes_no_value(
    said: list[tuple[float, Plugin, bool, str, float]], later: float
) -> None:
    parameters, now = Parameters(), 0.0
    for wait, plugin, adds, name, amount in said:
        now += wait
        try:
            parameters.inject(plugin, Injection(adds, False, [(name, amount, 1.0)]), now)
        except ApiError as error:
            assert error.number == 454
    rest = Parameters().values(0.0)
    before = parameters.values(now + later)
    kept = parameters.expire(now + later)
    assert parameters.values(now + later) == before
    assert kept == parameters.injected(now + later)
    assert parameters.values(now + 1.0) == rest
