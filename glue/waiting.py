"""What the inbox holds: a line, and what became of it so far. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from glue.events import ChatLine

# More of a line whose reply failed before it was heard: ten seconds, and a killed model takes five; of one
# that is thanked in any case: half an hour, as a large model takes minutes.
TRIES, TRIES_PAID = 7, 200
REST, LONG_REST = 1.5, 10.0  # seconds at most between two, and beyond TRIES


@dataclass(slots=True)
class Waiting:
    """A line in the inbox."""

    line: ChatLine
    received: float
    waited: bool  # while she was speaking
    failed: int = 0  # times that a neighbour was away when it should have been answered
    passed: int = 0  # replies to louder lines meanwhile
    sung: float = 0.0  # seconds that she sang meanwhile
    last: bool = False  # whatever becomes of its reply, it does not wait again


def paid(waiting: Waiting) -> bool:
    """Whether it is thanked in any case, and in time."""
    return waiting.line.deed is not None and waiting.line.deed.paid


def returns(waiting: Waiting) -> bool:
    """Whether it waits again when nothing of its reply was heard."""
    return not waiting.last and waiting.failed < (TRIES_PAID if paid(waiting) else TRIES)


def rest(again: Iterable[Waiting]) -> float:
    """Seconds until these are tried once more."""
    failed = max((waiting.failed for waiting in again), default=0)
    return min(REST if failed <= TRIES else LONG_REST, failed)
