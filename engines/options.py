"""How every engine reads its command line: `python -m engines.NAME key=value ...`, typed and strict."""

import ctypes
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError, ValidationError

T = TypeVar("T")
PR_SET_PDEATHSIG = 1  # prctl(2)


class OptionError(Exception):
    """An option that an engine does not have, or of the wrong type; one line, with the choices."""


def parse(kind: type[T], argv: Sequence[str]) -> T:
    """Build `kind` (a frozen dataclass) from key=value words. Raises OptionError."""
    choices = ", ".join(f.name for f in dataclasses.fields(kind))  # type: ignore[arg-type]  # a dataclass type
    for word in argv:
        if "=" not in word:
            raise OptionError(f"'{word}' is not key=value; the keys are: {choices}")
    said = [f"{word}''" if word.endswith("=") else word for word in argv]  # "key=" is the empty text
    return build(kind, OmegaConf.to_container(OmegaConf.from_dotlist(said)))


def build(kind: type[T], values: object) -> T:
    """Build `kind` from a mapping, as parse() does from words. Raises OptionError."""
    choices = ", ".join(f.name for f in dataclasses.fields(kind))  # type: ignore[arg-type]  # a dataclass type
    try:
        merged = OmegaConf.merge(OmegaConf.structured(kind), values)
        return cast(T, OmegaConf.to_object(merged))
    except ConfigKeyError as error:
        raise OptionError(f"no option '{error.key}'; the options are: {choices}") from error
    except ValidationError as error:
        raise OptionError(f"option '{error.full_key}': {str(error).splitlines()[0]}") from error
    except (ValueError, TypeError) as error:
        raise OptionError(str(error)) from error


def words(values: dict[str, object]) -> list[str]:
    """The command line that parse() turns back into `values`; None is left out (the default holds)."""
    return [f"{key}={json.dumps(value)}" for key, value in values.items() if value is not None]


def read(kind: type[T]) -> T:
    """The options of this process, or one line on stderr and exit 2. Also ties its life to its parent's."""
    die_with_parent()
    try:
        return parse(kind, sys.argv[1:])
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error


def check_local(options: Any, lowest: int = 1, because: str = "it has no password") -> None:
    """That `host` is this machine and `port` a port (0, where it is let: any free one). Raises ValueError."""
    if options.host not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(f"option 'host': '{options.host}' is not this machine; {because}, so: 127.0.0.1")
    if not lowest <= options.port <= 65535:
        raise ValueError(f"option 'port': {options.port} is not a port")


def check_least(options: Any, least: float, *names: str) -> None:
    """That none of the named options is less. Raises ValueError."""
    for name in names:
        if getattr(options, name) < least:
            raise ValueError(f"option '{name}': must be {least} or more")


def die_with_parent() -> None:
    """Ask Linux for SIGTERM when the parent dies, even by kill -9: no engine outlives its show."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.environ.get("SPARK_PARENT", str(os.getppid())) != str(os.getppid()):
        raise SystemExit(1)  # it died before this was asked
