"""What the inbox holds: a line, and what became of it so far. Pure."""

from dataclasses import dataclass

from glue.events import ChatLine


@dataclass(slots=True)
class Waiting:
    """A line in the inbox."""

    line: ChatLine
    received: float
    waited: bool  # while she was speaking
    failed: int = 0  # times that a neighbour was away when it should have been answered
    passed: int = 0  # replies to louder lines meanwhile
    sung: float = 0.0  # seconds that she sang meanwhile


def paid(waiting: Waiting) -> bool:
    """Whether it is thanked in any case, and in time."""
    return waiting.line.deed is not None and waiting.line.deed.paid
