"""What happens in a public chat beside its lines. Part of glue/events.py's union."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SAYING = ", saying: "  # in a deed's text: the viewer's own words follow


class Deed(StrEnum):
    """What a viewer did for her, and is thanked for."""

    SUB = "sub"
    GIFT = "gift"  # subscriptions or memberships for others
    BITS = "bits"
    RAID = "raid"
    SUPER_CHAT = "super_chat"
    MEMBER = "member"
    FOLLOW = "follow"
    POINTS = "points"

    @property
    def paid(self) -> bool:
        """Whether it cost something; she does not stop in a sentence for what did not."""
        return self not in (Deed.FOLLOW, Deed.POINTS)


@dataclass(frozen=True, slots=True)
class LinesRemoved:
    """A moderator removed these lines (or banned their author): they are neither answered nor remembered.
    `viewer`: whose lines all are removed, as ChatLine.viewer has it; the oldest of them stand in no list."""

    at: float
    line_ids: tuple[str, ...]
    viewer: str = ""
