"""VTube Studio's messages: requests to text, text to replies, errors and events. No I/O.

Protocol: https://github.com/DenchiSoft/VTubeStudio (API 1.0, JSON in WebSocket text frames).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

API = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0"}
DENIED = 50  # the user pressed "Deny" in the pop-up
ASKING = 51  # another pop-up is open
UNKNOWN_PARAMETER, FOREIGN_PARAMETER = 453, 454


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to request `id`."""

    id: str
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApiError:
    """The answer to request `id` is no; `id` may be "" where the server could not read the request."""

    id: str
    number: int
    message: str


@dataclass(frozen=True, slots=True)
class ApiEvent:
    """Something happened that was subscribed to."""

    kind: str
    data: Mapping[str, Any]


class Garbled(ValueError):
    """A frame that is not a message of this API."""


def request(id: str, kind: str, data: Mapping[str, Any]) -> str:
    """The text of a request; `kind` is its messageType."""
    return json.dumps({**API, "requestID": id, "messageType": kind, "data": data}, separators=(",", ":"))


def parse(frame: str | bytes) -> Reply | ApiError | ApiEvent:
    """Read a frame; unknown fields are let pass. Raises Garbled."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise Garbled("not JSON") from error
    if not isinstance(message, dict):
        raise Garbled("not an object")
    kind, id, data = message.get("messageType"), message.get("requestID", ""), message.get("data", {})
    if not isinstance(kind, str) or not isinstance(id, str) or not isinstance(data, dict):
        raise Garbled("no messageType, requestID and data of their types")
    if kind == "APIError":
        number = data.get("errorID")
        return ApiError(id, number if isinstance(number, int) else -1, str(data.get("message", "")))
    return ApiEvent(kind, data) if kind.endswith("Event") else Reply(id, kind, data)


def injection(values: Mapping[str, float]) -> dict[str, Any]:
    """The data of an InjectParameterDataRequest."""
    listed = [{"id": name, "value": round(value, 4)} for name, value in values.items()]
    return {"faceFound": True, "mode": "set", "parameterValues": listed}


def listed(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of objects in an answer; what is not one is left out."""
    found = data.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
