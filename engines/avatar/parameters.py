"""What plugins inject, and what each parameter is worth now. Pure: every moment is an argument, in seconds.

One plugin at a time sets a parameter, any number add to it, and each must say so again within a second
(VTube Studio's InjectParameterDataRequest).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engines.avatar.fields import flag, real
from engines.avatar.inputs import BUILT_IN, Input, Plugin
from engines.avatar.wire import ApiError, Data

KEPT_S = 1.0  # seconds that an injected value holds
NO_DATA, BAD_VALUE, BAD_WEIGHT, UNKNOWN, TAKEN, BAD_MODE = 450, 451, 452, 453, 454, 455


@dataclass(frozen=True, slots=True)
class Injection:
    """What one request injects. `values`: parameter, value, weight (0-1)."""

    adds: bool
    face_found: bool
    values: list[tuple[str, float, float]]


@dataclass(slots=True)
class Held:
    """A value that a plugin set."""

    by: Plugin
    value: float
    weight: float
    until: float


@dataclass(slots=True)
class Parameters:
    """All input parameters. `custom` are those that plugins made."""

    custom: dict[str, Input] = field(default_factory=dict)
    _set: dict[str, Held] = field(default_factory=dict)
    _added: dict[str, dict[Plugin, tuple[float, float]]] = field(default_factory=dict)  # value, until
    _face_until: float = float("-inf")

    def find(self, name: str) -> Input | None:
        """The parameter of this name."""
        return BUILT_IN.get(name) or self.custom.get(name)

    def inject(self, plugin: Plugin, injection: Injection, now: float) -> None:
        """Take all of it, or nothing. Raises ApiError 453, 454."""
        for name, _, _ in injection.values:
            self._check(plugin, name, injection.adds, now)
        until = now + KEPT_S
        for name, value, weight in injection.values:
            if injection.adds:
                self._added.setdefault(name, {})[plugin] = (value, until)
            else:
                self._set[name] = Held(plugin, value, weight, until)
        if injection.face_found:
            self._face_until = until

    def _check(self, plugin: Plugin, name: str, adds: bool, now: float) -> None:
        if name not in BUILT_IN and name not in self.custom:
            raise ApiError(UNKNOWN, f"there is no parameter '{name[:64]}'")
        held = self._set.get(name)
        if not adds and held and held.by != plugin and now < held.until:
            raise ApiError(TAKEN, f"{name} is controlled by the plugin '{held.by.name}'")

    def expire(self, now: float) -> bool:
        """Forget what was not said again in time. Whether anything is injected still."""
        self._set = {name: held for name, held in self._set.items() if now < held.until}
        for name, adders in list(self._added.items()):
            kept = {plugin: said for plugin, said in adders.items() if now < said[1]}
            self._added[name] = kept
            if not kept:
                del self._added[name]
        return bool(self._set or self._added) or self.face_found(now)

    def drop(self, name: str) -> None:
        """Forget a custom parameter."""
        for kept in (self.custom, self._set, self._added):
            kept.pop(name, None)

    def injected(self, now: float) -> bool:
        """Whether a plugin controls anything."""
        return any(now < held.until for held in self._set.values()) or any(
            now < until for adders in self._added.values() for _, until in adders.values()
        )

    def face_found(self, now: float) -> bool:
        """Whether a plugin says that there is a face."""
        return now < self._face_until

    def values(self, now: float) -> dict[str, float]:
        """Every parameter's value."""
        found = dict(REST)
        found.update((name, made.rest) for name, made in self.custom.items())
        for name, held in self._set.items():
            if now < held.until:
                found[name] = held.weight * held.value + (1 - held.weight) * found[name]
        for name, adders in self._added.items():
            found[name] += sum(value for value, until in adders.values() if now < until)
        return found

    def all(self) -> Iterable[Input]:
        """Built in, then custom."""
        return (*BUILT_IN.values(), *self.custom.values())


REST: Mapping[str, float] = {name: made.rest for name, made in BUILT_IN.items()}


def injection(data: Data) -> Injection:
    """Read the data of an InjectParameterDataRequest. Raises ApiError 2, 450, 451, 452, 453, 455."""
    mode = data.get("mode") or "set"
    if mode not in ("set", "add"):
        raise ApiError(BAD_MODE, "mode must be 'set' or 'add'")
    values = data.get("parameterValues")
    if not isinstance(values, list) or not values:
        raise ApiError(NO_DATA, "parameterValues must be a list with at least one value")
    return Injection(mode == "add", flag(data, "faceFound"), [_value(item) for item in values])


def _value(item: Any) -> tuple[str, float, float]:
    if not isinstance(item, dict):
        raise ApiError(NO_DATA, "each of parameterValues must be an object with id and value")
    name = item.get("id")
    if not isinstance(name, str):
        raise ApiError(UNKNOWN, "each of parameterValues must have an id")
    weight = 1.0
    if item.get("weight") is not None:
        weight = real(item, "weight", BAD_WEIGHT)
        if not 0.0 <= weight <= 1.0:
            raise ApiError(BAD_WEIGHT, f"weight of {name[:64]} must be between 0 and 1")
    return name, real(item, "value", BAD_VALUE), weight
