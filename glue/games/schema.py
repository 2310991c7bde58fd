"""What an action's parameters may be: a game's schema, made into one that a model can be held to. Pure.

The answer is checked against the game's own schema. What the model is held to is that schema less what
grammar makers do not know: where it is wider, an answer may cost a second try.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from glue.games.messages import Action
from glue.games.patterns import ways
from glue.games.words import STEPS, TYPES, BadSchema, check, found

LONGEST_LIST = 8  # members of a list whose schema sets no bound: a small model would never end it
LONGEST_WORDS = 160  # characters of a text without a bound
KEPT = frozenset(
    "type enum const properties required items minItems maxItems minLength maxLength pattern minimum maximum "
    "exclusiveMinimum exclusiveMaximum anyOf oneOf format".split()
)
FORMATS = frozenset({"date", "time", "date-time", "uuid"})  # that llama.cpp and xgrammar know
FEW, MOST_WORDS = 8, 40  # values of an enum: more than a few are told in half the tokens; the most told
PATTERN = 200  # characters; what is longer, or looks around, is left to the validator
MOST_MEMBERS = 2000  # of a list or letters of a text; llama.cpp's grammars repeat nothing more often
MOST_EFFORT = 6000  # words that are held against values: many values, and many words for each, are too much
WAYS = 5000  # to match a pattern, as long as it takes to hold one word
LARGEST_NUMBER = 2**53  # of a bound; beyond it JSON readers differ, and no game means it
# What the libraries that walk a schema raise at an odd one: `pattern: "a{99999999999}"` is an OverflowError.
ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError, re.error)


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
            check(self._schema)
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
        EFFORT.left = MOST_EFFORT
        try:
            first = jsonschema.exceptions.best_match(_validator(self._schema).iter_errors(data))
        except BadSchema as error:
            return str(error)
        except (Unresolvable, *ODD) as error:
            return f"its schema cannot be followed ({type(error).__name__})"
        return "" if first is None else f"{first.json_path}: {first.message}"[:300]


class _Effort:
    """How many words of schemas may still be held against values. One check at a time: none of them waits."""

    left = 0

    def bound(self, word: str, check: Callable[..., Any]) -> Callable[..., Any]:
        """The same check, as long as there is something left."""

        def bounded(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            self.left -= 1 + _tried(word, value, instance) // WAYS
            if self.left < 0:
                raise BadSchema("there is too much in it to be checked")
            return check(validator, value, instance, schema)

        return bounded


def _tried(word: str, value: Any, instance: Any) -> int:
    """In how many ways, at most, the patterns of a word are held against a value."""
    patterns: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    if word == "pattern" and isinstance(instance, str):
        patterns, texts = (value,), (instance,)
    elif word == "patternProperties" and isinstance(instance, dict):
        patterns, texts = tuple(value), tuple(instance)
    found = [each for each in map(ways, patterns) if each is not None]  # a schema that has others is refused
    return sum(each.among(len(text)) for each in found for text in texts)


EFFORT = _Effort()
CHECKS = {word: EFFORT.bound(word, check) for word, check in Draft202012Validator.VALIDATORS.items()}
extended: Callable[..., Any] = jsonschema.validators.extend  # whose stubs have no types
Validator = extended(Draft202012Validator, CHECKS)


def _validator(schema: Mapping[str, Any]) -> Any:
    """An empty registry: a reference to an address is never fetched."""
    return Validator(schema, registry=Registry())


def _odd(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its schema is too deep"
    return f"its schema cannot be read ({type(error).__name__})"


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
            return self._one({**found(self._root, reference), **rest}, (*path, reference))
        schema = self._joined(schema, path)
        simple = {word: value for word, value in schema.items() if word in KEPT}
        return self._bounded(self._inside(simple, path))

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
