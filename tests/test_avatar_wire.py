"""The puppet's reading of frames: whatever comes is answered, in the protocol's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.avatar.requests import KNOWN, OPEN
from engines.avatar.wire import ApiError, parse
from tests.puppet import Talk, puppet, request

HEAD: dict[str, Any] = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": "r1"}
GOOD = HEAD | {"messageType": "APIStateRequest"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    "modelID hotkeyID expressionFile fadeTime active parameterName min max defaultValue explanation "
    "parameterValues id value weight mode faceFound eventName subscribe config pluginName pluginIcon "
    "pluginDeveloper authenticationToken name timeInSeconds valuesAreRelativeToModel size itemsToMove".split()
)


@pytest.mark.parametrize(
    ("frame", "number"),
    [
        ("", 2),
        ("{", 2),
        ("[]", 2),
        ("3", 2),
        ("[" * 100_000, 2),
        ("1" * 10_000, 2),
        (b"\xff\xfe\x00", 2),
        (json.dumps(GOOD | {"data": []}), 2),
        (json.dumps(GOOD | {"apiName": "Other"}), 3),
        (json.dumps(GOOD | {"apiVersion": 1.0}), 4),
        (json.dumps(GOOD | {"apiVersion": "2.0"}), 4),
        (json.dumps(GOOD | {"requestID": ""}), 5),
        (json.dumps(GOOD | {"requestID": 7}), 5),
        (json.dumps(GOOD | {"requestID": "x" * 65}), 5),
        (json.dumps(GOOD | {"requestID": "é"}), 5),
        (json.dumps(HEAD), 6),
        (json.dumps(HEAD | {"messageType": ""}), 6),
        (json.dumps(HEAD | {"messageType": "NoSuchRequest"}), 7),
        (json.dumps(HEAD | {"messageType": "Statistics"}), 7),
        (json.dumps(HEAD | {"messageType": "StatisticsRequest"}), 8),
    ],
)
def test_the_general_errors(frame: str | bytes, number: int, tmp_path: Path) -> None:
    answer = Talk(puppet(tmp_path)).frame(frame)
    assert (answer["messageType"], answer["data"]["errorID"]) == ("APIError", number)
    assert answer["requestID"]


def test_a_request_without_an_id_is_given_one(tmp_path: Path) -> None:
    talk = Talk(puppet(tmp_path))
    frame = json.dumps({key: value for key, value in GOOD.items() if key != "requestID"})
    ids = {talk.frame(frame)["requestID"] for _ in range(2)}
    assert len(ids) == 2 and all(ids)


def test_a_binary_frame_of_text_and_unknown_fields_are_fine(tmp_path: Path) -> None:
    more = {"timestamp": 1, "new": {"in": "2.0"}, "data": None}
    assert Talk(puppet(tmp_path)).frame(json.dumps(GOOD | more).encode())["data"]["active"] is True


def test_all_but_three_need_a_session(tmp_path: Path) -> None:
    talk = Talk(puppet(tmp_path))
    assert set(OPEN) == {"APIState", "AuthenticationToken", "Authentication"}
    assert {talk.no(kind) for kind in KNOWN} == {8}


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_parse_reads_or_refuses(frame: str | bytes) -> None:
    try:
        parse(frame)
    except ApiError as error:
        assert 2 <= error.number <= 6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    kind=st.sampled_from(sorted(KNOWN | OPEN)),
    data=st.dictionaries(FIELDS, JSON, max_size=5) | st.dictionaries(st.text(), JSON, max_size=3),
    values=st.lists(st.dictionaries(FIELDS, JSON) | JSON, max_size=3) | JSON,
)
def test_whatever_a_request_says_it_is_answered(
    kind: str, data: dict[str, Any], values: object, tmp_path: Path
) -> None:
    talk = Talk(puppet(tmp_path), "Tester")
    if kind == "InjectParameterData":
        data["parameterValues"] = values
    answer = talk.frame(request(kind, data))
    assert answer["messageType"] in (f"{kind}Response", "APIError")
    assert answer["requestID"] == "r1"
    assert talk.ask("Statistics")["uptime"] == 0 or kind == "Authentication"
