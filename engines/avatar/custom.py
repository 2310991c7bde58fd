"""Parameters that plugins make for themselves (ParameterCreationRequest, ParameterDeletionRequest)."""

from __future__ import annotations

import re

from engines.avatar.fields import real, text
from engines.avatar.inputs import BUILT_IN, Input, Plugin
from engines.avatar.parameters import Parameters
from engines.avatar.wire import ApiError, Data

NAME = re.compile(r"[A-Za-z0-9]{4,32}")
LONGEST_EXPLANATION = 255  # characters
MOST_OF_A_PLUGIN, MOST = 100, 300
BAD_NAME, BAD_VALUES, OF_ANOTHER, TOO_LONG, IS_BUILT_IN, TOO_MANY, TOO_MANY_IN_ALL = range(350, 357)
DELETE_BAD_NAME, DELETE_UNKNOWN, DELETE_OF_ANOTHER, DELETE_BUILT_IN = range(400, 404)


def create(parameters: Parameters, plugin: Plugin, data: Data) -> str:
    """Make one, or change one's range; its name. Raises ApiError 350 to 356."""
    name = text(data, "parameterName", BAD_NAME)
    if name in BUILT_IN:
        raise ApiError(IS_BUILT_IN, f"{name} is a parameter of the program itself")
    if not NAME.fullmatch(name):
        raise ApiError(BAD_NAME, "parameterName must be 4 to 32 letters and digits")
    if len(text(data, "explanation", TOO_LONG)) > LONGEST_EXPLANATION:
        raise ApiError(TOO_LONG, f"explanation must be at most {LONGEST_EXPLANATION} characters")
    low, high, rest = (real(data, key, BAD_VALUES, 0.0) for key in ("min", "max", "defaultValue"))
    if low >= high:
        raise ApiError(BAD_VALUES, "min must be less than max")
    there = parameters.custom.get(name)
    if there is None:
        _room(parameters, plugin)
    elif there.owner != plugin:
        raise ApiError(OF_ANOTHER, f"{name} was made by another plugin")
    parameters.custom[name] = Input(name, low, high, rest, plugin)
    return name


def _room(parameters: Parameters, plugin: Plugin) -> None:
    if len(parameters.custom) >= MOST:
        raise ApiError(TOO_MANY_IN_ALL, f"there are {MOST} custom parameters already")
    if sum(made.owner == plugin for made in parameters.custom.values()) >= MOST_OF_A_PLUGIN:
        raise ApiError(TOO_MANY, f"this plugin has {MOST_OF_A_PLUGIN} custom parameters already")


def delete(parameters: Parameters, plugin: Plugin, data: Data) -> str:
    """Forget one; its name. Raises ApiError 400 to 403."""
    name = text(data, "parameterName", DELETE_BAD_NAME)
    if not name:
        raise ApiError(DELETE_BAD_NAME, "parameterName is missing")
    if name in BUILT_IN:
        raise ApiError(DELETE_BUILT_IN, f"{name} is a parameter of the program itself")
    there = parameters.custom.get(name)
    if there is None:
        raise ApiError(DELETE_UNKNOWN, f"there is no custom parameter '{name[:64]}'")
    if there.owner != plugin:
        raise ApiError(DELETE_OF_ANOTHER, f"{name} was made by another plugin")
    parameters.drop(name)
    return name
