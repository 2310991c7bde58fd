"""Reads a request's data, field by field, with VTube Studio's error where one is not as it must be."""

from __future__ import annotations

from typing import Any

from engines.avatar.wire import ApiError, Data

JSON_INVALID = 2
LARGEST = 1_000_000.0  # of any number in this API


def text(data: Data, name: str, number: int = JSON_INVALID) -> str:
    """A text that may be missing (""). Raises ApiError `number` for another type."""
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ApiError(number, f"{name} must be a text")
    return value


def flag(data: Data, name: str) -> bool:
    """True or false; false where it is not said. Raises ApiError 2."""
    value = data.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ApiError(JSON_INVALID, f"{name} must be true or false")
    return value


def real(data: Data, name: str, number: int, default: float | None = None) -> float:
    """A number within +-1,000,000. Raises ApiError `number`."""
    value: Any = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ApiError(number, f"{name} must be a number")
    if not -LARGEST <= value <= LARGEST:  # neither is NaN
        raise ApiError(number, f"{name} must be between {-LARGEST:.0f} and {LARGEST:.0f}")
    return float(value)


def section(data: Data, name: str) -> Data:
    """An object that may be missing ({}). Raises ApiError 2."""
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(JSON_INVALID, f"{name} must be an object")
    return value
