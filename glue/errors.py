"""What can go wrong at a port; adapters translate foreign errors into these at their edge.

SparkError
├── ConfigError      the start is refused; the message names the key and the choices
├── Declined         the operator's wish cannot be done; the message is a line that says why
├── TooFast          a paced show was faster than the pace that it states, or nobody knows
└── PortError        a neighbour failed; `part` says which
    ├── Unreachable  it cannot be connected to, or it hung up: worth another try
    ├── Refused      it answered that it will not: another try gives the same answer
    └── TooSlow      it did not answer in time
"""

from typing import TypeVar

Broken = TypeVar("Broken", bound=BaseException)


class SparkError(Exception):
    """Everything that this program raises on purpose."""


class ConfigError(SparkError):
    """The configuration cannot be run; the message is one line with the cure."""


class Declined(SparkError):
    """What the operator asks for cannot be done; the text is a line that says why."""


class TooFast(SparkError):
    """Something of a paced show came before its stated time, or nobody knows: none of its figures hold."""


class PortError(SparkError):
    """A neighbour failed. `part` is the neighbour's short name: llm, speech, avatar, ... `quoted`: `why` is
    in a server's words, which may hold what it was asked about."""

    def __init__(self, part: str, why: str, quoted: bool = False) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part
        self.why = why
        self.quoted = quoted


class Unreachable(PortError):
    """It cannot be connected to, or the connection broke."""


class Refused(PortError):
    """It answered with an error."""


class TooSlow(PortError):
    """It did not answer within the time allowed."""


def leaves(group: BaseExceptionGroup[Broken]) -> list[Broken]:
    """The errors in a group of groups."""
    found: list[Broken] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def first(group: BaseExceptionGroup[Broken]) -> Broken:
    """The error in a group of groups that the others followed from."""
    return leaves(group)[0]
