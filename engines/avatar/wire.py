"""VTube Studio's messages from the server's side: text to requests, answers and events to text. No I/O.

Protocol: https://github.com/DenchiSoft/VTubeStudio (API 1.0, JSON in WebSocket text frames; error numbers in
its Files/ErrorID.cs).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

API_NAME, API_VERSION = "VTubeStudioPublicAPI", "1.0"
LONGEST_ID = 64  # characters

Data = Mapping[str, Any]


class ApiError(Exception):
    """The answer is no. `number` is from ErrorID.cs; `id` is "" where the request's own is not known."""

    def __init__(self, number: int, message: str, id: str = "") -> None:
        super().__init__(message)
        self.number = number
        self.message = message
        self.id = id


@dataclass(frozen=True, slots=True)
class Request:
    """What a plugin asks. `kind` is the messageType."""

    id: str
    kind: str
    data: Data


def parse(frame: str | bytes) -> Request:
    """Read a frame; unknown fields are let pass. Raises ApiError 2 to 6."""
    message = _object(frame)
    id = _id(message)
    if message.get("apiName") != API_NAME:
        raise ApiError(3, f"apiName must be '{API_NAME}'", id)
    if message.get("apiVersion") != API_VERSION:
        raise ApiError(4, f"apiVersion must be '{API_VERSION}'", id)
    kind = message.get("messageType")
    if not isinstance(kind, str) or not kind:
        raise ApiError(6, "messageType is missing", id)
    data = message.get("data")
    if data is not None and not isinstance(data, dict):
        raise ApiError(2, "data must be an object", id)
    return Request(id, kind, data or {})


def _object(frame: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(frame.decode() if isinstance(frame, bytes) else frame)
    except (ValueError, RecursionError) as error:  # a deep nest of brackets ends in the latter
        raise ApiError(2, "not JSON") from error
    if not isinstance(message, dict):
        raise ApiError(2, "not a JSON object")
    return message


def _id(message: dict[str, Any]) -> str:
    """The request's own id, or a new one where it has none."""
    id = message.get("requestID")
    if id is None:
        return uuid.uuid4().hex
    if not isinstance(id, str) or not 1 <= len(id) <= LONGEST_ID or not id.isascii():
        raise ApiError(5, f"requestID must be 1 to {LONGEST_ID} ASCII characters")
    return id


def answer(id: str, kind: str, data: Data) -> str:
    """The text of a reply or an event; `kind` is its messageType."""
    message = {
        "apiName": API_NAME,
        "apiVersion": API_VERSION,
        "timestamp": time.time_ns() // 1_000_000,
        "requestID": id or uuid.uuid4().hex,
        "messageType": kind,
        "data": data,
    }
    return json.dumps(message, separators=(",", ":"))


def refusal(error: ApiError) -> str:
    """The text of an APIError."""
    return answer(error.id, "APIError", {"errorID": error.number, "message": error.message})
