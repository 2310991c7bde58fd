"""What an action's parameters may be: a game's schema, made into one that a model can be held to. Pure.

The answer is checked against the game's own schema. What the model is held to is that schema less what
grammar makers do not know: where it is wider, an answer may cost a second try.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from glue.games.messages import Action

LARGEST = 20_000  # characters of one schema
STEPS = 2000  # parts of a schema that are walked; references to one another may multiply them
LONGEST_LIST = 8  # members of a list whose schema sets no bound: a small model would never end it
LONGEST_WORDS = 160  # characters of a text without a bound
KEPT = frozenset(
    "type enum const properties required items minItems maxItems minLength maxLength pattern minimum maximum "
    "exclusiveMinimum exclusiveMaximum anyOf oneOf format".split()
)
FORMATS = frozenset({"date", "time", "date-time", "uuid"})  # that llama.cpp and xgrammar know
FEW, MOST_WORDS = 8, 40  # values of an enum: more than a few are told in half the tokens; the most told
PATTERN = 200  # characters; what is longer, or looks around, is left to the validator
REPEATED = re.compile(r"[*+}][^()\[\]]*\)[*+{]|\([^()]*\|[^()]*\)[*+{]")
MOST_MEMBERS = 2000  # of a list or letters of a text; llama.cpp's grammars repeat nothing more often
LARGEST_NUMBER = 2**53  # of a bound; beyond it JSON readers differ, and no game means it
# What the libraries that walk a schema raise at an odd one: `pattern: "a{99999999999}"` is an OverflowError.
ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, re.error)
TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})


class BadSchema(ValueError):
    """Nothing can be made of it; the text says why, for the game's author."""


class Shape:
    """The parameters of one action. Raises BadSchema where a game's schema is none."""

    def __init__(self, action: Action) -> None:
        self.name = action.name
        self.description = action.description
        self.bad = ""  # why the schema is not usable; then it is taken as "any object"
        self._schema = dict(action.schema or {})
        if not self._schema:
            return
        try:
            _check(self._schema)
            self.signature  # noqa: B018  (now, where its failure can be told)
        except ODD as error:
            self.bad = str(error) if isinstance(error, BadSchema) else _odd(error)
            self._schema = {"type": "object"}
            self.__dict__.pop("constraint", None)

    @property
    def bare(self) -> bool:
        """Whether it takes no parameters: then `data` stays away."""
        return not self._schema

    @cached_property
    def constraint(self) -> dict[str, Any]:
        """The schema that the model is held to. Every value in it is of a kind that all servers know."""
        return _Simplifier(self._schema).run()

    @cached_property
    def signature(self) -> str:
        """One line for the prompt and the page: `place(cell: 0..8, mark: "x" or "o")`."""
        if self.bare:
            return self.name
        return f"{self.name}({_fields(self.constraint)})"

    def wrong(self, data: object) -> str:
        """Why the game would not take these parameters; "" where it would."""
        if self.bare:
            return "" if data is None else "this action takes no parameters"
        if not isinstance(data, dict):
            return "the parameters are not an object"
        try:
            first = jsonschema.exceptions.best_match(_validator(self._schema).iter_errors(data))
        except (Unresolvable, *ODD) as error:
            return f"its schema cannot be followed ({type(error).__name__})"
        return "" if first is None else f"{first.json_path}: {first.message}"[:300]


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """An empty registry: a reference to an address is never fetched."""
    return Draft202012Validator(schema, registry=Registry())


def _odd(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its schema is too deep"
    return f"its schema cannot be read ({type(error).__name__})"


def _check(schema: Mapping[str, Any]) -> None:
    try:
        size = len(json.dumps(schema, ensure_ascii=False, allow_nan=False).encode())
    except ValueError as error:  # 1e999 is JSON, and infinite; half a surrogate pair is JSON, and no text
        raise BadSchema("its schema has a number or a letter that nobody can be sent") from error
    if size > LARGEST:
        raise BadSchema(f"its schema is longer than {LARGEST} characters")
    if schema.get("type", "object") != "object":
        raise BadSchema("its schema is not of type object")
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        said = error.message if isinstance(error, SchemaError) else "it is too deep"
        raise BadSchema(f"its schema is none: {said[:200]}") from error
    for pattern in _patterns(schema):
        if REPEATED.search(pattern):
            raise BadSchema(
                f"its pattern {pattern[:60]!r} repeats a repetition, which can take for ever to match"
            )


def _patterns(value: object) -> Iterator[str]:
    """Every regular expression in a schema."""
    if isinstance(value, dict):
        if isinstance(pattern := value.get("pattern"), str):
            yield pattern
        if isinstance(named := value.get("patternProperties"), dict):
            yield from named
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _patterns(inner)


class _Simplifier:
    """References are written out, decoration is dropped, what has no bound gets one."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._root = schema
        self._steps = 0

    def run(self) -> dict[str, Any]:
        """The whole schema. Raises BadSchema."""
        simple = self._one(self._root, ())
        return {"type": "object", "properties": {}, **simple, "additionalProperties": False}

    def _one(self, schema: object, path: tuple[str, ...]) -> dict[str, Any]:
        self._steps += 1
        if self._steps > STEPS:
            raise BadSchema("its schema is too large when its references are written out")
        if not isinstance(schema, dict):
            return self._bounded({})  # true, which allows anything; false is the validator's business
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in path:
                raise BadSchema(f"its schema refers to itself ({reference[:80]})")
            rest = {word: value for word, value in schema.items() if word != "$ref"}
            return self._one({**self._found(reference), **rest}, (*path, reference))
        schema = self._joined(schema, path)
        simple = {word: value for word, value in schema.items() if word in KEPT}
        return self._bounded(self._inside(simple, path))

    def _found(self, reference: str) -> Mapping[str, Any]:
        where: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            word = step.replace("~1", "/").replace("~0", "~")
            where = where.get(word) if isinstance(where, dict) else None
        if not reference.startswith("#") or not isinstance(where, dict):
            raise BadSchema(f"its schema refers to what is not in it ({reference[:80]})")
        return where

    def _joined(self, schema: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
        """allOf as one object, since no grammar can be two things at once."""
        joined = dict(schema)
        for part in schema.get("allOf", ()):
            if not isinstance(part, dict):
                continue
            simple = self._one(part, path)
            properties = {**joined.get("properties", {}), **simple.get("properties", {})}
            required = [*joined.get("required", ()), *simple.get("required", ())]
            joined = {**simple, **joined}
            if properties:
                joined["properties"] = properties
            if required:
                joined["required"] = list(dict.fromkeys(required))
        return joined

    def _inside(self, simple: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        for word in ("anyOf", "oneOf"):
            if word in simple:
                simple[word] = [self._one(each, path) for each in simple[word]]
        if "properties" in simple:
            simple["properties"] = {key: self._one(each, path) for key, each in simple["properties"].items()}
            simple.setdefault("type", "object")
        if "items" in simple:
            simple["items"] = self._one(simple["items"], path)
            simple.setdefault("type", "array")
        return simple

    def _bounded(self, simple: dict[str, Any]) -> dict[str, Any]:
        if "enum" in simple or "const" in simple:
            return {word: simple[word] for word in ("enum", "const") if word in simple}
        alternatives = simple.get("anyOf") or simple.get("oneOf")
        if alternatives:
            return {"anyOf": alternatives}
        kinds = simple.get("type")
        if isinstance(kinds, list):
            return {"anyOf": [self._bounded({**simple, "type": kind}) for kind in kinds]}
        if kinds not in TYPES:
            return {"type": "string", "maxLength": LONGEST_WORDS}
        return BOUNDS.get(kinds, lambda it: {"type": kinds})(simple)


def _object(simple: dict[str, Any]) -> dict[str, Any]:
    properties = simple.get("properties", {})
    required = [key for key in simple.get("required", ()) if key in properties]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _array(simple: dict[str, Any]) -> dict[str, Any]:
    least = _size(simple, "minItems", 0)
    items = simple.get("items") or {"type": "string", "maxLength": LONGEST_WORDS}
    most = _size(simple, "maxItems", max(least, LONGEST_LIST))
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _string(simple: dict[str, Any]) -> dict[str, Any]:
    pattern, kind = simple.get("pattern", ""), simple.get("format")
    if pattern and _plain_pattern(pattern):
        return {"type": "string", "pattern": pattern}
    if kind in FORMATS:
        return {"type": "string", "format": kind}
    least = _size(simple, "minLength", 0)
    bounds = {"minLength": least} if least else {}
    return {"type": "string", **bounds, "maxLength": _size(simple, "maxLength", max(least, LONGEST_WORDS))}


def _size(simple: Mapping[str, Any], word: str, otherwise: int) -> int:
    """A bound on members or letters. 3.0 is a whole number to JSON Schema, and none to a grammar."""
    return min(int(simple.get(word, otherwise)), MOST_MEMBERS)


def _number(simple: dict[str, Any]) -> dict[str, Any]:
    if simple["type"] == "number":
        return {"type": "number"}  # grammars bound whole numbers only; the validator sees to the rest
    found = {word: whole(simple[word]) for word, whole in WHOLE.items() if word in simple}
    near = {word: bound for word, bound in found.items() if abs(bound) <= LARGEST_NUMBER}
    return {"type": "integer", **near}


def _plain_pattern(pattern: str) -> bool:
    """Whether grammar makers know it: anchored, no looking around, no classes of Unicode."""
    odd = any(mark in pattern for mark in ("(?", "\\b", "\\B", "\\p", "\\1", "*?", "+?"))
    return pattern.startswith("^") and pattern.endswith("$") and not odd and len(pattern) <= PATTERN


# Whole numbers that let the same whole numbers through: above 0.5 is above 0.
WHOLE = {
    "minimum": math.ceil,
    "maximum": math.floor,
    "exclusiveMinimum": math.floor,
    "exclusiveMaximum": math.ceil,
}
BOUNDS = {"object": _object, "array": _array, "string": _string, "number": _number, "integer": _number}


def _fields(constraint: Mapping[str, Any]) -> str:
    required = constraint.get("required", ())
    shown = (
        f"{key}{'' if key in required else '?'}: {_kind(each)}"
        for key, each in constraint.get("properties", {}).items()
    )
    return ", ".join(shown)


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)[:60]
    if "enum" in schema:
        many = len(schema["enum"]) > FEW
        words = [
            each[:60] if many and isinstance(each, str) else json.dumps(each, ensure_ascii=False)[:60]
            for each in schema["enum"][:MOST_WORDS]
        ]
        rest = ["..."] if len(schema["enum"]) > MOST_WORDS else []
        return "one of " + ", ".join(words + rest) if many else " or ".join(words)
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "integer" and "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']}..{schema['maximum']}"
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object":
        return "{" + _fields(schema) + "}"
    return str(schema.get("type", "anything"))
