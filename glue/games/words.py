"""The words of a game's schema: each stands as JSON Schema has it, and all take a bounded time. Pure.

The library's own check of a schema costs some milliseconds, and a game may send a thousand of them in one
frame. Nor does it see what would take for ever, once its validator follows every reference there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from glue.games.patterns import ways

LARGEST = 20_000  # characters of one schema
STEPS = 2000  # parts of a schema that are walked; references to one another may multiply them
SHORT = 20  # letters of a text that any pattern has to be checked against
MOST_WAYS = 10_000_000  # in which a pattern may have to be tried; each takes some nanoseconds
TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
ONE = frozenset("additionalProperties contains else if items not propertyNames then".split())  # a schema
LISTED = frozenset("allOf anyOf oneOf prefixItems".split())  # schemas
NAMED = frozenset("dependentSchemas patternProperties properties".split())  # schemas by their names
APART = frozenset("$defs definitions".split())  # likewise, but followed only where something refers to them
ROOTS = frozenset("$id $schema".split())  # further down, they change what the words below them mean


class BadSchema(ValueError):
    """Nothing can be made of it; the text says why, for the game's author."""


def check(schema: Mapping[str, Any]) -> None:
    """Raises BadSchema where nothing can be made of it, and what re.compile does at an odd pattern."""
    try:
        size = len(json.dumps(schema, ensure_ascii=False, allow_nan=False).encode())
    except ValueError as error:  # 1e999 is JSON, and infinite; half a surrogate pair is JSON, and no text
        raise BadSchema("its schema has a number or a letter that nobody can be sent") from error
    if size > LARGEST:
        raise BadSchema(f"its schema is longer than {LARGEST} characters")
    if schema.get("type", "object") != "object":
        raise BadSchema("its schema is not of type object")
    inside = {word: value for word, value in schema.items() if word not in ROOTS}
    if not all(isinstance(schema.get(word, ""), str) for word in ROOTS):
        raise BadSchema("its schema is none: its $id or $schema is no text")
    _well_formed(inside)
    _Walk(schema).follow(inside, ())


def found(root: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    """The schema that a reference means. Raises BadSchema."""
    where: Any = root if reference == "#" or reference.startswith("#/") else None
    for step in unquote(reference).split("/")[1:]:  # as the validator reads it
        word = step.replace("~1", "/").replace("~0", "~")
        where = where.get(word) if isinstance(where, dict) else None
    if not isinstance(where, dict):
        raise BadSchema(f"its schema refers to what is not in it ({reference[:80]})")
    return where


class _Walk:
    """As the validator goes, at worst."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._steps = 0

    def follow(self, schema: object, path: tuple[str, ...]) -> None:
        self._steps += 1
        if self._steps > 2 * STEPS:  # what stands beside a reference is none of a Simplifier's steps
            raise BadSchema("its schema is too large when its references are written out")
        _words(schema)  # a reference may mean what is no part of the schema otherwise
        if not isinstance(schema, dict):
            return
        if (reference := schema.get("$ref")) is not None:
            if reference in path:
                raise BadSchema(f"its schema refers to itself ({reference[:80]})")
            self.follow(found(self._root, reference), (*path, reference))
        for inner in _inner(schema):
            self.follow(inner, path)


def _well_formed(schema: object) -> None:
    """It and all that is in it, whether something refers to that or not."""
    _words(schema)
    if isinstance(schema, dict):
        for inner in _inner(schema):
            _well_formed(inner)
        for word in APART & schema.keys():
            for inner in schema[word].values():
                _well_formed(inner)


def _inner(schema: Mapping[str, Any]) -> Iterator[object]:
    """The schemas in one whose words are as they have to be."""
    for word, value in schema.items():
        if word in ONE:
            yield value
        elif word in LISTED:
            yield from value
        elif word in NAMED:
            yield from value.values()


def _words(schema: object) -> None:
    """Whether the words of one schema stand as they should. What the validator does not know says nothing."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise BadSchema(f"its schema is none: {str(schema)[:60]} stands where a schema should")
    for word, value in schema.items():
        if word in UNKNOWN:
            raise BadSchema(f"its schema has '{word}', which is not followed here")
        if word in FORMS and not FORMS[word](value):
            raise BadSchema(f"its schema is none: '{word}' cannot be {json.dumps(value)[:60]}")
    if isinstance(pattern := schema.get("pattern"), str):
        _matches_in_time(pattern, int(schema.get("minLength", 0)))
    for pattern in schema.get("patternProperties", ()):
        _matches_in_time(pattern)


def _matches_in_time(pattern: str, letters: int = 0) -> None:
    """Of a text that has so many letters, or those of a short one."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise BadSchema(f"its schema is none: its pattern {pattern[:60]!r}: {error}") from error
    if (found := ways(pattern)) is None:
        raise BadSchema(
            f"its pattern {pattern[:60]!r} repeats a repetition, which can take for ever to match"
        )
    if found.among(max(SHORT, min(letters, LARGEST))) > MOST_WAYS:
        raise BadSchema(
            f"its pattern {pattern[:60]!r} can take for ever: too many of its pieces have no bound"
        )


def _schema(value: Any) -> bool:
    return isinstance(value, bool | dict)


def _by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_schema, value.values()))


def _several(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_schema, value))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value)) and len(set(value)) == len(value)


def _kinds(value: Any) -> bool:
    kinds = [value] if isinstance(value, str) else value
    return bool(kinds) and _texts(kinds) and TYPES.issuperset(kinds)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(value: Any) -> bool:
    return _number(value) and value >= 0 and value == int(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


FORMS: dict[str, Callable[[Any], bool]] = {
    "type": _kinds,
    "enum": lambda value: isinstance(value, list),
    "const": lambda value: True,
    "required": _texts,
    "uniqueItems": lambda value: isinstance(value, bool),
    "multipleOf": lambda value: _number(value) and value > 0,
    "dependentRequired": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
    **dict.fromkeys("$ref format pattern".split(), _text),
    **dict.fromkeys("exclusiveMaximum exclusiveMinimum maximum minimum".split(), _number),
    **dict.fromkeys("maxItems maxLength maxProperties minItems minLength minProperties".split(), _size),
    **dict.fromkeys("maxContains minContains".split(), _size),
    **dict.fromkeys(ONE, _schema),
    **dict.fromkeys(LISTED, _several),
    **dict.fromkeys(NAMED | APART, _by_name),
}
UNKNOWN = (
    Draft202012Validator.VALIDATORS.keys() | ROOTS
) - FORMS.keys()  # what the validator alone would follow
