"""What can go wrong at a port; adapters translate foreign errors into these at their edge.

SparkError
├── ConfigError      the start is refused; the message names the key and the choices
├── TooFast          a paced show was faster than the pace that it states
└── PortError        a neighbour failed; `part` says which
    ├── Unreachable  it cannot be connected to, or it hung up: worth another try
    ├── Refused      it answered that it will not: another try gives the same answer
    └── TooSlow      it did not answer in time
"""


class SparkError(Exception):
    """Everything that this program raises on purpose."""


class ConfigError(SparkError):
    """The configuration cannot be run; the message is one line with the cure."""


class TooFast(SparkError):
    """Something of a paced show came before its stated time: none of its figures hold."""


class PortError(SparkError):
    """A neighbour failed. `part` is the neighbour's short name: llm, speech, avatar, ..."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part = part
        self.why = why


class Unreachable(PortError):
    """It cannot be connected to, or the connection broke."""


class Refused(PortError):
    """It answered with an error."""


class TooSlow(PortError):
    """It did not answer within the time allowed."""
