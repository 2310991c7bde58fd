"""A valid value for a simplified schema, by chance: what is done when no model answers in time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from glue.games.schema import Shape
from glue.games.words import BadSchema

WIDE = 100  # how far a number without a bound is from the one that it has
MOST = 500  # values in one another; lists of lists of lists ask for more than anybody could send


def example(schema: Mapping[str, Any], random: Random) -> Any:
    """Something that fits `schema` (schema.py, Shape.constraint), where no pattern is asked for. Raises
    BadSchema where that would be too much."""
    return _made(schema, random, iter(range(MOST)))


def _made(schema: Mapping[str, Any], random: Random, left: Iterator[int]) -> Any:
    _count(left)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return random.choice(schema["enum"])
    if schema.get("anyOf"):
        return _made(random.choice(schema["anyOf"]), random, left)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {key: _made(properties[key], random, left) for key in schema.get("required", ())}
        case "array":
            return [_made(schema["items"], random, left) for _ in range(schema["minItems"])]
        case "integer":
            return _number(schema, random)
        case "number":  # its bounds are the validator's business (schema.py): a share of one, mostly
            wide = random.uniform(-1, 1) * 10 ** random.randrange(4)
            return round(random.choice((0, 1, random.random(), random.random(), wide)), 3)
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
    return "-" * min(schema.get("minLength", 1), WIDE)


def _count(left: Iterator[int]) -> None:
    if next(left, None) is None:
        raise BadSchema(f"its schema asks for more than {MOST} values at once")


def wordy(shape: Shape) -> bool:
    """Whether an action wants words, which chance makes dashes of."""
    return not shape.bare and _worded(shape.constraint)


def _worded(schema: Mapping[str, Any]) -> bool:
    if "const" in schema or schema.get("enum"):
        return False
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    inner += [part for key, part in schema.get("properties", {}).items() if key in schema.get("required", ())]
    return schema.get("type") == "string" or any(map(_worded, inner))


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
