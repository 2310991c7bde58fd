"""A chat log (JSON lines of `t`, `author`, `text`) -> lines to be said: strict, every mistake by its line."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from glue.errors import ConfigError

KEYS = {"t": (int, float), "author": (str,), "text": (str,), "supporter": (bool,)}
REQUIRED = ("t", "author", "text")
LONGEST = 24 * 3600.0  # seconds; a later `t` is a wall clock by mistake


@dataclass(frozen=True, slots=True)
class Said:
    """`author` says `text`, `t` seconds after the log's beginning."""

    t: float
    author: str
    text: str
    supporter: bool = False


def load(path: Path) -> list[Said]:
    """Read a log. Raises ConfigError with the file, the line's number and what is wrong."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"rehearsal.log: {path} cannot be read: {error.strerror}") from error
    return parse(raw.splitlines(), path.name)


def parse(rows: Iterable[bytes], name: str = "log") -> list[Said]:
    """The lines of a log, in order. Raises ConfigError."""
    said = list(_said(rows, name))
    if not said:
        raise ConfigError(f"rehearsal.log: {name} holds no line")
    return said


def _said(rows: Iterable[bytes], name: str) -> Iterator[Said]:
    before = 0.0
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        where = f"{name}:{number}"
        record = _record(row, where)
        _check(record, where)
        t = _seconds(record["t"], where)
        if t < before:
            _refuse(where, f"t={t:g} comes after t={before:g}: the lines must be in the order of time")
        before = t
        yield Said(t, str(record["author"]), str(record["text"]), bool(record.get("supporter", False)))


def _record(row: bytes, where: str) -> dict[str, object]:
    try:
        record = json.loads(row.decode("utf-8"))
    except UnicodeDecodeError:
        _refuse(where, "is not UTF-8")
    except (ValueError, RecursionError):  # a million brackets are not a line either
        _refuse(where, 'is not JSON; a line looks like {"t": 1.5, "author": "mika", "text": "hi"}')
    if not isinstance(record, dict):
        _refuse(where, "is not a JSON object")
    return record


def _check(record: dict[str, object], where: str) -> None:
    for key in REQUIRED:
        if key not in record:
            _refuse(where, f"'{key}' is missing")
    for key, value in record.items():
        if key not in KEYS:
            _refuse(where, f"unknown key '{key}'; the keys are: {', '.join(KEYS)}")
        if type(value) not in KEYS[key]:
            _refuse(where, f"'{key}' is a {type(value).__name__}, not a {KEYS[key][-1].__name__}")
    if not str(record["author"]).strip():
        _refuse(where, "'author' is empty")


def _seconds(value: object, where: str) -> float:
    assert isinstance(value, int | float)  # _check saw to it
    if not 0 <= value <= LONGEST or math.isnan(value):
        _refuse(where, f"t is not between 0 and {LONGEST:g} seconds")
    return float(value)


def _refuse(where: str, why: str) -> NoReturn:
    raise ConfigError(f"rehearsal.log: {where} {why}")
