"""What games send and what models answer: any of it is read or refused, and never breaks anything."""

import json
import sys
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from glue.game_events import Priority
from glue.games.example import example
from glue.games.messages import Action, Context, Force, Message, Nonsense, Register, Result, Unknown, read
from glue.games.player import Choice, grammar, ordered
from glue.games.recording import BadRecording, Frame, load
from glue.games.schema import Shape
from glue.games.text import line, shorten, tidy
from glue.games.words import BadSchema

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ABOUT_ACTIONS = ["actions/register", "actions/unregister", "actions/force", "action/result"]
COMMANDS = ["startup", "context", *ABOUT_ACTIONS, "shutdown/ready", "neuro-relay/other"]
WORDS = (
    "type properties required items enum const minimum maximum minLength maxLength pattern anyOf oneOf allOf "
    "not $ref additionalProperties format minItems maxItems $defs if then patternProperties"
).split()
KEYS = st.sampled_from(
    [*WORDS, "message", "silent", "actions", "action_names", "query", "id", "success", "name"]
)
# Numbers and texts that JSON allows and a program stumbles over.
SLOPPY = [0, 1, 5, True, None, 3.0, 0.5, -2.0, 1e300, float("inf"), 10**30, "a{99999999999}", "(", "\ud800"]
SCHEMAS = st.recursive(
    st.sampled_from(
        ["string", "object", "integer", "number", "array", "#/properties/a", "#", "^a+$", "(a+)+", *SLOPPY]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.sampled_from("ab"), inner, max_size=4)
    ),
    max_leaves=20,
)
DOUBLING = {
    "$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4} for n in range(12)} | {"d12": {}},
    "properties": {"a": {"$ref": "#/$defs/d0"}},
}
DOUBLED = {
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {}}
}
D0 = {"$ref": "#/$defs/d0"}
# Every word by which a validator comes to a schema and a grammar does not.
WALKED: list[dict[str, Any]] = [
    *({word: D0} for word in ("not", "if", "additionalProperties", "propertyNames")),
    *({"if": {}, word: D0} for word in ("then", "else")),
    *({word: {"a": D0}} for word in ("patternProperties", "dependentSchemas")),
    *({"properties": {"a": {word: D0}}} for word in ("contains", "items")),
    {"properties": {"a": {"prefixItems": [D0]}}},
    {
        "properties": {"a": {"$ref": "#/$defs/b", "properties": {}}},
        "$defs": {"b": {"properties": {"c": D0}}, **DOUBLED["$defs"]},
    },
    {"definitions": {"a/%": D0}, "not": {"$ref": "#/definitions/a~1%25"}},
]


def message(command: str, **data: object) -> Message:
    return read(json.dumps({"command": command, "game": "G", "data": data}))


@given(st.text() | st.binary())
def test_any_frame_is_read_or_refused(frame: str | bytes) -> None:
    try:
        assert read(frame).game
    except Nonsense as error:
        assert str(error)


@given(st.sampled_from(COMMANDS), JSON | st.dictionaries(KEYS, JSON, max_size=6), JSON)
@settings(max_examples=400)
def test_any_message_is_read_or_refused(command: str, data: object, game: object) -> None:
    try:
        found = read(json.dumps({"command": command, "game": game, "data": data}))
    except Nonsense as error:
        assert str(error)
    else:
        assert found.command == command and isinstance(game, str)


def test_every_message_of_the_specification() -> None:
    assert message("context", message="Hi\x00 there", silent=True).body == Context("Hi there", True)
    registered = message(
        "actions/register", actions=[{"name": "a", "description": "b", "schema": {}}, 5]
    ).body
    assert registered == Register((Action("a", "b", None),), ("1: not an object",))
    forced = message("actions/force", query="Now", action_names=["a", "b", "a"], priority="critical").body
    assert forced == Force("Now", "", ("a", "b"), Priority.CRITICAL)
    assert message("actions/force", query="Now", action_names=[], priority="asap").body == Force(
        "Now", "", ()
    )
    assert message("action/result", id="1", success=False).body == Result("1", False, "")
    assert isinstance(message("neuro-relay/hello", anything=1).body, Unknown)
    assert read('{"command": "startup", "game": "Buckshot: \\"Roulette\\""}').game == 'Buckshot: "Roulette"'


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b'{"command": "startup", "game": "G"}', "binary"),
        ("[1]", "not an object"),
        ('{"command": 1, "game": "G"}', "'command' is not a text"),
        ('{"command": "startup"}', "'game' is missing"),
        ('{"command": "startup", "game": "  "}', "'game' is empty"),
        ('{"command": "context", "game": "G", "data": []}', "'data' is not an object"),
        ('{"command": "context", "game": "G"}', "'message' is missing"),
        (
            '{"command": "context", "game": "G", "data": {"message": "x", "silent": 1}}',
            "'silent' is not true",
        ),
        ('{"command": "action/result", "game": "G", "data": {"id": "1"}}', "'success' is missing"),
        ('{"command": "x", "game": "G", "data": {"a": NaN}}', "not JSON"),
        ('{"command": "x", "game": "G", "data": ' + '{"a":' * 200 + "1" + "}" * 201, "inside one another"),
        ("[" * 100_000, "not JSON"),
        ('{"command": "startup", "game": ' + "1" * 9999 + "}", "not JSON"),
    ],
)
def test_what_is_wrong_is_said(frame: str | bytes, why: str) -> None:
    with pytest.raises(Nonsense, match=why):
        read(frame)


@given(st.text())
def test_a_games_words_are_only_words(text: str) -> None:
    clean = tidy(text, 100)
    assert len(clean) <= 100 and "<|" not in clean and "[INST]" not in clean and tidy(clean, 100) == clean
    assert "\n" not in line(text, 100)


@given(st.text(max_size=60), st.integers(0, 50))
def test_what_is_long_loses_its_middle(text: str, longest: int) -> None:
    assert len(shorten(text, longest)) <= longest


@given(st.dictionaries(st.sampled_from(WORDS), SCHEMAS, max_size=5), JSON)
@settings(max_examples=400)
def test_any_schema_gives_a_shape_that_can_be_asked_for(schema: dict[str, Any], data: object) -> None:
    shape = Shape(Action("a", "", schema or None))
    json.dumps(grammar([shape]), ensure_ascii=False, allow_nan=False).encode()  # as it is sent
    assert shape.signature and isinstance(shape.wrong(data), str)
    assert isinstance(ordered(f"a {json.dumps(data)}", {"a": shape}), Choice | str)
    if not shape.bare:
        with suppress(BadSchema):  # it asks for too much
            example(shape.constraint, Random(0))


@pytest.mark.parametrize(
    ("schema", "signature"),
    [
        (
            {"properties": {"cell": {"type": "integer", "minimum": 0, "maximum": 8}}, "required": ["cell"]},
            "cell: 0..8",
        ),
        ({"properties": {"a": {"enum": [*"abcdefgh", 1]}}}, "a?: one of a, b, c, d, e, f, g, h, 1"),
        ({"properties": {"a": {"enum": ["x", 1]}, "b": {"const": None}}}, 'a?: "x" or 1, b?: null'),
        ({"properties": {"a": {"type": ["string", "null"]}}}, "a?: string or null"),
        ({"properties": {"a": {"type": "array", "items": {"enum": [1, 2]}}}}, "a?: list of 1 or 2"),
        ({"$defs": {"n": {"enum": [3]}}, "properties": {"a": {"$ref": "#/$defs/n"}}}, "a?: 3"),
        ({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]}]}, "a: 1"),
        ({"properties": {"p": {"properties": {"x": {"type": "number"}}}}}, "p?: {x?: number}"),
        ({"properties": {"a": True}, "title": "T"}, "a?: string"),
    ],
)
def test_what_a_schema_asks_for_is_told_in_one_line(schema: dict[str, Any], signature: str) -> None:
    shape = Shape(Action("act", "", {"type": "object", **schema}))
    assert (shape.bad, shape.signature) == ("", f"act({signature})")
    assert shape.wrong(example(shape.constraint, Random(3))) == ""


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string"}, "not of type object"),
        ({"type": "wonder"}, "not of type object"),
        ({"properties": {"a": {"type": "wonder"}}}, "its schema is none"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "refers to itself"),
        ({"properties": {"a": {"$ref": "https://example.com/x"}}}, "what is not in it"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "what is not in it"),
        ({"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}, "repeats a repetition"),
        ({"description": "x" * 30_000}, "longer than"),
        (DOUBLING, "too large"),
        ({"properties": {"a": {"type": "number", "maximum": float("inf")}}}, "a number or a letter"),
        ({"properties": {"a": {"enum": ["\ud800"]}}}, "a number or a letter"),
        ({"properties": {"a": {"type": "string", "pattern": "a{99999999999}"}}}, "cannot be read"),
        ({"properties": {"a": {"type": "string", "pattern": "("}}}, "its schema is none"),
        ({"properties": {"a": {"default": {"$defs": 5}, "$ref": "#/properties/a/default"}}}, "is none"),
        ({"properties": {"a": {"$ref": "#x/properties/b"}, "b": {}}}, "what is not in it"),
        ({"allOf": [{}], "unevaluatedProperties": False}, "'unevaluatedProperties', which is not followed"),
        ({"not": {"$schema": "http://json-schema.org/draft-04/schema#"}}, "'$schema', which is not followed"),
        *(({**DOUBLED, **word}, "too large") for word in WALKED),
    ],
)
def test_a_schema_that_nothing_can_be_made_of_is_named(schema: dict[str, Any], why: str) -> None:
    shape = Shape(Action("a", "", schema))
    assert why in shape.bad
    assert shape.constraint["type"] == "object" and shape.wrong({}) == ""


@pytest.mark.parametrize(
    "word",
    [{"title": 5, "default": {"not": 7}, "examples": [{"$id": 3}], "x-order": {"items": 1}},
     {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/a", "$comment": ""},
     {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}, "not": {"required": ["c"]}},
     {"minProperties": 0, "propertyNames": {"maxLength": 9}, "dependentRequired": {"a": ["b"]}}],
)  # fmt: skip
def test_what_says_nothing_to_a_grammar_does_no_harm(word: dict[str, Any]) -> None:
    shape = Shape(Action("a", "", {"properties": {"a": {"const": 1}, "b": {"const": 2}}, **word}))
    assert shape.bad == "" and shape.wrong({"a": 1, "b": 2}) == ""


@given(st.dictionaries(st.sampled_from(WORDS), SCHEMAS, max_size=5))
@settings(max_examples=400)
def test_what_is_taken_for_a_schema_is_one_by_the_librarys_own_check(schema: dict[str, Any]) -> None:
    bad = Shape(Action("a", "", schema)).bad
    if not bad:
        Draft202012Validator.check_schema(schema)
    elif "its schema is none" in bad:
        with pytest.raises(SchemaError):
            Draft202012Validator.check_schema(schema)


def test_a_schema_is_read_in_few_steps() -> None:
    """A frame may bring a thousand of them, and meanwhile she stands still."""
    cell = {"type": "integer", "minimum": 0, "maximum": 8, "description": "Which one."}
    action = Action("place", "", {"type": "object", "properties": {"a": cell, "b": cell}, "required": ["a"]})
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        Shape(action)
    finally:
        sys.setprofile(None)
    assert calls < 500  # the library's own check takes thousands


def lists(items: dict[str, Any], *least: int) -> Shape:
    """An action that takes lists in one another, each of so many at least."""
    for size in least:
        items = {"type": "array", "items": items, "minItems": size}
    return Shape(Action("a", "", {"properties": {"a": items}, "required": ["a"]}))


def test_chance_makes_long_lists_but_not_lists_of_lists_of_lists() -> None:
    long = lists({"type": "boolean"}, 2, 150)
    assert long.wrong(example(long.constraint, Random(0))) == ""
    endless = lists({"type": "boolean"}, 100, 100, 100)
    with pytest.raises(BadSchema, match="more than 500 values"):
        example(endless.constraint, Random(0))


def test_many_values_of_many_kinds_are_not_checked_for_ever() -> None:
    kinds = lists({"anyOf": [{"const": number} for number in range(300)]}, 0)
    assert kinds.wrong({"a": [299] * 9}) == "" and "there is too much" in kinds.wrong({"a": [299] * 90})
    assert kinds.wrong({"a": [299] * 9}) == "" and "299" in kinds.wrong({"a": 299})


@pytest.mark.parametrize(
    ("given", "held_to"),
    [
        ({"type": "string", "minLength": 3.0}, {"minLength": 3, "maxLength": 160}),
        ({"type": "string", "maxLength": 1e300}, {"maxLength": 2000}),
        ({"type": "integer", "minimum": 0.5, "maximum": 8.0}, {"minimum": 1, "maximum": 8}),
        ({"type": "integer", "exclusiveMinimum": 0.5, "maximum": 1e300}, {"exclusiveMinimum": 0}),
        ({"type": "array", "items": {"const": 1}, "minItems": 2.0}, {"minItems": 2, "maxItems": 8}),
    ],
)
def test_sloppy_bounds_become_whole_ones(given: dict[str, Any], held_to: dict[str, Any]) -> None:
    shape = Shape(Action("a", "", {"properties": {"a": given}, "required": ["a"]}))
    found = shape.constraint["properties"]["a"]
    bounds = {word: bound for word, bound in found.items() if word not in ("type", "items")}
    assert bounds == held_to and not any(isinstance(bound, float) for bound in bounds.values())
    assert shape.wrong(example(shape.constraint, Random(0))) == ""


def test_the_grammar_has_a_branch_an_action() -> None:
    bare, rich = Shape(Action("bare", "")), Shape(Action("rich", "", {"properties": {"a": {"const": 1}}}))
    assert grammar([bare])["properties"] == {"action": {"enum": ["bare"]}}
    assert grammar([rich])["properties"] == {"a": {"const": 1}}
    branches = grammar([bare, rich])["anyOf"]
    assert [list(branch["properties"]) for branch in branches] == [["action"], ["action", "data"]]


@given(st.text() | st.lists(st.text()).map("\n".join))
def test_any_recording_is_read_or_refused(text: str) -> None:
    try:
        load(text.splitlines())
    except BadRecording as error:
        assert "line" in str(error)


def test_a_recording() -> None:
    rows = [
        '{"t": 0, "from": "game", "frame": "{\\"command\\": \\"startup\\"}"}',
        "",
        '{"t": 1.5, "from": "ai", "frame": "x"}',
    ]
    first, second = load(rows)
    assert first.message == {"command": "startup"}
    assert second == Frame(1.5, "ai", "x") and second.message == {}
    with pytest.raises(BadRecording, match="line 1"):
        load(['{"t": -1, "from": "game", "frame": ""}'])
