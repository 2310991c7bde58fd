"""What the body claims against what its world says: no claim counts that the server did not see. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

STEP = re.compile(r"On the way: you did (collect|craft|place) (\d+) (.+)\.")
BLOCKS = {"cobblestone": {"stone", "cobblestone"}, "coal": {"coal_ore"}, "raw_iron": {"iron_ore"}}
FAMILIES = ("log", "planks")


def family(item: str) -> str:
    """`oak_log` is a log: recipes and claims speak of families."""
    return next((name for name in FAMILIES if item.endswith(f"_{name}")), item)


@dataclass
class Ledger:
    """The steps that were claimed so far, in one world."""

    claimed: Counter[tuple[str, str]] = field(default_factory=Counter)
    count: int = 0

    def claim(self, said: str) -> None:
        """A message of the body's; what is no step is left alone."""
        if match := STEP.fullmatch(said):
            self.claimed[match[1], match[3].replace(" ", "_")] += int(match[2])
            self.count += 1

    def false(self, events: Iterable[Mapping[str, Any]]) -> list[str]:
        """The claims that the server's own events do not bear out."""
        seen = done(events)
        return [
            f"{what} {number} {item}: the server saw {seen[what, item]}"
            for (what, item), number in self.claimed.items()
            if seen[what, item] < number
        ]


def done(events: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """What was collected, crafted and placed, as the server saw it."""
    seen: Counter[tuple[str, str]] = Counter()
    for event in events:
        match event:
            case {"what": "crafted", "item": str(item), "count": int(count)}:
                seen["craft", family(item)] += count
            case {"what": "placed", "item": str(item)}:
                seen["place", item] += 1
            case {"what": "broke", "block": str(block), "dropped": True}:
                source = next((name for name, blocks in BLOCKS.items() if block in blocks), family(block))
                seen["collect", source] += 1
            case _:
                pass
    return seen
