"""YAML -> adapter: imports a `_target_` of our own, and checks every argument before anything is built.

Hydra's own instantiate would take any importable name and pass a wrong type in silence.
"""

import importlib
import inspect
import typing
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from glue.errors import ConfigError


def make(key: str, section: Mapping[str, Any], offer: Mapping[str, object]) -> Any:
    """Build the adapter that `section` names. `key` is where it stands in the config, for messages; of what
    app has on `offer` it gets what its constructor asks for by name. Raises ConfigError."""
    target, arguments = check(key, section, offer)
    wanted = inspect.signature(target).parameters
    offered = {word: value for word, value in offer.items() if word in wanted}
    return target(**(offered | arguments))


def check(key: str, section: Mapping[str, Any], offer: Collection[str]) -> tuple[Any, dict[str, Any]]:
    """The class that `section` names and its checked arguments, without building it. Raises ConfigError."""
    name = section.get("_target_")
    if not isinstance(name, str) or not name.startswith("glue."):
        raise ConfigError(f"{key}._target_: '{name}' is not an adapter of ours (glue.folder.module.Class)")
    module, _, attribute = name.rpartition(".")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{key}._target_: there is no '{name}' ({error})") from error
    parameters = inspect.signature(target).parameters
    hints = typing.get_type_hints(target.__init__)
    arguments = {}
    for word, value in section.items():
        if word != "_target_":
            arguments[word] = _checked(f"{key}.{word}", word, value, parameters, hints)
    for word, parameter in parameters.items():
        if parameter.default is parameter.empty and word not in arguments and word not in offer:
            raise ConfigError(f"{key}.{word}: is missing; {attribute} needs it")
    return target, arguments


def _checked(
    where: str,
    word: str,
    value: object,
    parameters: Mapping[str, inspect.Parameter],
    hints: Mapping[str, Any],
) -> object:
    if word not in parameters:
        close = get_close_matches(word, parameters, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"{where}: no such option{hint} The options are: {', '.join(parameters)}")
    try:
        return TypeAdapter(hints[word]).validate_python(value, strict=isinstance(value, bool))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"{where}: {first['msg'].lower()}, not {value!r}") from error
