"""A valid value for a simplified schema, by chance: what is done when no model answers in time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

WIDE = 100  # how far a number without a bound is from the one that it has


def example(schema: Mapping[str, Any], random: Random) -> Any:
    """Something that fits `schema` (schema.py, Shape.constraint), where no pattern is asked for."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return random.choice(schema["enum"])
    if schema.get("anyOf"):
        return example(random.choice(schema["anyOf"]), random)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {key: example(properties[key], random) for key in schema.get("required", ())}
        case "array":
            return [example(schema["items"], random) for _ in range(min(schema["minItems"], WIDE))]
        case "integer" | "number":
            return _number(schema, random)
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
    return "-" * min(schema.get("minLength", 1), WIDE)


def _number(schema: Mapping[str, Any], random: Random) -> int:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    if most is None and "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - 1
    if least is None:
        least = 0 if most is None or most >= 0 else most - WIDE
    if most is None:
        most = least + WIDE
    low, high = int(-(-least // 1)), int(most // 1)
    return random.randint(low, high) if low <= high else low
