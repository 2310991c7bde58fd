"""VTube Studio's messages: whatever arrives is read or refused, never anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.stage.vts_token import TokenFile
from glue.stage.vts_wire import ApiError, ApiEvent, Garbled, Reply, injection, listed, parse, request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={"messageType": st.text() | JSON, "requestID": st.text() | JSON, "data": JSON, "more": JSON},
)


@given(st.text() | st.binary() | JSON.map(json.dumps) | FIELDS.map(json.dumps))
def test_any_frame_is_read_or_garbled(frame: str | bytes) -> None:
    try:
        assert isinstance(parse(frame), Reply | ApiError | ApiEvent)
    except Garbled:
        pass


@pytest.mark.parametrize("frame", ["", "[" * 100_000, "9" * 100_000, b"\xff\xfe", "null", '{"data": 1}'])
def test_garbage_is_garbled(frame: str | bytes) -> None:
    with pytest.raises(Garbled):
        parse(frame)


def test_the_three_kinds_of_message() -> None:
    envelope = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "timestamp": 1, "requestID": "r1"}
    reply = envelope | {"messageType": "APIStateResponse", "data": {"active": True}}
    error = envelope | {"messageType": "APIError", "data": {"errorID": 50, "message": "denied"}}
    event = envelope | {"messageType": "ModelLoadedEvent", "data": {"modelLoaded": True}}
    assert parse(json.dumps(reply)) == Reply("r1", "APIStateResponse", {"active": True})
    assert parse(json.dumps(error)) == ApiError("r1", 50, "denied")
    assert parse(json.dumps(event)) == ApiEvent("ModelLoadedEvent", {"modelLoaded": True})


@given(st.dictionaries(st.text(), st.floats(-100, 100)))
def test_an_injection_is_json_of_the_documented_shape(values: dict[str, float]) -> None:
    sent = json.loads(request("r1", "InjectParameterDataRequest", injection(values)))
    assert (sent["apiName"], sent["apiVersion"], sent["requestID"]) == ("VTubeStudioPublicAPI", "1.0", "r1")
    assert sent["data"]["faceFound"] is True and sent["data"]["mode"] == "set"
    assert {p["id"]: p["value"] for p in sent["data"]["parameterValues"]} == pytest.approx(values, abs=1e-4)


@given(JSON)
def test_lists_in_answers_are_lists_of_objects(found: object) -> None:
    assert all(isinstance(item, dict) for item in listed({"models": found}, "models"))


def test_a_token_is_kept_for_its_address_and_for_its_owner_only(tmp_path: Path) -> None:
    token = TokenFile("ws://studio.lan:8001", str(tmp_path / "state"))
    assert token.read() == ""
    token.write("first")
    token.write("second")
    assert token.read() == "second"
    assert token.path.stat().st_mode & 0o777 == 0o600
    assert TokenFile("ws://studio.lan:8002", str(tmp_path / "state")).read() == ""
    token.forget()
    token.forget()
    assert token.read() == ""
    assert list((tmp_path / "state").iterdir()) == []
