"""WORLD -> EVENTS: what is read of an answer in JSON, where anything may be missing. Pure; never raises."""

from collections.abc import Mapping
from typing import Any


def part(value: object, key: str) -> Mapping[str, Any]:
    """An object inside another; empty where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
